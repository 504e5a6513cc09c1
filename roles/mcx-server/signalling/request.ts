/** Who sends a request, and the parts of its body. */
import { mediaTypeOf, type Part, readMultipart } from "../../../transport/group-xml/index.ts";
import {
  AUTHORIZATION,
  CONTENT_TYPE,
  FROM,
  isScheme,
  type SipRequest,
} from "../../../transport/sip/index.ts";
import { TokenRefusal } from "../../server/token-refusal.ts";
import type { TokenVerifier } from "../../server/tokens.ts";
import { SignallingRefusal } from "./refusal.ts";

/** The MC service user ID in From, which the access token (RFC 8898) must prove. */
export async function identify(request: SipRequest, tokens: TokenVerifier, now: number): Promise<string> {
  const credentials = request.headers.all(AUTHORIZATION).filter((value) => isScheme(value, "Bearer"));
  const token = credentials.find((value) => value.token !== undefined)?.token;
  if (token === undefined) throw new SignallingRefusal("TOKEN_MISSING");
  const facts = await tokens.verify(`Bearer ${token}`, now).catch((error: unknown) => {
    if (error instanceof TokenRefusal) throw new SignallingRefusal(error.code, error.detail, error);
    throw error;
  });
  const { uri } = request.headers.need(FROM);
  if (!facts.identities.includes(uri)) throw new SignallingRefusal("FORGED_FROM", uri);
  return uri;
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
