/** The parts of a body that are no XML, and so in no signature (TS 33.180 9.3.5): SDP, MCData payloads. */
import { concat, toBase64, utf8 } from "../../base/bytes.ts";
import { mediaTypeOf, type Part } from "../group-xml/multipart.ts";
import { digest } from "../xml-signature/algorithms.ts";
import { isSignaturesPart, isXmlPart } from "./names.ts";

/** Base64 of the SHA-256 over media type and octets of each, with their lengths, in their order. */
export function digestOfUnsigned(parts: readonly Part[]): string {
  const unsigned = parts.filter((part) => !isXmlPart(part) && !isSignaturesPart(part));
  const fields = unsigned.flatMap(({ contentType, body }) => [utf8(mediaTypeOf(contentType)), body]);
  return toBase64(digest(concat(...fields.flatMap((field) => [lengthOf(field), field]))));
}

function lengthOf({ length }: Uint8Array): Uint8Array {
  const octets = new Uint8Array(4);
  new DataView(octets.buffer).setUint32(0, length);
  return octets;
}
