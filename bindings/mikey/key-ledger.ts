/**
 * The life of a key identifier at a receiver (TS 33.180 5.2.4, 5.7.2): who brought it first, with which key, the
 * newest T accepted for it, and whether it was revoked. A revoked identifier never comes back.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, toHex } from "../../base/bytes.ts";
import { refusal } from "../../base/checks.ts";
import { type NtpTime, ntpUnfold } from "../identity/ntp.ts";
import { formatKeyId, isDiversified, type KeyId, type KeyKind } from "../identity/purpose-tag.ts";

/** Plain data without secrets, to be stored as it is. */
export interface KeyRecord {
  readonly kind: KeyKind;
  readonly keyId: KeyId;
  /** The initiator who may renew or revoke the key. */
  readonly initiator: string;
  /** SHA-256 over key and RAND, hex: tells a renewal from another key under the same identifier. */
  readonly fingerprint: string;
  /** T of the newest message accepted for this identifier. */
  readonly time: NtpTime;
  readonly revoked: boolean;
}

export function keyFingerprint(key: Uint8Array, rand: Uint8Array): string {
  return toHex(sha256(concat(key, rand)));
}

/**
 * Returns the scope in which a record is kept. A GMK-ID names one key for everyone, since media carry it as MKI. Other
 * identifiers are drawn by many independent initiators, so two of them may meet by chance without harm.
 */
export function recordScope(record: Pick<KeyRecord, "kind" | "keyId" | "initiator">): string {
  const name = `${record.kind} ${formatKeyId(record.keyId)}`;
  return isDiversified(record.kind) ? name : `${name} ${record.initiator}`;
}

/**
 * The record after a message, or checks 58 to 61. Same key and RAND with a newer T is a renewal: a GMS seals
 * its key again for each key period (RFC 6509 2.5) or when parameters change.
 */
export function updateRecord(held: KeyRecord | undefined, incoming: KeyRecord): KeyRecord {
  if (held === undefined) return incoming;
  const name = `${incoming.kind}-ID ${formatKeyId(incoming.keyId)}`;
  if (held.initiator !== incoming.initiator) {
    throw refusal("DUPLICATE_KEY_ID", `${name}: belongs to a key of another initiator`);
  }
  if (held.revoked && !incoming.revoked) throw refusal("KEY_ID_REVOKED", `${name}: was revoked`);
  if (ntpUnfold(incoming.time) <= ntpUnfold(held.time)) {
    throw refusal("NOT_NEWER", `${name}: T is not newer than that of the last message accepted`);
  }
  // A GMS that has already deleted a key can still revoke it: the identifier counts.
  if (incoming.revoked) return { ...incoming, fingerprint: held.fingerprint };
  if (held.fingerprint !== incoming.fingerprint) {
    throw refusal("KEY_ID_REUSED", `${name}: is in use with another key or RAND`);
  }
  return incoming;
}
