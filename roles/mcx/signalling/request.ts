/** The sender of a request, and the parts of its body. */
import { MikeySakkeError } from "../../../base/errors.ts";
import { mediaTypeOf, type Part, readMultipart } from "../../../documents/group-xml/index.ts";
import { CONTENT_TYPE, type Incoming, type SipRequest } from "../../../transport/sip/index.ts";
import { assertedIn, tokenIn } from "../../server/sip-caller.ts";
import { TokenRefusal } from "../../server/token-refusal.ts";
import type { TokenVerifier } from "../../server/tokens.ts";
import type { SignallingContext } from "./context.ts";
import { SignallingRefusal } from "./signalling-refusal.ts";

export interface Caller {
  /** MC service IDs that the access token proves; undefined: there is no token that could be read. */
  readonly users: readonly string[] | undefined;
  /** IMS public user identities, as a trusted proxy asserts them (TS 24.379 7.3.5). */
  readonly asserted: readonly string[];
}

/** @throws {SignallingRefusal} for a token that does not hold, and an info document that cannot be read */
export async function callerOf(
  { request, flow }: Incoming,
  parts: readonly Part[],
  { tokens, now, targets }: Pick<SignallingContext, "tokens" | "now" | "targets">,
): Promise<Caller> {
  return {
    users: await provenBy(request, parts, { tokens, now }),
    asserted: targets.trusts(flow) ? assertedIn(request) : [],
  };
}

/** MC service IDs of the token of a request; undefined where there is none in clear. */
export async function provenBy(
  request: SipRequest,
  parts: readonly Part[],
  { tokens, now }: { readonly tokens: TokenVerifier; readonly now: () => number },
): Promise<readonly string[] | undefined> {
  const token = readToken(request, parts);
  if (token === undefined) return undefined;
  const facts = await tokens.verify(`Bearer ${token}`, now()).catch((error: unknown) => {
    if (error instanceof TokenRefusal) throw new SignallingRefusal(error.code, error.detail, error);
    throw error;
  });
  return facts.identities;
}

function readToken(request: SipRequest, parts: readonly Part[]): string | undefined {
  try {
    return tokenIn(request, parts);
  } catch (error) {
    if (!(error instanceof MikeySakkeError)) throw error;
    // What is encrypted under a CSK is read once the CSK is known.
    if (error.code.endsWith("_INFO_ENCRYPTED")) return undefined;
    throw new SignallingRefusal("BAD_BODY", "the info document cannot be read", error);
  }
}

export function partsOf({ headers, body }: SipRequest, maxOctets: number): Part[] {
  if (body.length > maxOctets) throw new SignallingRefusal("BODY_TOO_LARGE");
  const [contentType] = headers.texts(CONTENT_TYPE.name);
  if (body.length === 0) return [];
  if (contentType === undefined) throw new SignallingRefusal("BAD_BODY", "a body without Content-Type");
  if (!mediaTypeOf(contentType).startsWith("multipart/")) return [{ contentType, body }];
  try {
    return readMultipart(contentType, body);
  } catch (cause) {
    throw new SignallingRefusal("BAD_BODY", "the multipart body cannot be read", cause);
  }
}

/** The first part of that type. */
export function partOf(parts: readonly Part[], mediaType: string): Uint8Array | undefined {
  return parts.find(({ contentType }) => mediaTypeOf(contentType) === mediaType)?.body;
}

export function needPart(parts: readonly Part[], mediaType: string): Uint8Array {
  const body = partOf(parts, mediaType);
  if (body === undefined) throw new SignallingRefusal("BODY_TYPE", `no part ${mediaType}`);
  return body;
}
