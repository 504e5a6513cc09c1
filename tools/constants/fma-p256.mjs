// Tables of assembly/fma/p256.ts.
import { P256 } from "../parameters.mjs";
import { asDoubles, doubleBits, limbs, segment, splat } from "./tables.mjs";

/** FMA kernel of P-256, 5 limbs of 52 bits as doubles. The reduction has no fused products, see constants/fma.mjs. */
export function fmaP256() {
  const { p } = P256;
  const LIMBS = 5;
  const W = 52n;
  const HIGH_BITS = doubleBits(2 ** 104);
  const LOW_BITS = doubleBits(-(2 ** 52)) + (1n << 51n);

  /** Raises every limb but the last by `bias`, which the next limb takes back; the sum over all limbs stays. */
  const raised = (values, bias) =>
    values.map((v, k) => v + (k < values.length - 1 ? bias : 0n) - (k > 0 ? bias >> W : 0n));

  const start = (products) => {
    const columns = new Array(2 * LIMBS).fill(0n);
    for (let i = 0; i < LIMBS; i++) {
      for (let j = 0; j < LIMBS; j++) {
        columns[i + j] += products * LOW_BITS;
        columns[i + j + 1] -= products * HIGH_BITS;
      }
    }
    return raised(columns, 1n << 55n);
  };

  // The bits of a limb l as the double 2^52 + l are TWO_52 + l.
  const TWO_52 = doubleBits(2 ** 52);
  const addend = limbs(p, 52, LIMBS).map((l) => l - 2n * TWO_52);

  const R = 1n << 260n;
  return (
    segment("MAGIC", "2^104; 2^104 - 1.5 * 2^52; 2^52 - 1; 2^52; 2^48 - 1 (each twice)", [
      ...splat([doubleBits(2 ** 104), doubleBits(2 ** 104 - 1.5 * 2 ** 52), (1n << W) - 1n, TWO_52]),
      ...splat([(1n << 48n) - 1n]),
    ]) +
    segment("START_1", "start values of the columns: one product and its reduction", splat(start(1n))) +
    segment("START_2", "start values of the columns: two products and one reduction", splat(start(2n))) +
    segment("ADDEND", "start values of the limbs of a sum: p", splat(raised(addend, 1n << 54n))) +
    segment(
      "TRIPLE_ADDEND",
      "start values of the limbs of three times a sum: p",
      splat(raised(limbs(p, 52, LIMBS), 1n << 54n)),
    ) +
    segment(
      "SUBTRAHEND",
      "start values of the limbs of a difference: 4 p",
      splat(raised(limbs(4n * p, 52, LIMBS), 1n << 54n)),
    ) +
    segment(
      "TWICE_SUBTRAHEND",
      "start values of the limbs of a difference where twice b is subtracted: 8 p",
      splat(raised(limbs(8n * p, 52, LIMBS), 1n << 54n)),
    ) +
    segment("ONE", "R mod p, R = 2^260", splat(asDoubles(limbs(R % p, 52, LIMBS)))) +
    segment("R_SQUARED", "R^2 mod p", splat(asDoubles(limbs((R * R) % p, 52, LIMBS)))) +
    segment("MODULUS_INTEGERS", "p in 52-bit integers", limbs(p, 52, LIMBS))
  );
}
