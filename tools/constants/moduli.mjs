// Tables of assembly/modulus.ts.
import { modInverse, P256, SAKKE } from "../parameters.mjs";
import { limbs, segment } from "./tables.mjs";

/** Descriptors for scalar arithmetic and inversion; the layout is that of assembly/modulus.ts. */
export function moduli() {
  const descriptor = (name, doc, N, words, limbCount) => {
    const R = 1n << BigInt(32 * words);
    const values = [
      BigInt(words),
      BigInt(limbCount),
      (1n << 32n) - modInverse(N & 0xffffffffn, 1n << 32n),
      modInverse(N & 0x3fffffffn, 1n << 30n),
      ...limbs(N, 32, words),
      ...limbs((R * R) % N, 32, words),
      ...limbs(N, 30, limbCount),
    ];
    if (values.length % 2 === 1) values.push(0n);
    const pairs = [];
    for (let i = 0; i < values.length; i += 2) pairs.push(values[i] | (values[i + 1] << 32n));
    return segment(name, doc, pairs);
  };
  return (
    descriptor("SAKKE_P", "p of SAKKE parameter set 1", SAKKE.p, 32, 35) +
    descriptor("SAKKE_Q", "q of SAKKE parameter set 1", SAKKE.q, 32, 35) +
    descriptor("P256_P", "p of NIST P-256", P256.p, 8, 9) +
    descriptor("P256_N", "order of NIST P-256", P256.n, 8, 9)
  );
}
