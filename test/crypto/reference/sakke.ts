/**
 * SAKKE (RFC 6508, parameter set 1) in plain big integers, step by step as the RFC writes it: an oracle for the
 * tests of the WebAssembly core and the baseline of the benchmark. Not constant-time, wipes nothing.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, equal } from "../../../base/bytes.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import type { RandomSource } from "../../../base/random.ts";
import { type Affine, Curve, INFINITY, type Jacobian } from "./curve.ts";
import { bitLength, bits, invert, mod, randomBelow, toInteger, toOctets } from "./field.ts";
import { SAKKE } from "./params.ts";

const { p, q, g, fieldBytes, pointBytes, ssvBytes, sedBytes } = SAKKE;

/** E: y² = x³ − 3x. */
export const curve = new Curve(p, 0n, fieldBytes);

/** The generator P of the subgroup of order q. */
export const P: Affine = { x: SAKKE.Px, y: SAKKE.Py };

/** re + i·im with i² = −1. In PF_p a non-zero factor of F_p makes no difference. */
export interface Fp2 {
  readonly re: bigint;
  readonly im: bigint;
}

/** 3M (Karatsuba). */
export function fp2Multiply(a: Fp2, b: Fp2): Fp2 {
  const re = a.re * b.re;
  const im = a.im * b.im;
  return { re: mod(re - im, p), im: mod((a.re + a.im) * (b.re + b.im) - re - im, p) };
}

/** 2M. */
export function fp2Square({ re, im }: Fp2): Fp2 {
  return { re: mod((re + im) * (re - im), p), im: mod(2n * re * im, p) };
}

/** The element of F_p that stands for a class of PF_p (RFC 6508 2.1). Throws a crypto error where there is none. */
export function representative({ re, im }: Fp2): bigint {
  return mod(im * invert(re, p), p);
}

/** The class of (1 + i·t)^k, k ≥ 0, as its representative: 2M a squaring, 2M a factor. */
export function power(t: bigint, k: bigint): bigint {
  let result: Fp2 = { re: 1n, im: 0n };
  for (const bit of bits(k)) {
    result = fp2Square(result);
    if (bit) {
      const { re, im } = result;
      result = { re: mod(re - im * t, p), im: mod(im + re * t, p) };
    }
  }
  return representative(result);
}

interface Step {
  readonly point: Jacobian;
  /** The line through the points that were added, at φ(Q), up to a factor of F_p. */
  readonly line: Fp2;
}

const VERTICAL: Fp2 = { re: 1n, im: 0n };

/** [2]C and the tangent at C: with slope α/z₃ the line times z₃·z² needs no division. */
function doubleStep(c: Jacobian, Q: Affine): Step {
  const zz = mod(c.z * c.z, p);
  const gamma = mod(c.y * c.y, p);
  const beta = mod(c.x * gamma, p);
  const alpha = mod(3n * (c.x - zz) * (c.x + zz), p);
  const x = mod(alpha * alpha - 8n * beta, p);
  const y = mod(alpha * (4n * beta - x) - 8n * gamma * gamma, p);
  const z = mod(2n * c.y * c.z, p);
  const line = {
    re: mod(alpha * (mod(zz * Q.x, p) + c.x) - 2n * gamma, p),
    im: mod(mod(z * zz, p) * Q.y, p),
  };
  return { point: { x, y, z }, line };
}

/** C + R and the line through both, times z₃. It is vertical, so drops out, when C is O or −R. */
function addStep(c: Jacobian, R: Affine, Q: Affine): Step {
  if (c.z === 0n) return { point: curve.fromAffine(R), line: VERTICAL };
  const zz = mod(c.z * c.z, p);
  const h = mod(R.x * zz, p) - c.x;
  const r = mod(R.y * mod(zz * c.z, p), p) - c.y;
  // C is an even multiple of R below q·R, so it is never R itself.
  if (h === 0n) return { point: INFINITY, line: VERTICAL };
  const hh = mod(h * h, p);
  const hhh = mod(h * hh, p);
  const v = mod(c.x * hh, p);
  const x = mod(r * r - hhh - 2n * v, p);
  const y = mod(r * (v - x) - c.y * hhh, p);
  const z = mod(c.z * h, p);
  const line = { re: mod(r * (Q.x + R.x) - z * R.y, p), im: mod(z * Q.y, p) };
  return { point: { x, y, z }, line };
}

/** The Tate–Lichtenbaum pairing ⟨R, Q⟩ as a representative in PF_p (RFC 6508 3.2). */
export function pairing(R: Affine, Q: Affine): bigint {
  let v: Fp2 = { re: 1n, im: 0n };
  let C = curve.fromAffine(R);
  for (const bit of bits(q - 1n).slice(1)) {
    const tangent = doubleStep(C, Q);
    v = fp2Multiply(fp2Square(v), tangent.line);
    C = tangent.point;
    if (bit) {
      const chord = addStep(C, R, Q);
      v = fp2Multiply(v, chord.line);
      C = chord.point;
    }
  }
  // (p + 1)/q = 4
  return representative(fp2Square(fp2Square(v)));
}

/** HashToIntegerRange(s, m, SHA-256), RFC 6508 5.1. */
export function hashToIntegerRange(s: Uint8Array, m: bigint): bigint {
  const a = sha256(s);
  // ceil(lg m) is the length of m − 1: a power of two takes one hash less than its own length suggests.
  const count = Math.ceil(bitLength(m - 1n) / 256);
  let h: Uint8Array = new Uint8Array(32);
  const parts: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    h = sha256(h);
    parts.push(sha256(concat(h, a)));
  }
  return mod(toInteger(concat(...parts)), m);
}

/** r of RFC 6508 6.2.1 step 2. */
export function scalarFor(ssv: Uint8Array, id: Uint8Array): bigint {
  return hashToIntegerRange(concat(ssv, id), q);
}

/** The octets that hide the SSV in the hint (RFC 6508 6.2.1 step 4), from g^r or w. */
export function maskFor(w: bigint): Uint8Array {
  return toOctets(hashToIntegerRange(toOctets(w, fieldBytes), 1n << BigInt(8 * ssvBytes)), ssvBytes);
}

/** [a]P + Z, the public point of identifier a. */
export function publicPointOf(Z: Affine, id: Uint8Array): Jacobian {
  return curve.addAffine(curve.multiply(toInteger(id), P), Z);
}

export interface KmsSecret {
  /** KMS Master Secret in [2, q − 1]. */
  readonly z: bigint;
  /** KMS Public Key Z_T, 257 octets. */
  readonly zt: Uint8Array;
}

/** RFC 6508 6.1.1: a new KMS. */
export function setUpKms(random: RandomSource): KmsSecret {
  const z = 2n + randomBelow(q - 2n, random);
  return { z, zt: publicKeyOf(z) };
}

/** Z_T = [z]P, 257 octets. */
export function publicKeyOf(z: bigint): Uint8Array {
  return curve.encode(curve.toAffine(curve.multiply(z, P)));
}

/** The Receiver Secret Key of an identifier, 257 octets (RFC 6508 6.1.1). Throws a RangeError if a + z = 0 mod q. */
export function issueRsk(z: bigint, id: Uint8Array): Uint8Array {
  return curve.encode(curve.toAffine(curve.multiply(invert(toInteger(id) + z, q), P)));
}

/** RFC 6508 6.1.2; false also for octets that are no point. Throws a validation error for a bad `zt`. */
export function validateRsk(zt: Uint8Array, id: Uint8Array, rsk: Uint8Array): boolean {
  const Z = curve.decode(zt);
  try {
    return pairing(curve.toAffine(publicPointOf(Z, id)), curve.decode(rsk)) === g;
  } catch (error) {
    if (error instanceof MikeySakkeError || error instanceof RangeError) return false;
    throw error;
  }
}

/** SAKKE Encapsulated Data R || H, 273 octets, of a 16-octet SSV (RFC 6508 6.2.1). */
export function encapsulate(zt: Uint8Array, id: Uint8Array, ssv: Uint8Array): Uint8Array {
  const r = scalarFor(ssv, id);
  const R = curve.toAffine(curve.multiply(r, publicPointOf(curve.decode(zt), id)));
  return concat(curve.encode(R), xor(ssv, maskFor(power(g, r))));
}

/**
 * The SSV, 16 octets (RFC 6508 6.2.2). Throws a validation error if R is no point of E, a verification error if
 * R is not the one this SSV gives.
 */
export function decapsulate(zt: Uint8Array, id: Uint8Array, rsk: Uint8Array, sed: Uint8Array): Uint8Array {
  if (sed.length !== sedBytes) {
    throw new MikeySakkeError("validation", "BAD_SED", `expected ${sedBytes} octets, got ${sed.length}`);
  }
  const received = sed.subarray(0, pointBytes);
  const w = pairing(curve.decode(received), curve.decode(rsk));
  const ssv = xor(sed.subarray(pointBytes), maskFor(w));
  const test = curve.multiply(scalarFor(ssv, id), publicPointOf(curve.decode(zt), id));
  if (test.z === 0n || !equal(curve.encode(curve.toAffine(test)), received)) {
    throw new MikeySakkeError("verification", "SAKKE_CHECK_FAILED", "R does not belong to the SSV");
  }
  return ssv;
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((octet, i) => octet ^ b[i]!);
}
