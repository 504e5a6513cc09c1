// F_p of SAKKE parameter set 1 on fused multiply-add, two elements at once.
//
// An element vector is 20 limbs of 52 bits, each an exact non-negative double, limb i of lane l at 16 i + 8 l.
// Values are in Montgomery form with R = 2^1040 and are not fully reduced: limbs are always below 2^52, the value
// below 2^1040 = 109,000 p. For operands below A p and B p a product is below (1.548 + A B / 109,000) p, so nothing
// needs a final subtraction while A B stays below 76,000 (then the result is below 2.25 p). 0.548 is the quotient
// multiple -1/p mod 2^104 over 2^104.
//
// Product of two limbs, rounding to nearest:  h = fma(a, b, 2^104)             bits(h) = bits(2^104) + m
//                                             l = fma(a, b, 2^104 - 1.5 2^52 - h)   bits(l) = LOW_BITS - lo
// with a b = m 2^52 + lo and |lo| <= 2^51. Bit patterns are linear in m and lo, so columns add them up as integers;
// the start value of a column takes the constants back out (tools/generate-constants.mjs).
// |column| < 2^58 for one product with its reduction and < 2^59 for two; the bias of 2^60 keeps columns positive.

import { LEVELS, MAGIC, MODULUS_INTEGERS, ONE, R_SQUARED, START_1, START_2 } from "../generated/fma";
import { workspace } from "../memory/workspace";
import { product, reduce, reduceMinus, reduceMinusBoth, square } from "./columns";
import { MASK_BYTES, entryMasks, scanLane, scanRow, selectionMasks } from "./scan";
import { toDouble } from "./vectors";

export { MASK_BYTES, ONE, R_SQUARED, entryMasks, scanLane, scanRow, selectionMasks };

export const LIMBS: i32 = 20;
/** Octets of an element vector. */
export const BYTES: usize = 320;
/** Octets of one element in a table: its limbs without lanes. */
export const ENTRY_BYTES: usize = 160;
/** Multiples of p: values stay below LIMIT, A B of a product below PRODUCTS, a value that getWords takes below REDUCIBLE. */
export const LIMIT: f64 = 109313;
export const PRODUCTS: f64 = 76000;
export const REDUCIBLE: f64 = 3;

/** out = a b / R. */
export function mul(out: usize, a: usize, b: usize): void {
  product(workspace, a, b, START_1, START_1 + 320);
  reduce(out, workspace);
}

/** out = a^2 / R. */
export function sqr(out: usize, a: usize): void {
  square(workspace, a);
  reduce(out, workspace);
}

/** out = a b / R - c + K p, with the K of `level` as in sub. */
export function mulMinus(out: usize, a: usize, b: usize, c: usize, level: i32): void {
  product(workspace, a, b, START_1, START_1 + 320);
  reduceMinus(out, workspace, c, LEVELS + <usize>level * BYTES);
}

/** out = s^2 / R - (a + b) + K p with the K of `level`, and difference = a - out + K p with that of the next. */
export function sqrMinusBoth(out: usize, s: usize, a: usize, b: usize, level: i32, difference: usize): void {
  const multiple = LEVELS + <usize>level * BYTES;
  square(workspace, s);
  reduceMinusBoth(out, workspace, a, b, multiple, difference, multiple + BYTES);
}

/** out = (a b + c d) / R with one reduction. */
export function mulAddMul(out: usize, a: usize, b: usize, c: usize, d: usize): void {
  product(workspace, a, b, START_2, START_2 + 320);
  product(workspace, c, d, workspace, workspace + 320);
  reduce(out, workspace);
}

/** out = a + b. */
export function add(out: usize, a: usize, b: usize): void {
  const mask = v128.load(MAGIC, 32), e52 = v128.load(MAGIC, 48);
  let carry = i64x2.splat(0);
  for (let i: usize = 0; i < BYTES; i += 16) {
    // The sum of two limbs is below 2^53, so the integer is read off the bits of (a + 2^52) and (b + 2^52) apart.
    const x = v128.and(f64x2.add(v128.load(a + i), e52), mask);
    const y = v128.and(f64x2.add(v128.load(b + i), e52), mask);
    const s = i64x2.add(i64x2.add(x, y), carry);
    v128.store(out + i, toDouble(s, mask, e52));
    carry = i64x2.shr_u(s, 52);
  }
}

/** out = 2^shift a, shift <= 3, and once more a where `plus` is all ones. */
export function scale(out: usize, a: usize, shift: i32, plus: v128): void {
  const mask = v128.load(MAGIC, 32), e52 = v128.load(MAGIC, 48);
  let carry = i64x2.splat(0);
  for (let i: usize = 0; i < BYTES; i += 16) {
    const x = v128.and(f64x2.add(v128.load(a + i), e52), mask);
    const s = i64x2.add(i64x2.add(i64x2.shl(x, shift), v128.and(x, plus)), carry);
    v128.store(out + i, toDouble(s, mask, e52));
    carry = i64x2.shr_u(s, 52);
  }
}

/**
 * out = a - b + K p with K = 3, 5, 8, 15, 18, 35, 38, 75, ... for level 0, 1, 2, ... (SUBTRACTION_MULTIPLES), for b
 * below K p; the result is below a + K p.
 */
export function sub(out: usize, a: usize, b: usize, level: i32): void {
  const mask = v128.load(MAGIC, 32), e52 = v128.load(MAGIC, 48);
  const multiple = LEVELS + <usize>level * BYTES;
  let carry = i64x2.splat(0);
  for (let i: usize = 0; i < BYTES; i += 16) {
    const x = i64x2.sub(f64x2.add(v128.load(a + i), e52), f64x2.add(v128.load(b + i), e52));
    const s = i64x2.add(i64x2.add(x, v128.load(multiple + i)), carry);
    v128.store(out + i, toDouble(s, mask, e52));
    carry = i64x2.shr_u(s, 52);
  }
}

/** Sets the lane to an integer below 2^1024 of 32 words, least significant first (not in Montgomery form). */
export function setWords(out: usize, lane: i32, words: usize): void {
  out += <usize>lane << 3;
  for (let i = 0; i < LIMBS; i++) {
    const bit = 52 * i;
    // The last limb has 36 bits: its load ends with the last word.
    const limb = i < LIMBS - 1
      ? (load<u64>(words + <usize>(bit >> 3)) >> (bit & 7)) & 0xfffffffffffff
      : load<u64>(words + 120) >> 28;
    store<f64>(out + (<usize>i << 4), <f64>limb);
  }
}

/** Reads the lane as an integer of 32 words reduced mod p, for a value below 3 p (not in Montgomery form). */
export function getWords(words: usize, a: usize, lane: i32): void {
  const limbs = workspace, reduced = workspace + 160;
  a += <usize>lane << 3;
  for (let i: usize = 0; i < <usize>LIMBS; i++) store<u64>(limbs + (i << 3), <u64>load<f64>(a + (i << 4)));
  for (let round = 0; round < 2; round++) {
    let borrow: i64 = 0;
    for (let i: usize = 0; i < 160; i += 8) {
      const d = <i64>load<u64>(limbs + i) - <i64>load<u64>(MODULUS_INTEGERS + i) + borrow;
      store<u64>(reduced + i, d & 0xfffffffffffff);
      borrow = d >> 52;
    }
    // borrow is -1 when the value was below p: keep it then.
    for (let i: usize = 0; i < 160; i += 8) {
      const r = load<u64>(reduced + i);
      store<u64>(limbs + i, r ^ ((r ^ load<u64>(limbs + i)) & <u64>borrow));
    }
  }
  for (let i: usize = 0; i < 10; i++) {
    const lo = load<u64>(limbs + (i << 4)), hi = load<u64>(limbs + (i << 4), 8);
    store<u64>(words + 13 * i, lo | (hi << 52));
    store<u16>(words + 13 * i, <u16>(hi >> 12), 8);
    store<u8>(words + 13 * i, <u8>(hi >> 28), 10);
    if (i < 9) store<u16>(words + 13 * i, <u16>(hi >> 36), 11);
  }
  memory.fill(limbs, 0, 320);
}
