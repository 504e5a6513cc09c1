/** Sizes, encodings and hashes of ECCSI with P-256 and SHA-256 (RFC 6507 section 3, RFC 6509 appendix A). */
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, fromHex, wipe } from "../../base/bytes.ts";
import { MikeySakkeError, requireBytes } from "../../base/errors.ts";
import type { RandomSource } from "../../base/random.ts";

/** Octets of a scalar: SSK, r, s, HS, HE. */
export const SCALAR = 32;
/** Octets of x || y, as the core takes points. */
export const XY = 64;
/** Octets of a Secret Signing Key. */
export const SSK_BYTES = SCALAR;
/** Octets of a Public Validation Token: 04 || x || y. */
export const PVT_BYTES = 65;
/** Octets of a KMS Public Authentication Key: 04 || x || y. */
export const KPAK_BYTES = 65;
/** Octets of a signature r || s || PVT, 4 N + 1 with N = 32. */
export const SIGNATURE_BYTES = 2 * SCALAR + PVT_BYTES;

const UNCOMPRESSED = 4;
/** The order of P-256. */
const ORDER = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
/** The generator G as it is hashed. */
const GENERATOR =
  "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296" +
  "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

/** x || y of an encoded point, or undefined when the length or the first octet is wrong. */
export function coordinates(point: Uint8Array): Uint8Array | undefined {
  return point.length === PVT_BYTES && point[0] === UNCOMPRESSED ? point.subarray(1) : undefined;
}

/** 04 || x || y. */
export function encoded(xy: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(UNCOMPRESSED), xy);
}

/** HS = SHA-256(G || KPAK || ID || PVT), RFC 6507 5.1.1. All public. */
export function hashOfKey(kpak: Uint8Array, id: Uint8Array, pvt: Uint8Array): Uint8Array {
  return sha256(concat(fromHex(GENERATOR), kpak, id, pvt));
}

/** HE = SHA-256(HS || r || M), RFC 6507 5.2.1. */
export function hashOfMessage(hs: Uint8Array, r: Uint8Array, message: Uint8Array): Uint8Array {
  return sha256.create().update(hs).update(r).update(message).digest();
}

/** Returns whether 0 < k < order, without a branch on the octets of k. */
export function isScalar(k: Uint8Array): boolean {
  const order = fromHex(ORDER);
  let borrow = 0;
  let any = 0;
  for (let i = SCALAR - 1; i >= 0; i--) {
    borrow = (k[i]! - order[i]! + borrow) >> 8;
    any |= k[i]!;
  }
  return borrow !== 0 && any !== 0;
}

/** A uniform scalar by rejection; one draw in 2^32 is refused. Throws when the source is broken. */
export function randomScalar(random: RandomSource): Uint8Array {
  for (let attempt = 0; attempt < 16; attempt++) {
    const k = random(SCALAR);
    requireBytes(k, "random octets");
    if (k.length === SCALAR && isScalar(k)) return k;
    wipe(k);
  }
  throw new MikeySakkeError("usage", "BAD_RANDOM", "the random source does not give usable octets");
}

/** Uniform scalars one after the other in one array. */
export function randomScalars(n: number, random: RandomSource): Uint8Array {
  const out = new Uint8Array(n * SCALAR);
  try {
    for (let i = 0; i < n; i++) {
      const k = randomScalar(random);
      out.set(k, i * SCALAR);
      wipe(k);
    }
  } catch (error) {
    wipe(out);
    throw error;
  }
  return out;
}

/** The error for a point that is not one. */
export function badPoint(label: string): MikeySakkeError {
  const text = `${label}: not a point of P-256 in uncompressed form`;
  return new MikeySakkeError("validation", "BAD_POINT", text);
}
