// Tables of assembly/fma/field.ts.
import { modInverse, SAKKE } from "../parameters.mjs";
import { asDoubles, doubleBits, limbs, SUBTRACTION_MULTIPLES, segment, splat } from "./tables.mjs";

/**
 * FMA kernel, 20 limbs of 52 bits as doubles. The bit patterns of the two fused products are linear in the
 * integers they stand for, up to the constants HIGH_BITS and LOW_BITS; a column therefore starts at minus the sum
 * of those constants over everything that will be added to it, plus a bias that keeps it positive.
 */
export function fma() {
  const { p } = SAKKE;
  const LIMBS = 20;
  const W = 52n;
  const MASK = (1n << W) - 1n;
  const HIGH_BITS = doubleBits(2 ** 104);
  const LOW_BITS = doubleBits(-(2 ** 52)) + (1n << 51n);
  const BIAS = 1n << 60n;
  const negInverse = (1n << W) - modInverse(p & MASK, 1n << W);
  const W2 = 2n * W;
  const pairMultiple = ((1n << W2) - modInverse(p % (1n << W2), 1n << W2)) * p;
  const row = (pairMultiple + 1n) >> W2;
  if ((pairMultiple + 1n) % (1n << W2) !== 0n) throw new Error("row multiple does not end in ones");

  const start = (products) => {
    const low = new Array(2 * LIMBS).fill(0n);
    const high = new Array(2 * LIMBS + 1).fill(0n);
    for (let i = 0; i < LIMBS; i++) {
      for (let j = 0; j < LIMBS; j++) {
        low[i + j] += products;
        high[i + j + 1] += products;
      }
    }
    for (let k = 0; k < LIMBS - 2; k++) {
      for (let j = 0; j < LIMBS; j++) {
        low[k + 2 + j] += 1n;
        high[k + 3 + j] += 1n;
      }
    }
    // The last two rows multiply p itself; its lowest low half is cancelled by construction (no entry at j = 0).
    for (let k = LIMBS - 2; k < LIMBS; k++) {
      for (let j = 0; j < LIMBS; j++) {
        if (j > 0) low[k + j] += 1n;
        high[k + 1 + j] += 1n;
      }
    }
    return low.map((n, k) => {
      let v = n * LOW_BITS - high[k] * HIGH_BITS;
      if (k < 2 * LIMBS - 1) v += BIAS;
      if (k > 0) v -= BIAS >> W;
      return v;
    });
  };

  /** K p for the subtraction, limbs raised so that every limb of a - b + K p stays positive before the carry. */
  const subtrahend = (multiple) => {
    const raise = 1n << 54n;
    return limbs(multiple * p, 52, LIMBS).map((l, i) => {
      let v = l;
      if (i < LIMBS - 1) v += raise;
      if (i > 0) v -= raise >> W;
      return v;
    });
  };
  const levels = SUBTRACTION_MULTIPLES.flatMap((multiple) => splat(subtrahend(BigInt(multiple))));

  const R = 1n << 1040n;
  return (
    segment(
      "MAGIC",
      "2^104; 2^104 - 1.5 * 2^52; 2^52 - 1; 2^52; -1/p mod 2^52; LOW_BITS; 2^51 - 1 (each twice)",
      [
        ...splat([doubleBits(2 ** 104), doubleBits(2 ** 104 - 1.5 * 2 ** 52), MASK, doubleBits(2 ** 52)]),
        ...splat([doubleBits(Number(negInverse)), LOW_BITS, (1n << 51n) - 1n]),
      ],
    ) +
    segment(
      "ROW",
      "((-1/p mod 2^104) p + 1) / 2^104, the reduction row",
      splat(asDoubles(limbs(row, 52, LIMBS))),
    ) +
    segment("MODULUS", "p as doubles", splat(asDoubles(limbs(p, 52, LIMBS)))) +
    segment("START_1", "start values of the columns: one product and its reduction", splat(start(1n))) +
    segment("START_2", "start values of the columns: two products and one reduction", splat(start(2n))) +
    segment("LEVELS", "SUBTRACTION_MULTIPLES times p", levels) +
    segment("ONE", "R mod p, R = 2^1040", splat(asDoubles(limbs(R % p, 52, LIMBS)))) +
    segment("R_SQUARED", "R^2 mod p", splat(asDoubles(limbs((R * R) % p, 52, LIMBS)))) +
    segment("MODULUS_INTEGERS", "p in 52-bit integers", limbs(p, 52, LIMBS))
  );
}
