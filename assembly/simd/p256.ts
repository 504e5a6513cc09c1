// The base field of NIST P-256 on plain SIMD integers, four elements at once.
//
// An element vector is 10 limbs of 28 bits in lanes of 32, limb i of lane l at 16 i + 4 l. Values are in Montgomery form
// with R = 2^280 and below 2^257: limbs below 2^28, the last below 2^5. Whatever this module returns is a legal operand
// for everything:
// - a product, also a sum of two, is below 2 2^514 / R + p = p + 2^235;
// - a sum or difference: s = a + b, a - b + 4 p, 3 (a + b), a - 2 b + 8 p or 2 (a - b) + 8 p is not negative and below
//   13 2^256, and h is its last limb without the carry into it, over 2^4; s - h p < 2^256 + h 2^224 + 7 2^252 < 2^257. It
//   is not negative: h 2^256 <= s, because the limbs of the 4 p and 8 p are such that the nine lower ones of s together
//   are not negative, and p < 2^256.
//
// p = 2^256 - 2^224 + 2^192 + 2^96 - 1, so -1/p = 1 mod 2^28: a column's low 28 bits v are its own quotient digit, and
// v p clears them and adds v 2^96 + v 2^192 + v (2^32 - 1) 2^224: 3 limbs and 12 bits, 6 limbs and 24 bits, 8 limbs up.
// A column is a sum of at most 20 products below 2^56, one v (2^32 - 1) and less: below 2^62.

import { column, columns } from "../memory/column-bounds";
import { MODULUS, ONE, R_SQUARED, SUBTRAHEND, TWICE_SUBTRAHEND } from "../generated/simd-p256";
import { workspace } from "../memory/workspace";
import {
  MASK_BYTES, addProduct, laneToWords, pack, product, scanTenLimbs, selectionMasks, square, wordsToLane,
} from "./vectors";

export { MASK_BYTES, ONE, R_SQUARED, selectionMasks };

export const LIMBS: i32 = 10;
/** Octets of an element vector. */
export const BYTES: usize = 160;
/** Octets of one element in a table: its limbs without lanes. */
export const ENTRY_BYTES: usize = 40;

const MASK28: i32 = 0xfffffff;

/** Adds v (p + 1) / 2^96 three columns above `t`, for half of the lanes. */
@inline function addDigit(t: usize, v: v128): void {
  v128.store(t, i64x2.add(v128.load(t, 96), i64x2.shl(v, 12)), 96);
  v128.store(t, i64x2.add(v128.load(t, 192), i64x2.shl(v, 24)), 192);
  v128.store(t, i64x2.add(v128.load(t, 256), i64x2.sub(i64x2.shl(v, 32), v)), 256);
}

/** Montgomery reduction of the 20 columns at `t`. `pair`: see vectors.ts. */
@inline function reduceWith(out: usize, t: usize, pair: bool): void {
  const wide = i64x2.splat(MASK28), mask = i32x4.splat(MASK28);
  let low = i64x2.splat(0), high = low;
  for (let i = 0; i < LIMBS; i++) {
    low = i64x2.add(v128.load(t), low);
    if (!ASC_NO_ASSERT) column(low, 0, 62);
    addDigit(t, v128.and(low, wide));
    low = i64x2.shr_u(low, 28);
    if (!pair) {
      high = i64x2.add(v128.load(t, 16), high);
      if (!ASC_NO_ASSERT) column(high, 0, 62);
      addDigit(t + 16, v128.and(high, wide));
      high = i64x2.shr_u(high, 28);
    }
    t += 32;
  }
  for (let i: usize = 0; i < BYTES; i += 16) {
    low = i64x2.add(v128.load(t), low);
    high = pair ? low : i64x2.add(v128.load(t, 16), high);
    if (!ASC_NO_ASSERT) columns(low, high, 62);
    v128.store(out + i, v128.and(pack(low, high), mask));
    low = i64x2.shr_u(low, 28);
    high = pair ? low : i64x2.shr_u(high, 28);
    t += 32;
  }
}

function reduce(out: usize, t: usize): void {
  reduceWith(out, t, false);
}

function reducePair(out: usize, t: usize): void {
  reduceWith(out, t, true);
}

/** out = a b / R. */
export function mul(out: usize, a: usize, b: usize): void {
  product(workspace, a, b, LIMBS, false);
  reduce(out, workspace);
}

/** out = a^2 / R. */
export function sqr(out: usize, a: usize): void {
  square(workspace, a, LIMBS, false);
  reduce(out, workspace);
}

/** out = (a b + c d) / R with one reduction. */
export function mulAddMul(out: usize, a: usize, b: usize, c: usize, d: usize): void {
  product(workspace, a, b, LIMBS, false);
  addProduct(workspace, c, LIMBS, d, LIMBS, false);
  reduce(out, workspace);
}

/** As mul where both pairs of lanes are the same. */
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
  product(workspace, a, b, LIMBS, true);
  addProduct(workspace, c, LIMBS, d, LIMBS, true);
  reducePair(out, workspace);
}

/** Takes h p off the 10 limbs at `s`, each between -2^29 and 6 2^28, and carries. */
@inline function fold(out: usize, s: usize): void {
  const mask = i32x4.splat(MASK28);
  const top = v128.load(s, 144), h = i32x4.shr_u(top, 4);
  v128.store(s, i32x4.add(v128.load(s), h));
  v128.store(s, i32x4.sub(v128.load(s, 48), i32x4.shl(h, 12)), 48);
  v128.store(s, i32x4.sub(v128.load(s, 96), i32x4.shl(h, 24)), 96);
  v128.store(s, i32x4.add(v128.load(s, 128), h), 128);
  v128.store(s, v128.and(top, i32x4.splat(15)), 144);
  let c = i32x4.splat(0);
  for (let i: usize = 0; i < BYTES; i += 16) {
    c = i32x4.add(v128.load(s + i), i32x4.shr_s(c, 28));
    v128.store(out + i, v128.and(c, mask));
  }
}

/** out = a + b. */
export function add(out: usize, a: usize, b: usize): void {
  const s = workspace;
  for (let i: usize = 0; i < BYTES; i += 16) v128.store(s + i, i32x4.add(v128.load(a + i), v128.load(b + i)));
  fold(out, s);
}

/** out = a - b. The level, for the other field's sake, does not matter. */
export function sub(out: usize, a: usize, b: usize, level: i32): void {
  const s = workspace;
  for (let i: usize = 0; i < BYTES; i += 16) {
    const d = i32x4.sub(v128.load(a + i), v128.load(b + i));
    v128.store(s + i, i32x4.add(d, v128.load32_splat(SUBTRAHEND + (i >> 2))));
  }
  fold(out, s);
}

/** out = 3 (a + b). */
export function tripleSum(out: usize, a: usize, b: usize): void {
  const s = workspace;
  for (let i: usize = 0; i < BYTES; i += 16) {
    const x = i32x4.add(v128.load(a + i), v128.load(b + i));
    v128.store(s + i, i32x4.add(i32x4.shl(x, 1), x));
  }
  fold(out, s);
}

/** out = a - 2 b. */
export function minusTwice(out: usize, a: usize, b: usize): void {
  const s = workspace;
  for (let i: usize = 0; i < BYTES; i += 16) {
    const d = i32x4.sub(v128.load(a + i), i32x4.shl(v128.load(b + i), 1));
    v128.store(s + i, i32x4.add(d, v128.load32_splat(TWICE_SUBTRAHEND + (i >> 2))));
  }
  fold(out, s);
}

/** out = 2 (a - b). */
export function twiceDifference(out: usize, a: usize, b: usize): void {
  const s = workspace;
  for (let i: usize = 0; i < BYTES; i += 16) {
    const d = i32x4.shl(i32x4.sub(v128.load(a + i), v128.load(b + i)), 1);
    v128.store(s + i, i32x4.add(d, v128.load32_splat(TWICE_SUBTRAHEND + (i >> 2))));
  }
  fold(out, s);
}

/** Sets the lane to an integer below 2^256 of 8 words, least significant first (not in Montgomery form). */
export function setWords(out: usize, lane: i32, words: usize): void {
  wordsToLane(out, lane, words, 8, LIMBS);
}

/** Reads the lane, below 2^257 < 3 p, as an integer of 8 words reduced mod p (not in Montgomery form). */
export function getWords(words: usize, a: usize, lane: i32): void {
  laneToWords(words, 8, a, lane, MODULUS, BYTES, 2);
}

/** Joins `out` with the masked entries of a whole row, so every entry is read whatever the index. */
export function scanRow(out: usize, row: usize, entries: i32, elements: i32, masks: usize): void {
  const stride = ENTRY_BYTES * <usize>elements;
  for (let element = 0; element < elements; element++) {
    scanTenLimbs(out, row, stride, entries, masks);
    out += BYTES;
    row += ENTRY_BYTES;
  }
}
