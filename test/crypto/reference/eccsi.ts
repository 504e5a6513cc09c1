/**
 * ECCSI (RFC 6507 with P-256 and SHA-256) in plain big integers: an oracle for the tests of the WebAssembly core
 * and the baseline of the benchmark. Not constant-time, wipes nothing.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { concat } from "../../../base/bytes.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import { type Affine, Curve } from "./curve.ts";
import { invert, mod, toInteger, toOctets } from "./field.ts";
import { P256 } from "./params.ts";

const { p, q, fieldBytes, pointBytes, signatureBytes } = P256;

export const curve = new Curve(p, P256.B, fieldBytes);

export const G: Affine = { x: P256.Gx, y: P256.Gy };

/** HS = SHA-256(G || KPAK || ID || PVT), RFC 6507 5.1.1 step 2. */
export function hashOfKey(kpak: Uint8Array, id: Uint8Array, pvt: Uint8Array): Uint8Array {
  return sha256(concat(curve.encode(G), kpak, id, pvt));
}

/** HE = SHA-256(HS || r || M), RFC 6507 5.2.1 step 3; r in 32 octets. */
export function hashOfMessage(hs: Uint8Array, r: Uint8Array, message: Uint8Array): Uint8Array {
  return sha256(concat(hs, r, message));
}

/** KPAK = [KSAK]G, 65 octets (RFC 6507 4.2). */
export function kpakOf(ksak: bigint): Uint8Array {
  return curve.encode(curve.toAffine(curve.multiply(ksak, G)));
}

export interface SigningKey {
  /** 32 octets. */
  readonly ssk: Uint8Array;
  /** 65 octets. */
  readonly pvt: Uint8Array;
}

/** RFC 6507 5.1.1 with v in [1, q − 1] given. Throws a RangeError when another v is to be drawn. */
export function issueSigningKey(ksak: bigint, id: Uint8Array, v: bigint): SigningKey {
  const pvt = kpakOf(v);
  const hs = mod(toInteger(hashOfKey(kpakOf(ksak), id, pvt)), q);
  const ssk = mod(ksak + hs * v, q);
  if (hs === 0n || ssk === 0n) throw new RangeError("HS or SSK is zero");
  return { ssk: toOctets(ssk, fieldBytes), pvt };
}

/** KPAK = [SSK]G − [HS]PVT, RFC 6507 5.1.2; false also for octets that are no point. Throws for a bad `kpak`. */
export function validateSigningKey(kpak: Uint8Array, id: Uint8Array, key: SigningKey): boolean {
  const K = curve.fromAffine(curve.decode(kpak));
  const pvt = decodeOr(key.pvt);
  if (pvt === undefined || key.ssk.length !== fieldBytes) return false;
  const hs = toInteger(hashOfKey(kpak, id, key.pvt));
  const terms = [[toInteger(key.ssk), G] as const, [hs, curve.negate(pvt)] as const];
  return curve.equals(curve.multiplySum(terms), K);
}

/** Signature r || s || PVT, 129 octets, with j in [1, q − 1] given (RFC 6507 5.2.1). Throws a RangeError when another j is needed. */
export function sign(
  kpak: Uint8Array,
  id: Uint8Array,
  key: SigningKey,
  message: Uint8Array,
  j: bigint,
): Uint8Array {
  const J = curve.toAffine(curve.multiply(j, G));
  const r = toOctets(J.x, fieldBytes);
  const he = toInteger(hashOfMessage(hashOfKey(kpak, id, key.pvt), r, message));
  const denominator = mod(he + J.x * toInteger(key.ssk), q);
  if (denominator === 0n) throw new RangeError("HE + r SSK is zero");
  // s' always fits: q of P-256 has no more octets than a hash (RFC 6507 5.2.1 step 6).
  const s = mod(invert(denominator, q) * j, q);
  return concat(r, toOctets(s, fieldBytes), key.pvt);
}

/** RFC 6507 5.2.2; false also for a malformed signature. Throws a validation error for a bad `kpak`. */
export function verify(
  kpak: Uint8Array,
  id: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const K = curve.decode(kpak);
  if (signature.length !== signatureBytes) return false;
  const r = signature.subarray(0, fieldBytes);
  const s = toInteger(signature.subarray(fieldBytes, 2 * fieldBytes));
  const pvtOctets = signature.subarray(signatureBytes - pointBytes);
  const pvt = decodeOr(pvtOctets);
  if (pvt === undefined || mod(s, q) === 0n) return false;

  const hs = hashOfKey(kpak, id, pvtOctets);
  const he = toInteger(hashOfMessage(hs, r, message));
  const sr = mod(s * toInteger(r), q);
  // J = [s]([HE]G + [r]([HS]PVT + KPAK)), the scalars multiplied out.
  const J = curve.multiplySum([
    [mod(s * he, q), G],
    [sr, K],
    [mod(sr * toInteger(hs), q), pvt],
  ]);
  if (J.z === 0n) return false;
  const { x } = curve.toAffine(J);
  return x !== 0n && x === mod(toInteger(r), p);
}

function decodeOr(octets: Uint8Array): Affine | undefined {
  try {
    return curve.decode(octets);
  } catch (error) {
    if (error instanceof MikeySakkeError) return undefined;
    throw error;
  }
}
