// Tables of assembly/simd/field.ts and assembly/simd/p256.ts: limbs of 28 bits as 32-bit integers.
import { modInverse, P256, SAKKE } from "../parameters.mjs";
import { limbs, pairs32, SUBTRACTION_MULTIPLES, segment } from "./tables.mjs";

const W = 28;

/** Limbs without lanes. */
const plain = (x, count) => pairs32(limbs(x, W, count));
/** An element vector of four equal lanes. */
const vector = (x, count) => pairs32(limbs(x, W, count).flatMap((l) => [l, l, l, l]));

export function simd() {
  const { p } = SAKKE;
  const LIMBS = 37;
  const unit = 1n << BigInt(W);
  const negInverse = unit - modInverse(p % unit, unit);
  const row = (negInverse * p + 1n) / unit;
  const R = 1n << BigInt(W * LIMBS);
  return (
    `export const NEGATIVE_INVERSE: i32 = 0x${negInverse.toString(16)}; // -1/p mod 2^28\n` +
    segment("ROW", "((-1/p mod 2^28) p + 1) / 2^28, the reduction row", vector(row, LIMBS)) +
    segment("MODULUS", "p", vector(p, LIMBS)) +
    segment(
      "LEVELS",
      "SUBTRACTION_MULTIPLES times p, 152 octets each",
      SUBTRACTION_MULTIPLES.flatMap((k) => plain(BigInt(k) * p, LIMBS)),
    ) +
    segment("ONE", "R mod p, R = 2^1036", vector(R % p, LIMBS)) +
    segment("R_SQUARED", "R^2 mod p", vector((R * R) % p, LIMBS))
  );
}

export function simdP256() {
  const { p } = P256;
  const LIMBS = 10;
  const R = 1n << BigInt(W * LIMBS);
  /** Units of the last limb are moved down, so that the limbs below it do not borrow from it. */
  const lowered = (x, units) => {
    const values = limbs(x, W, LIMBS);
    values[LIMBS - 1] -= units;
    values[LIMBS - 2] += units << BigInt(W);
    return pairs32(values);
  };
  return (
    segment("MODULUS", "p", vector(p, LIMBS)) +
    segment("SUBTRAHEND", "4 p", lowered(4n * p, 1n)) +
    segment("TWICE_SUBTRAHEND", "8 p", lowered(8n * p, 2n)) +
    segment("ONE", "R mod p, R = 2^280", vector(R % p, LIMBS)) +
    segment("R_SQUARED", "R^2 mod p", vector((R * R) % p, LIMBS))
  );
}
