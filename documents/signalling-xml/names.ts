/** Names and limits of protected XML in SIP (TS 33.180 9.3, TS 24.379 F.1), and the errors of its encryption. */
import { MikeySakkeError } from "../../base/errors.ts";
import { mediaTypeOf, type Part } from "../group-xml/multipart.ts";
import type { XmlLimits } from "../xml/xml-events.ts";

export const XENC_NAMESPACE = "http://www.w3.org/2001/04/xmlenc#";
export const XENC_CONTENT = `${XENC_NAMESPACE}Content`;
export const AES128_GCM = "http://www.w3.org/2009/xmlenc11#aes128-gcm";
export const SIGNATURES_NAMESPACE = "urn:3gpp:ns:mcpttSignedDoc:1.0";
export const SIGNED_MEDIA_TYPE = "application/vnd.3gpp.mcptt-signed+xml";

/** Limits of one part. */
export const SIGNALLING_XML_LIMITS: XmlLimits = { maxLength: 1 << 18, maxDepth: 24, maxElements: 10_000 };
/** Values of one part. Each that is encrypted is read with all namespaces around it. */
export const MAX_TYPED_ELEMENTS = 256;
/** Limits of the part with the signatures: a body has at most 32 parts. */
export const SIGNATURES_LIMITS: XmlLimits = { maxLength: 65_536, maxDepth: 16, maxElements: 1000 };

export function isSignaturesPart({ contentType }: Part): boolean {
  return mediaTypeOf(contentType) === SIGNED_MEDIA_TYPE.toLowerCase();
}

/** RFC 7303: the media types of XML. Not the part with the signatures. */
export function isXmlPart(part: Part): boolean {
  const type = mediaTypeOf(part.contentType);
  return (/^(application|text)\/xml$/.test(type) || type.endsWith("+xml")) && !isSignaturesPart(part);
}

export type EncryptionFault = "MISSING" | "MALFORMED" | "ALGORITHM" | "KEY" | "VALUE";

export function encryptionFault(which: EncryptionFault, message: string): MikeySakkeError {
  return new MikeySakkeError("verification", `XML_ENCRYPTION_${which}`, `XML encryption: ${message}`);
}
