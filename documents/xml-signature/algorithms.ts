/** The algorithms of TS 33.180 D.1 by their URIs, and the errors of signatures. */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { MikeySakkeError, requireBytes, requireString } from "../../base/errors.ts";

export const DS_NAMESPACE = "http://www.w3.org/2000/09/xmldsig#";
export const C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
export const C14N_WITH_COMMENTS = `${C14N}#WithComments`;
export const EXCLUSIVE_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#";
export const EXCLUSIVE_C14N_WITH_COMMENTS = `${EXCLUSIVE_C14N}WithComments`;
export const ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
export const HMAC_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";
export const SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256";

/** Octets of a digest and of a signature. */
export const DIGEST_BYTES = 32;

/** Below this an HMAC key can be guessed; TrK and InK have 32 octets. */
const MIN_KEY_BYTES = 16;

/** A TrK or InK with its ID. */
export interface NamedKey {
  readonly id: string;
  readonly key: Uint8Array;
}

export function digest(octets: Uint8Array): Uint8Array {
  return sha256(octets);
}

export function authenticate({ id, key }: NamedKey, octets: Uint8Array): Uint8Array {
  requireString(id, "signature key id");
  requireBytes(key, "signature key");
  if (key.length < MIN_KEY_BYTES) {
    throw new MikeySakkeError("usage", "WRONG_LENGTH", `signature key: fewer than ${MIN_KEY_BYTES} octets`);
  }
  return hmac(sha256, key, octets);
}

export type SignatureFault = "MISSING" | "MALFORMED" | "ALGORITHM" | "KEY" | "DIGEST" | "VALUE" | "REFERENCE";

export function fault(which: SignatureFault, message: string): MikeySakkeError {
  return new MikeySakkeError("verification", `XML_SIGNATURE_${which}`, `XML signature: ${message}`);
}
