/** End-point diversity (TS 33.180 5.2.3): K-ID and UK-ID, for a GMK called GMK-ID and GUK-ID. */
import type { KeyId } from "./purpose-tag.ts";
import { userSalt } from "./user-salt.ts";

/**
 * XORs the 28 low bits with a user salt and keeps the purpose tag. Its own inverse: it turns a K-ID into
 * the UK-ID of a receiver and that UK-ID back into the K-ID.
 */
export function applyUserSalt(keyId: KeyId, salt: number): KeyId {
  return (keyId ^ salt) >>> 0;
}

/** GUK-ID of the member `uri`; which is in the CSB-ID of the member's I_MESSAGE and in the MKI of their media. */
export function computeGukId(gmk: Uint8Array, gmkId: KeyId, uri: string): KeyId {
  return applyUserSalt(gmkId, userSalt(gmk, uri));
}

/** GMK-ID that the member `uri` computes from their GUK-ID and the GMK just decapsulated. */
export function recoverGmkId(gmk: Uint8Array, gukId: KeyId, uri: string): KeyId {
  return applyUserSalt(gukId, userSalt(gmk, uri));
}
