/**
 * Key identifiers and purpose tags (TS 33.180 5.2.2, annex G). A key identifier is a 32-bit number; its four
 * most significant bits say what the key is for, the other 28 are random.
 */
import { MikeySakkeError } from "../../base/errors.ts";
import type { RandomSource } from "../../base/random.ts";

/** A 32-bit key identifier (GMK-ID, GUK-ID, PCK-ID, CSK-ID ...) as an unsigned number. */
export type KeyId = number;

export const PURPOSE_TAGS = { GMK: 0, PCK: 1, CSK: 2, SPK: 3, MKFC: 4, MSCCK: 5, MuSiK: 6 } as const;

export type KeyKind = keyof typeof PURPOSE_TAGS;

export const KEY_KINDS = Object.keys(PURPOSE_TAGS) as readonly KeyKind[];

export function purposeTag(keyId: KeyId): number {
  return keyId >>> 28;
}

/** The kind that a purpose tag or Key Type number (E.6.11) stands for; undefined for 7 and above. */
export function keyKindOfTag(tag: number): KeyKind | undefined {
  return KEY_KINDS[tag];
}

/** The kind of key that an identifier belongs to; undefined for the tags that annex G leaves open. */
export function keyKind(keyId: KeyId): KeyKind | undefined {
  return keyKindOfTag(purposeTag(keyId));
}

/** Only the GMK goes to each end point under an identifier of its own (5.2.3, 5.7.1). */
export function isDiversified(kind: KeyKind): boolean {
  return kind === "GMK";
}

/** A fresh K-ID: purpose tag, then 28 random bits. */
export function drawKeyId(kind: KeyKind, random: RandomSource): KeyId {
  return (keyIdFromBytes(random(4)) % 2 ** 28) + PURPOSE_TAGS[kind] * 2 ** 28;
}

export function keyIdToBytes(keyId: KeyId): Uint8Array {
  if (!isKeyId(keyId)) {
    throw new MikeySakkeError(
      "usage",
      "BAD_KEY_ID",
      `key identifier ${keyId}: not an unsigned 32-bit number`,
    );
  }
  return Uint8Array.of(keyId >>> 24, keyId >>> 16, keyId >>> 8, keyId);
}

export function keyIdFromBytes(bytes: Uint8Array): KeyId {
  if (bytes.length !== 4) {
    throw new MikeySakkeError(
      "usage",
      "BAD_KEY_ID",
      `key identifier: expected 4 octets, got ${bytes.length}`,
    );
  }
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
}

/** Eight hex digits, the form in which standards and logs print key identifiers. */
export function formatKeyId(keyId: KeyId): string {
  return keyId.toString(16).padStart(8, "0");
}

export function isKeyId(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 0xffffffff;
}
