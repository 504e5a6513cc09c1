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

/** Width-3 non-adjacent form, digits 0, +-1 and +-3, most significant first. */
function nonAdjacentForm(k) {
  const digits = [];
  for (; k > 0n; k >>= 1n) {
    let d = k & 1n ? k & 7n : 0n;
    if (d > 4n) d -= 8n;
    digits.unshift(Number(d));
    k -= d;
  }
  return digits;
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

/** a^k mod p. */
function power(a, k) {
  let result = 1n;
  for (let base = a % SAKKE.p; k > 0n; k >>= 1n, base = (base * base) % SAKKE.p) {
    if (k & 1n) result = (result * base) % SAKKE.p;
  }
  return result;
}

/** The square root of -12 mod p that is not a square itself. */
function nonSquareRoot() {
  const { p } = SAKKE;
  const root = power(p - 12n, (p + 1n) / 4n);
  if ((root * root + 12n) % p !== 0n) throw new Error("-12 is not a square");
  return power(root, (p - 1n) / 2n) === 1n ? p - root : root;
}

export function curves() {
  const radix = radix4(SAKKE.q - 1n);
  const naf = nonAdjacentForm(SAKKE.q - 1n);
  if (naf[0] !== 1) throw new Error("the loop starts with K itself");
  return (
    segment(
      "SAKKE_CURVE",
      "P.x, P.y, g, the root of -12 that is not a square; 32 words each",
      packed([SAKKE.Px, SAKKE.Py, SAKKE.g, nonSquareRoot()], 32),
    ) +
    segment("P256_CURVE", "G.x, G.y, b; 8 words each", packed([P256.Gx, P256.Gy, P256.b], 8)) +
    `export const RADIX4_LENGTH: i32 = ${radix.length};\n` +
    segment("RADIX4_DIGITS", "q - 1 in radix 4 after a leading 2, signed octets", octets(radix)) +
    `export const NAF_LENGTH: i32 = ${naf.length};\n` +
    segment("NAF_DIGITS", "q - 1 in digits 0, 1, 3 and their negatives, signed octets", octets(naf))
  );
}
