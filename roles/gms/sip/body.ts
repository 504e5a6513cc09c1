/** The parts of a SUBSCRIBE's body: a list of resources alone, or with others in multipart/mixed (TS 24.481 6.3.13.2). */
import { mediaTypeOf, readMultipart } from "../../../documents/group-xml/index.ts";
import { CONTENT_TYPE, type SipRequest } from "../../../transport/sip/index.ts";
import { SubscribeRefusal } from "./subscribe-refusal.ts";

/** Each body is read once, for the token and for the list. */
const read = new WeakMap<SipRequest, ReadonlyMap<string, Uint8Array>>();

/**
 * By media type, the first of each.
 *
 * @throws {SubscribeRefusal} BODY_TOO_LARGE, BAD_BODY
 */
export function partsOf(request: SipRequest, maxOctets: number): ReadonlyMap<string, Uint8Array> {
  const known = read.get(request);
  if (known !== undefined) return known;
  if (request.body.length > maxOctets) throw new SubscribeRefusal("BODY_TOO_LARGE");
  const parts = readParts(request);
  read.set(request, parts);
  return parts;
}

function readParts({ headers, body }: SipRequest): ReadonlyMap<string, Uint8Array> {
  const [text] = headers.texts(CONTENT_TYPE.name);
  if (body.length === 0) return new Map();
  if (text === undefined) throw new SubscribeRefusal("BAD_BODY", "a body without Content-Type");
  if (!mediaTypeOf(text).startsWith("multipart/")) return new Map([[mediaTypeOf(text), body]]);
  try {
    const parts = readMultipart(text, body).reverse();
    return new Map(parts.map((part) => [mediaTypeOf(part.contentType), part.body]));
  } catch (cause) {
    throw new SubscribeRefusal("BAD_BODY", "the multipart body cannot be read", cause);
  }
}
