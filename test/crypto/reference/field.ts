/** Integers modulo an odd prime and their encodings, as plain big integers. Not constant-time: tests and bench only. */
import { fromHex, toHex } from "../../../base/bytes.ts";
import type { RandomSource } from "../../../base/random.ts";

/** The residue of `a` in [0, m). */
export function mod(a: bigint, m: bigint): bigint {
  const r = a % m;
  return r < 0n ? r + m : r;
}

/** a⁻¹ mod m by the extended Euclidean algorithm. Throws a RangeError when there is none. */
export function invert(a: bigint, m: bigint): bigint {
  let [u, v] = [mod(a, m), m];
  let [x, y] = [1n, 0n];
  while (u !== 0n) {
    const quotient = v / u;
    [u, v] = [v - quotient * u, u];
    [x, y] = [y - quotient * x, x];
  }
  if (v !== 1n) throw new RangeError("not invertible");
  return mod(y, m);
}

/** The inverses of non-zero residues at the price of one inversion and three products each. */
export function invertAll(values: readonly bigint[], m: bigint): bigint[] {
  const before: bigint[] = [];
  let product = 1n;
  for (const v of values) {
    before.push(product);
    product = mod(product * v, m);
  }
  let inverse = invert(product, m);
  const out: bigint[] = new Array(values.length);
  for (let i = values.length - 1; i >= 0; i--) {
    out[i] = mod(inverse * before[i]!, m);
    inverse = mod(inverse * values[i]!, m);
  }
  return out;
}

/** base^exponent mod m, exponent ≥ 0. */
export function power(base: bigint, exponent: bigint, m: bigint): bigint {
  let result = 1n;
  for (const bit of bits(exponent)) {
    result = mod(result * result, m);
    if (bit) result = mod(result * base, m);
  }
  return result;
}

/** A square root of `a` modulo p = 3 mod 4, or undefined for a non-residue. */
export function squareRoot(a: bigint, p: bigint): bigint | undefined {
  const root = power(a, (p + 1n) / 4n, p);
  return mod(root * root - a, p) === 0n ? root : undefined;
}

/** The binary digits of k ≥ 0, most significant first; none for zero. */
export function bits(k: bigint): boolean[] {
  return k === 0n ? [] : Array.from(k.toString(2), (digit) => digit === "1");
}

export function bitLength(k: bigint): number {
  return k === 0n ? 0 : k.toString(2).length;
}

/**
 * The width-w non-adjacent form of k ≥ 0, least significant digit first: digits are zero or odd, below 2^(w−1) in
 * absolute value, and of w neighbours at most one is not zero. w = 2 gives the NAF.
 */
export function wnaf(k: bigint, w: number): number[] {
  const digits: number[] = [];
  const window = 1 << w;
  while (k > 0n) {
    let digit = 0;
    if (k & 1n) {
      digit = Number(BigInt.asUintN(w, k));
      if (digit >= window / 2) digit -= window;
      k -= BigInt(digit);
    }
    digits.push(digit);
    k >>= 1n;
  }
  return digits;
}

/** OS2IP: the octets as a big-endian integer. */
export function toInteger(octets: Uint8Array): bigint {
  return octets.length === 0 ? 0n : BigInt(`0x${toHex(octets)}`);
}

/** I2OSP: big-endian in exactly `length` octets. */
export function toOctets(value: bigint, length: number): Uint8Array {
  return fromHex(value.toString(16).padStart(2 * length, "0"));
}

/** Splits `value` into `count` limbs of `width` bits, least significant first, as the kernels hold it. */
export function toLimbs(value: bigint, width: number, count: number): bigint[] {
  return Array.from({ length: count }, (_, i) => BigInt.asUintN(width, value >> BigInt(i * width)));
}

/** The integer of limbs of `width` bits, least significant first; limbs may be larger than `width` bits or negative. */
export function fromLimbs(limbs: readonly bigint[], width: number): bigint {
  return limbs.reduceRight((sum, limb) => (sum << BigInt(width)) + limb, 0n);
}

/** A nearly uniform integer in [0, limit): 128 bits more than needed are drawn, then reduced. */
export function randomBelow(limit: bigint, random: RandomSource): bigint {
  return toInteger(random(Math.ceil(bitLength(limit) / 8) + 16)) % limit;
}

/** Residues mod p at which carries, borrows and comparisons go wrong first: ends of the range, limb boundaries. */
export function edgeElements(p: bigint): bigint[] {
  const edges = [0n, 1n, 2n, 3n, p - 1n, p - 2n, (p - 1n) / 2n, (p + 1n) / 2n];
  for (const width of [28, 32, 52, 64]) {
    for (let at = width; at < bitLength(p); at += width) {
      const boundary = 1n << BigInt(at);
      edges.push(boundary - 1n, boundary, p - boundary);
    }
  }
  return edges;
}
