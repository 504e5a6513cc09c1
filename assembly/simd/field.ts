// F_p of SAKKE parameter set 1 on plain SIMD integers, four elements at once: the fallback for engines without
// relaxed SIMD and processors without fused multiply-add.
//
// An element vector is 37 limbs of 28 bits in lanes of 32, limb i of lane l at 16 i + 4 l. Values are in Montgomery form
// with R = 2^1036 and are not fully reduced: limbs are always below 2^28, the value below R = 6832 p. For operands below
// A p and B p a product is below (1.785 + A B / 6832) p: 1 p is for the last quotient digit, 0.785 p for the others,
// since -1/p mod 2^28 is 0.785 2^28. That is below 2.5 p while A B < 4880 and below 4 p while A B < 15,000. Sums of 256
// affine points stay within the first (638 + 1278 times 2.5), of 512 within the second; all of LEVELS is below R.
//
// A column is a sum of at most 3 37 products below 2^56 and a carry (two products and a reduction): below 2^63. Products of
// halves are added and taken off mod 2^64.

import { columns } from "../memory/column-bounds";
import { LEVELS, MODULUS, NEGATIVE_INVERSE, ONE, R_SQUARED, ROW } from "../generated/simd";
import { workspace } from "../memory/workspace";
import {
  MASK_BYTES, addProduct, addRows, highPair, laneToWords, lowPair, pack, product, scanTenLimbs, selectionMasks,
  square, wordsToLane,
} from "./vectors";

export { MASK_BYTES, ONE, R_SQUARED, selectionMasks };

export const LIMBS: i32 = 37;
/** Octets of an element vector. */
export const BYTES: usize = 592;
/** Octets of one element in a table: its limbs without lanes. */
export const ENTRY_BYTES: usize = 148;
/** Multiples of p: values stay below LIMIT, A B of a product below PRODUCTS, a value that getWords takes below REDUCIBLE. */
export const LIMIT: f64 = 6833;
export const PRODUCTS: f64 = 15000;
export const REDUCIBLE: f64 = 4;

const MASK28: i32 = 0xfffffff;
/** Limbs of the lower half; the upper one has one less. */
const HALF: i32 = 19;
const HALF_BYTES: usize = 304;
/** Octets of an entry of LEVELS. */
const LEVEL_BYTES: usize = 152;

/**
 * Montgomery reduction of the 74 columns at `t`. Rows 0..35 add a multiple of ROW 2^28 - 1 = N, N = 0 mod p, whose
 * quotient digit is the column itself: carry the column, add v ROW one column up. That leaves an excess of 28 bits,
 * which row 36 takes away with p itself and an ordinary quotient. `pair`: see vectors.ts.
 */
@inline function reduceWith(out: usize, t: usize, pair: bool): void {
  const mask = i32x4.splat(MASK28);
  let x = v128.load(ROW), low: v128, high: v128;
  for (let i = 0; i < LIMBS - 1; i += 2) {
    low = v128.load(t);
    high = pair ? low : v128.load(t, 16);
    if (!ASC_NO_ASSERT) columns(low, high, 63);
    const v0 = v128.and(pack(low, high), mask);
    low = i64x2.add(i64x2.add(v128.load(t, 32), i64x2.shr_u(low, 28)), lowPair(v0, x));
    if (pair) high = low;
    else high = i64x2.add(i64x2.add(v128.load(t, 48), i64x2.shr_u(high, 28)), highPair(v0, x));
    if (!ASC_NO_ASSERT) columns(low, high, 63);
    const v1 = v128.and(pack(low, high), mask);
    t += 64;
    v128.store(t, i64x2.add(i64x2.add(v128.load(t), i64x2.shr_u(low, 28)), lowPair(v1, x)));
    if (!pair) v128.store(t, i64x2.add(i64x2.add(v128.load(t, 16), i64x2.shr_u(high, 28)), highPair(v1, x)), 16);
    addRows(t, ROW + 16, LIMBS - 1, v0, v1, pair);
  }
  low = v128.load(t);
  high = pair ? low : v128.load(t, 16);
  const q = v128.and(i32x4.mul(pack(low, high), i32x4.splat(NEGATIVE_INVERSE)), mask);
  x = v128.load(MODULUS);
  low = i64x2.shr_u(i64x2.add(low, lowPair(q, x)), 28);
  high = pair ? low : i64x2.shr_u(i64x2.add(high, highPair(q, x)), 28);
  for (let j: usize = 16; j < BYTES; j += 16) {
    x = v128.load(MODULUS + j);
    t += 32;
    low = i64x2.add(i64x2.add(low, v128.load(t)), lowPair(q, x));
    high = pair ? low : i64x2.add(i64x2.add(high, v128.load(t, 16)), highPair(q, x));
    if (!ASC_NO_ASSERT) columns(low, high, 63);
    v128.store(out, v128.and(pack(low, high), mask));
    low = i64x2.shr_u(low, 28);
    high = pair ? low : i64x2.shr_u(high, 28);
    out += 16;
  }
  v128.store(out, pack(low, high));
}

function reduce(out: usize, t: usize): void {
  reduceWith(out, t, false);
}

function reducePair(out: usize, t: usize): void {
  reduceWith(out, t, true);
}

/** The sums of the lower and the upper limbs of `a`, of at most 29 bits. */
function sumHalves(out: usize, a: usize): void {
  for (let i: usize = 0; i < BYTES - HALF_BYTES; i += 16) {
    v128.store(out + i, i32x4.add(v128.load(a + i), v128.load(a + i, HALF_BYTES)));
  }
  v128.store(out, v128.load(a, HALF_BYTES - 16), HALF_BYTES - 16);
}

/** Takes the columns of the lower and the upper halves at `t` off those of the sums at `u`, and adds what is left 19 up. */
@inline function combine(t: usize, u: usize, pair: bool): void {
  for (let k: usize = 0; k < 4 * HALF_BYTES; k += pair ? 32 : 16) {
    let x = i64x2.sub(v128.load(u + k), v128.load(t + k));
    if (k < 4 * (BYTES - HALF_BYTES)) x = i64x2.sub(x, v128.load(t + k, 4 * HALF_BYTES));
    v128.store(u + k, x);
  }
  t += 2 * HALF_BYTES;
  for (let k: usize = 0; k < 4 * HALF_BYTES; k += pair ? 32 : 16) {
    v128.store(t + k, i64x2.add(v128.load(t + k), v128.load(u + k)));
  }
}

// Functions, because products of halves inlined would be half of the code of this kernel.

function productOfAll(t: usize, a: usize, b: usize, limbs: i32): void {
  product(t, a, b, limbs, false);
}

function productOfPair(t: usize, a: usize, b: usize, limbs: i32): void {
  product(t, a, b, limbs, true);
}

function addProductOfAll(t: usize, a: usize, b: usize, limbs: i32): void {
  addProduct(t, a, limbs, b, limbs, false);
}

function addProductOfPair(t: usize, a: usize, b: usize, limbs: i32): void {
  addProduct(t, a, limbs, b, limbs, true);
}

@inline function productOfHalves(t: usize, a: usize, b: usize, limbs: i32, pair: bool): void {
  if (pair) productOfPair(t, a, b, limbs);
  else productOfAll(t, a, b, limbs);
}

@inline function addProductOfHalves(t: usize, a: usize, b: usize, limbs: i32, pair: bool): void {
  if (pair) addProductOfPair(t, a, b, limbs);
  else addProductOfAll(t, a, b, limbs);
}

/**
 * The columns at `t` of a b, or of a b + c d where c is not 0, by products of halves (Karatsuba): 1,046 products of limbs for
 * 1,369. Those of the sums are below 2^58, and the columns of two such products below 2^64. Takes 3,584 octets.
 */
@inline function multiplyHalves(t: usize, a: usize, b: usize, c: usize, d: usize, pair: bool): void {
  const u = t + 4 * BYTES, x = t, y = t + HALF_BYTES;
  sumHalves(x, a);
  sumHalves(y, b);
  productOfHalves(u, x, y, HALF, pair);
  if (c != 0) {
    sumHalves(x, c);
    sumHalves(y, d);
    addProductOfHalves(u, x, y, HALF, pair);
  }
  productOfHalves(t, a, b, HALF, pair);
  productOfHalves(t + 4 * HALF_BYTES, a + HALF_BYTES, b + HALF_BYTES, LIMBS - HALF, pair);
  if (c != 0) {
    addProductOfHalves(t, c, d, HALF, pair);
    addProductOfHalves(t + 4 * HALF_BYTES, c + HALF_BYTES, d + HALF_BYTES, LIMBS - HALF, pair);
  }
  combine(t, u, pair);
}

function multiplyAll(a: usize, b: usize, c: usize, d: usize): void {
  multiplyHalves(workspace, a, b, c, d, false);
}

/** out = a b / R. */
export function mul(out: usize, a: usize, b: usize): void {
  multiplyAll(a, b, 0, 0);
  reduce(out, workspace);
}

/** out = a^2 / R. */
export function sqr(out: usize, a: usize): void {
  square(workspace, a, LIMBS, false);
  reduce(out, workspace);
}

/** out = (a b + c d) / R with one reduction. */
export function mulAddMul(out: usize, a: usize, b: usize, c: usize, d: usize): void {
  multiplyAll(a, b, c, d);
  reduce(out, workspace);
}

/** As mul where both pairs of lanes are the same. Halves gain nothing here. */
export function mulPair(out: usize, a: usize, b: usize): void {
  product(workspace, a, b, LIMBS, true);
  reducePair(out, workspace);
}

/** As sqr where both pairs of lanes are the same. */
export function sqrPair(out: usize, a: usize): void {
  square(workspace, a, LIMBS, true);
  reducePair(out, workspace);
}

/** As mulAddMul where both pairs of lanes are the same. */
export function mulAddMulPair(out: usize, a: usize, b: usize, c: usize, d: usize): void {
  multiplyHalves(workspace, a, b, c, d, true);
  reducePair(out, workspace);
}

/** out = a + b. */
export function add(out: usize, a: usize, b: usize): void {
  const mask = i32x4.splat(MASK28);
  let s = i32x4.splat(0);
  for (let i: usize = 0; i < BYTES; i += 16) {
    s = i32x4.add(i32x4.add(v128.load(a + i), v128.load(b + i)), i32x4.shr_u(s, 28));
    v128.store(out + i, v128.and(s, mask));
  }
}

/** out = a - b + K p with K = SUBTRACTION_MULTIPLES[level], for b below K p; the result is below a + K p. */
export function sub(out: usize, a: usize, b: usize, level: i32): void {
  const mask = i32x4.splat(MASK28);
  let multiple = LEVELS + <usize>level * LEVEL_BYTES, s = i32x4.splat(0);
  for (let i: usize = 0; i < BYTES; i += 16) {
    const d = i32x4.add(i32x4.sub(v128.load(a + i), v128.load(b + i)), v128.load32_splat(multiple));
    s = i32x4.add(d, i32x4.shr_s(s, 28));
    v128.store(out + i, v128.and(s, mask));
    multiple += 4;
  }
}

/** Sets the lane to an integer below 2^1024 of 32 words, least significant first (not in Montgomery form). */
export function setWords(out: usize, lane: i32, words: usize): void {
  wordsToLane(out, lane, words, 32, LIMBS);
}

/** Reads the lane as an integer of 32 words reduced mod p, for a value below 4 p (not in Montgomery form). */
export function getWords(words: usize, a: usize, lane: i32): void {
  laneToWords(words, 32, a, lane, MODULUS, BYTES, 3);
}

/** Joins `out` with the masked entries of a whole row, so every entry is read whatever the index. */
export function scanRow(out: usize, row: usize, entries: i32, elements: i32, masks: usize): void {
  const stride = ENTRY_BYTES * <usize>elements;
  for (let element = 0; element < elements; element++) {
    for (let limb: usize = 0; limb < 30; limb += 10) {
      scanTenLimbs(out + (limb << 4), row + (limb << 2), stride, entries, masks);
    }
    scanTenLimbs(out + 16 * 27, row + 4 * 27, stride, entries, masks);
    out += BYTES;
    row += ENTRY_BYTES;
  }
}
