// The base field of NIST P-256 on fused multiply-add, two elements at once.
//
// An element vector is 5 limbs of 52 bits, each an exact non-negative double, limb i of lane l at 16 i + 8 l. Values
// are in Montgomery form with R = 2^260 and below 2^257: limbs below 2^52, the last below 2^49. Whatever this module
// returns is a legal operand for everything:
// - a product: quotient digits below 2^57, the last below 2^52, make q < 2^260 + 2^214, so
//   (a b + q p) / R < 2^254 + (1 + 2^-46) p < 1.26 p; two products summed before the reduction < 1.51 p;
// - a sum or difference: s = a + b + p, a - b + 4 p, 3 (a + b) + p, a - 2 b + 8 p or 2 (a - b) + 8 p is not negative and
//   below 13 2^256, and h is its last limb without the carry into it, over 2^48; s - h p < 2^256 + h 2^224 + 16 2^208 <
//   2^256 + 2^228.
//
// Products of limbs are summed in integer columns as in fma/field.ts. p = 2^256 - 2^224 + 2^192 + 2^96 - 1, so
// -1/p = 1 mod 2^52: a column t is its own quotient digit, and adding t p clears it and adds t (p + 1), which is shifts.
// Two products and their reduction leave a column between -12 2^51 and 40 2^51; with the bias of 2^55 it is positive and
// below 2^57.

import { column } from "../memory/column-bounds";
import { ADDEND, MAGIC, TRIPLE_ADDEND, ONE, R_SQUARED, START_1, START_2, SUBTRAHEND,
    TWICE_SUBTRAHEND } from "../generated/fma-p256";
import { workspace } from "../memory/workspace";
import { MASK_BYTES, high, low, selectionMasks, toDouble, toInteger } from "./vectors";

export { MASK_BYTES, ONE, R_SQUARED, selectionMasks };

export const LIMBS: i32 = 5;
/** Octets of an element vector. */
export const BYTES: usize = 80;
/** Octets of one element in a table: its limbs without lanes. */
export const ENTRY_BYTES: usize = 40;

const MASK52: u64 = 0xfffffffffffff;

/** Columns of a b added to the 10 at `src`, stored at `t`. A loop: unrolled, V8 hoists the loads and spills. */
function product(t: usize, a: usize, b: usize, src: usize): void {
  const c1 = v128.load(MAGIC), c2 = v128.load(MAGIC, 16);
  const b0 = v128.load(b), b1 = v128.load(b, 16), b2 = v128.load(b, 32), b3 = v128.load(b, 48), b4 = v128.load(b, 64);
  let t0 = v128.load(src), t1 = v128.load(src, 16), t2 = v128.load(src, 32), t3 = v128.load(src, 48);
  let t4 = v128.load(src, 64), h: v128;
  for (let i: usize = 0; i < BYTES; i += 16) {
    const x = v128.load(a + i);
    h = high(x, b0, c1);
    const done = i64x2.sub(t0, low(x, b0, h, c2));
    t0 = i64x2.add(t1, h);
    h = high(x, b1, c1);
    t0 = i64x2.sub(t0, low(x, b1, h, c2));
    t1 = i64x2.add(t2, h);
    h = high(x, b2, c1);
    t1 = i64x2.sub(t1, low(x, b2, h, c2));
    t2 = i64x2.add(t3, h);
    h = high(x, b3, c1);
    t2 = i64x2.sub(t2, low(x, b3, h, c2));
    t3 = i64x2.add(t4, h);
    h = high(x, b4, c1);
    t3 = i64x2.sub(t3, low(x, b4, h, c2));
    t4 = i64x2.add(v128.load(src + i, 80), h);
    v128.store(t + i, done);
  }
  v128.store(t, t0, 80);
  v128.store(t, t1, 96);
  v128.store(t, t2, 112);
  v128.store(t, t3, 128);
  v128.store(t, t4, 144);
}

/** Columns of a^2, stored at `t`. */
function square(t: usize, a: usize): void {
  const c1 = v128.load(MAGIC), c2 = v128.load(MAGIC, 16), zero = i64x2.splat(0);
  const a0 = v128.load(a), a1 = v128.load(a, 16), a2 = v128.load(a, 32), a3 = v128.load(a, 48), a4 = v128.load(a, 64);
  // s: products of different limbs in this column, to be doubled; n: those in the next; d: the column, e: the next.
  let h: v128, s: v128, n: v128, d: v128, e: v128;
  h = high(a0, a0, c1);
  v128.store(t, i64x2.sub(v128.load(START_1), low(a0, a0, h, c2)));
  e = i64x2.add(v128.load(START_1, 16), h);
  n = high(a0, a1, c1);
  s = i64x2.sub(zero, low(a0, a1, n, c2));
  v128.store(t, i64x2.add(e, i64x2.add(s, s)), 16);
  h = high(a0, a2, c1);
  s = i64x2.sub(n, low(a0, a2, h, c2));
  n = h;
  h = high(a1, a1, c1);
  d = i64x2.sub(v128.load(START_1, 32), low(a1, a1, h, c2));
  e = i64x2.add(v128.load(START_1, 48), h);
  v128.store(t, i64x2.add(d, i64x2.add(s, s)), 32);
  h = high(a0, a3, c1);
  s = i64x2.sub(n, low(a0, a3, h, c2));
  n = high(a1, a2, c1);
  s = i64x2.sub(s, low(a1, a2, n, c2));
  n = i64x2.add(n, h);
  v128.store(t, i64x2.add(e, i64x2.add(s, s)), 48);
  h = high(a0, a4, c1);
  s = i64x2.sub(n, low(a0, a4, h, c2));
  n = high(a1, a3, c1);
  s = i64x2.sub(s, low(a1, a3, n, c2));
  n = i64x2.add(n, h);
  h = high(a2, a2, c1);
  d = i64x2.sub(v128.load(START_1, 64), low(a2, a2, h, c2));
  e = i64x2.add(v128.load(START_1, 80), h);
  v128.store(t, i64x2.add(d, i64x2.add(s, s)), 64);
  h = high(a1, a4, c1);
  s = i64x2.sub(n, low(a1, a4, h, c2));
  n = high(a2, a3, c1);
  s = i64x2.sub(s, low(a2, a3, n, c2));
  n = i64x2.add(n, h);
  v128.store(t, i64x2.add(e, i64x2.add(s, s)), 80);
  h = high(a2, a4, c1);
  s = i64x2.sub(n, low(a2, a4, h, c2));
  n = h;
  h = high(a3, a3, c1);
  d = i64x2.sub(v128.load(START_1, 96), low(a3, a3, h, c2));
  e = i64x2.add(v128.load(START_1, 112), h);
  v128.store(t, i64x2.add(d, i64x2.add(s, s)), 96);
  h = high(a3, a4, c1);
  s = i64x2.sub(n, low(a3, a4, h, c2));
  v128.store(t, i64x2.add(e, i64x2.add(s, s)), 112);
  n = h;
  h = high(a4, a4, c1);
  d = i64x2.sub(v128.load(START_1, 128), low(a4, a4, h, c2));
  v128.store(t, i64x2.add(d, i64x2.add(n, n)), 128);
  v128.store(t, i64x2.add(v128.load(START_1, 144), h), 144);
}

/** The part of v 2^bits below 2^52. */
@inline function below(v: v128, bits: i32, mask: v128): v128 {
  return v128.and(i64x2.shl(v, bits), mask);
}

/** (2^256 - 2^224) v / 2^208 below 2^52, v's contribution four columns up, with the overflow of 2^192 v. */
@inline function fourUp(v: v128, mask: v128): v128 {
  return i64x2.add(i64x2.shr_u(v, 16), i64x2.sub(below(v, 48, mask), below(v, 16, mask)));
}

/** v's contribution five columns up. */
@inline function fiveUp(v: v128): v128 {
  return i64x2.sub(i64x2.shr_u(v, 4), i64x2.shr_u(v, 36));
}

/**
 * Montgomery reduction of the 10 columns at `t`: t_k (p + 1) 2^(52 k) is added for k = 0..4. Only the last digit has
 * to be below 2^52 for the bound of the result, so only its column is carried first.
 */
function reduce(out: usize, t: usize): void {
  const mask = v128.load(MAGIC, 32), e52 = v128.load(MAGIC, 48);
  const t0 = v128.load(t);
  const t1 = i64x2.add(v128.load(t, 16), below(t0, 44, mask));
  const t2 = i64x2.add(i64x2.add(v128.load(t, 32), i64x2.shr_u(t0, 8)), below(t1, 44, mask));
  let t3 = i64x2.add(i64x2.add(v128.load(t, 48), below(t0, 36, mask)), i64x2.shr_u(t1, 8));
  t3 = i64x2.add(t3, below(t2, 44, mask));
  let t4 = i64x2.add(i64x2.add(v128.load(t, 64), fourUp(t0, mask)), below(t1, 36, mask));
  t4 = i64x2.add(i64x2.add(t4, i64x2.shr_u(t2, 8)), below(t3, 44, mask));
  column(t0, 0, 57);
  column(t1, 0, 57);
  column(t2, 0, 57);
  column(t3, 0, 57);
  column(t4, 0, 57);
  const last = v128.and(t4, mask);
  let r = i64x2.add(i64x2.add(v128.load(t, 80), fiveUp(t0)), fourUp(t1, mask));
  r = i64x2.add(i64x2.add(r, below(t2, 36, mask)), i64x2.shr_u(t3, 8));
  r = i64x2.add(i64x2.add(r, i64x2.shr_u(t4, 52)), below(last, 44, mask));
  column(r, 0, 57);
  v128.store(out, toDouble(r, mask, e52));
  let s = i64x2.add(i64x2.add(v128.load(t, 96), fiveUp(t1)), fourUp(t2, mask));
  s = i64x2.add(i64x2.add(s, below(t3, 36, mask)), i64x2.shr_u(last, 8));
  r = i64x2.add(s, i64x2.shr_u(r, 52));
  column(r, 0, 57);
  v128.store(out, toDouble(r, mask, e52), 16);
  s = i64x2.add(i64x2.add(v128.load(t, 112), fiveUp(t2)), fourUp(t3, mask));
  s = i64x2.add(s, below(last, 36, mask));
  r = i64x2.add(s, i64x2.shr_u(r, 52));
  column(r, 0, 57);
  v128.store(out, toDouble(r, mask, e52), 32);
  s = i64x2.add(i64x2.add(v128.load(t, 128), fiveUp(t3)), fourUp(last, mask));
  r = i64x2.add(s, i64x2.shr_u(r, 52));
  column(r, 0, 57);
  v128.store(out, toDouble(r, mask, e52), 48);
  s = i64x2.add(v128.load(t, 144), fiveUp(last));
  r = i64x2.add(s, i64x2.shr_u(r, 52));
  column(r, 0, 57);
  v128.store(out, toDouble(r, mask, e52), 64);
}

/** out = a b / R. */
export function mul(out: usize, a: usize, b: usize): void {
  product(workspace, a, b, START_1);
  reduce(out, workspace);
}

/** out = a^2 / R. */
export function sqr(out: usize, a: usize): void {
  square(workspace, a);
  reduce(out, workspace);
}

/** out = (a b + c d) / R with one reduction. */
export function mulAddMul(out: usize, a: usize, b: usize, c: usize, d: usize): void {
  product(workspace, a, b, START_2);
  product(workspace, c, d, workspace);
  reduce(out, workspace);
}

/** Takes h p off the limbs s0..s4 and carries. The start values of the limbs keep them positive. */
@inline function fold(out: usize, s0: v128, s1: v128, s2: v128, s3: v128, s4: v128): void {
  const mask = v128.load(MAGIC, 32), e52 = v128.load(MAGIC, 48), top = v128.load(MAGIC, 64);
  const h = i64x2.shr_u(s4, 48);
  let s = i64x2.add(s0, h);
  v128.store(out, toDouble(s, mask, e52));
  s = i64x2.add(i64x2.sub(s1, i64x2.shl(h, 44)), i64x2.shr_u(s, 52));
  v128.store(out, toDouble(s, mask, e52), 16);
  s = i64x2.add(s2, i64x2.shr_u(s, 52));
  v128.store(out, toDouble(s, mask, e52), 32);
  s = i64x2.add(i64x2.sub(s3, i64x2.shl(h, 36)), i64x2.shr_u(s, 52));
  v128.store(out, toDouble(s, mask, e52), 48);
  s = i64x2.add(i64x2.add(v128.and(s4, top), i64x2.shl(h, 16)), i64x2.shr_u(s, 52));
  v128.store(out, toDouble(s, mask, e52), 64);
}

/** Limb a + b: the bits of (a + 2^52) and (b + 2^52) are added as integers, ADDEND takes the exponents out again. */
@inline function sumLimb(a: usize, b: usize, i: usize, e52: v128): v128 {
  const x = i64x2.add(f64x2.add(v128.load(a + i), e52), f64x2.add(v128.load(b + i), e52));
  return i64x2.add(x, v128.load(ADDEND + i));
}

/** Limb a - b of a - b + 4 p. */
@inline function differenceLimb(a: usize, b: usize, i: usize, e52: v128): v128 {
  const x = i64x2.sub(f64x2.add(v128.load(a + i), e52), f64x2.add(v128.load(b + i), e52));
  return i64x2.add(x, v128.load(SUBTRAHEND + i));
}

/** out = a + b. */
export function add(out: usize, a: usize, b: usize): void {
  const e52 = v128.load(MAGIC, 48);
  fold(
    out, sumLimb(a, b, 0, e52), sumLimb(a, b, 16, e52), sumLimb(a, b, 32, e52), sumLimb(a, b, 48, e52),
    sumLimb(a, b, 64, e52),
  );
}

/** out = a - b. The level, for the other field's sake, does not matter. */
export function sub(out: usize, a: usize, b: usize, level: i32): void {
  const e52 = v128.load(MAGIC, 48);
  fold(
    out, differenceLimb(a, b, 0, e52), differenceLimb(a, b, 16, e52), differenceLimb(a, b, 32, e52),
    differenceLimb(a, b, 48, e52), differenceLimb(a, b, 64, e52),
  );
}

/** Limb 3 (a + b) of 3 (a + b) + p. */
@inline function tripleLimb(a: usize, b: usize, i: usize, e52: v128, mask: v128): v128 {
  const x = v128.and(f64x2.add(v128.load(a + i), e52), mask), y = v128.and(f64x2.add(v128.load(b + i), e52), mask);
  const s = i64x2.add(x, y);
  return i64x2.add(i64x2.add(i64x2.shl(s, 1), s), v128.load(TRIPLE_ADDEND + i));
}

/** out = 3 (a + b). */
export function tripleSum(out: usize, a: usize, b: usize): void {
  const mask = v128.load(MAGIC, 32), e52 = v128.load(MAGIC, 48);
  fold(
    out, tripleLimb(a, b, 0, e52, mask), tripleLimb(a, b, 16, e52, mask), tripleLimb(a, b, 32, e52, mask),
    tripleLimb(a, b, 48, e52, mask), tripleLimb(a, b, 64, e52, mask),
  );
}

/** Limb a - 2 b of a - 2 b + 8 p. */
@inline function minusTwiceLimb(a: usize, b: usize, i: usize, e52: v128, mask: v128): v128 {
  const y = f64x2.add(v128.load(b + i), e52), x = i64x2.sub(f64x2.add(v128.load(a + i), e52), y);
  return i64x2.add(i64x2.sub(x, v128.and(y, mask)), v128.load(TWICE_SUBTRAHEND + i));
}

/** out = a - 2 b. */
export function minusTwice(out: usize, a: usize, b: usize): void {
  const mask = v128.load(MAGIC, 32), e52 = v128.load(MAGIC, 48);
  fold(
    out, minusTwiceLimb(a, b, 0, e52, mask), minusTwiceLimb(a, b, 16, e52, mask), minusTwiceLimb(a, b, 32, e52, mask),
    minusTwiceLimb(a, b, 48, e52, mask), minusTwiceLimb(a, b, 64, e52, mask),
  );
}

/** Limb 2 (a - b) of 2 (a - b) + 8 p. */
@inline function twiceDifferenceLimb(a: usize, b: usize, i: usize, e52: v128): v128 {
  const x = i64x2.sub(f64x2.add(v128.load(a + i), e52), f64x2.add(v128.load(b + i), e52));
  return i64x2.add(i64x2.shl(x, 1), v128.load(TWICE_SUBTRAHEND + i));
}

/** out = 2 (a - b). */
export function twiceDifference(out: usize, a: usize, b: usize): void {
  const e52 = v128.load(MAGIC, 48);
  fold(
    out, twiceDifferenceLimb(a, b, 0, e52), twiceDifferenceLimb(a, b, 16, e52), twiceDifferenceLimb(a, b, 32, e52),
    twiceDifferenceLimb(a, b, 48, e52), twiceDifferenceLimb(a, b, 64, e52),
  );
}

/** Sets the lane to an integer below 2^256 of 8 words, least significant first (not in Montgomery form). */
export function setWords(out: usize, lane: i32, words: usize): void {
  const w0 = load<u64>(words), w1 = load<u64>(words, 8), w2 = load<u64>(words, 16), w3 = load<u64>(words, 24);
  out += <usize>lane << 3;
  store<f64>(out, <f64><i64>(w0 & MASK52));
  store<f64>(out, <f64><i64>(((w0 >> 52) | (w1 << 12)) & MASK52), 16);
  store<f64>(out, <f64><i64>(((w1 >> 40) | (w2 << 24)) & MASK52), 32);
  store<f64>(out, <f64><i64>(((w2 >> 28) | (w3 << 36)) & MASK52), 48);
  store<f64>(out, <f64><i64>(w3 >> 16), 64);
}

/** Reads the lane as an integer of 8 words reduced mod p (not in Montgomery form). */
export function getWords(words: usize, a: usize, lane: i32): void {
  a += <usize>lane << 3;
  let l0 = toInteger(load<f64>(a)), l1 = toInteger(load<f64>(a, 16)), l2 = toInteger(load<f64>(a, 32));
  let l3 = toInteger(load<f64>(a, 48)), l4 = toInteger(load<f64>(a, 64));
  // A value below 2^257 is below 3 p.
  for (let round = 0; round < 2; round++) {
    const d0 = l0 - MASK52;
    const d1 = l1 - 0xfffffffffff + <u64>(<i64>d0 >> 52);
    const d2 = l2 + <u64>(<i64>d1 >> 52);
    const d3 = l3 - 0x1000000000 + <u64>(<i64>d2 >> 52);
    const d4 = l4 - 0xffffffff0000 + <u64>(<i64>d3 >> 52);
    const keep = <u64>(<i64>d4 >> 63);
    l0 = (l0 & keep) | (d0 & MASK52 & ~keep);
    l1 = (l1 & keep) | (d1 & MASK52 & ~keep);
    l2 = (l2 & keep) | (d2 & MASK52 & ~keep);
    l3 = (l3 & keep) | (d3 & MASK52 & ~keep);
    l4 = (l4 & keep) | (d4 & MASK52 & ~keep);
  }
  store<u64>(words, l0 | (l1 << 52));
  store<u64>(words, (l1 >> 12) | (l2 << 40), 8);
  store<u64>(words, (l2 >> 24) | (l3 << 28), 16);
  store<u64>(words, (l3 >> 36) | (l4 << 16), 24);
}

/**
 * Adds to `out` the sum of mask times entry over a whole row, so every entry is read whatever the index. The masks are
 * 0 or 1 and at most one is 1, so the fused product is the entry itself or 0.
 */
export function scanRow(out: usize, row: usize, entries: i32, elements: i32, masks: usize): void {
  const stride = ENTRY_BYTES * <usize>elements;
  for (let element = 0; element < elements; element++) {
    let s0 = v128.load(out), s1 = v128.load(out, 16), s2 = v128.load(out, 32), s3 = v128.load(out, 48);
    let s4 = v128.load(out, 64), entry = row;
    for (let e = 0; e < entries; e++) {
      const m = v128.load(masks + (<usize>e << 4));
      s0 = f64x2.relaxed_madd(v128.load64_splat(entry), m, s0);
      s1 = f64x2.relaxed_madd(v128.load64_splat(entry, 8), m, s1);
      s2 = f64x2.relaxed_madd(v128.load64_splat(entry, 16), m, s2);
      s3 = f64x2.relaxed_madd(v128.load64_splat(entry, 24), m, s3);
      s4 = f64x2.relaxed_madd(v128.load64_splat(entry, 32), m, s4);
      entry += stride;
    }
    v128.store(out, s0);
    v128.store(out, s1, 16);
    v128.store(out, s2, 32);
    v128.store(out, s3, 48);
    v128.store(out, s4, 64);
    out += BYTES;
    row += ENTRY_BYTES;
  }
}
