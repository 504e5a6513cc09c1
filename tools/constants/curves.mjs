// Base points and the addition chains of the pairing, as integers.
import { P256, SAKKE } from "../parameters.mjs";
import { limbs, segment } from "./tables.mjs";

/** Integers of 32 `count` bits as 64-bit words. */
const packed = (values, count) => values.flatMap((v) => limbs(v, 64, count / 2));

/** Signed octets as 64-bit words. */
function octets(digits) {
  const words = [];
  for (let i = 0; i < digits.length; i += 8) {
    words.push(digits.slice(i, i + 8).reduce((w, d, k) => w | (BigInt(d & 255) << BigInt(8 * k)), 0n));
  }
  return words;
}

/** Non-adjacent form, most significant digit first, without the leading 1. */
function nonAdjacentForm(k) {
  const digits = [];
  for (; k > 0n; k >>= 1n) {
    const d = k & 1n ? 2n - (k & 3n) : 0n;
    digits.unshift(Number(d));
    k -= d;
  }
  return digits.slice(1);
}

/**
 * Digits -1, 0, 1, 2 and -2 in radix 4 after a leading 2, most significant first, with as few +-2 as possible: those
 * cost an extra product. Digit -1 cannot stand last: [4]C would be the neutral element.
 */
function radix4(k) {
  const length = 510;
  // best[c] = cheapest digits of the part below position i when a carry c comes into position i from below.
  let best = [{ cost: 0, digits: [] }, null];
  for (let i = 0; i < length; i++) {
    const bits = Number((k >> BigInt(2 * i)) & 3n);
    const next = [null, null];
    for (const carry of [0, 1]) {
      if (best[carry] === null) continue;
      const value = bits + carry;
      for (const out of [0, 1]) {
        const digit = value - 4 * out;
        if (digit < -2 || digit > 2 || (i === 0 && digit === -1)) continue;
        const cost = best[carry].cost + (Math.abs(digit) === 2 ? 1 : 0);
        if (next[out] === null || cost < next[out].cost)
          next[out] = { cost, digits: [digit, ...best[carry].digits] };
      }
    }
    best = next;
  }
  const lead = Number(k >> BigInt(2 * length));
  const end = best[2 - lead];
  if (!end) throw new Error("no recoding with leading digit 2");
  const value = end.digits.reduce((v, d) => 4n * v + BigInt(d), 2n);
  if (value !== k) throw new Error("recoding is wrong");
  return end.digits;
}

export function curves() {
  const radix = radix4(SAKKE.q - 1n);
  const naf = nonAdjacentForm(SAKKE.q - 1n);
  return (
    segment("SAKKE_CURVE", "P.x, P.y, g; 32 words each", packed([SAKKE.Px, SAKKE.Py, SAKKE.g], 32)) +
    segment("P256_CURVE", "G.x, G.y, b; 8 words each", packed([P256.Gx, P256.Gy, P256.b], 8)) +
    `export const RADIX4_LENGTH: i32 = ${radix.length};\n` +
    segment("RADIX4_DIGITS", "q - 1 in radix 4 after a leading 2, signed octets", octets(radix)) +
    `export const NAF_LENGTH: i32 = ${naf.length};\n` +
    segment("NAF_DIGITS", "non-adjacent form of q - 1 after the leading 1, signed octets", octets(naf))
  );
}
