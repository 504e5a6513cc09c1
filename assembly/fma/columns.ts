// Products, squares and the Montgomery reduction of assembly/fma/field.ts, on columns: 40 vectors of 64-bit integers,
// column k of weight 2^(52 k), that collect the bit patterns of fused products of limbs.

import { column } from "../memory/column-bounds";
import { MAGIC, MODULUS, ROW, START_1 } from "../generated/fma";
import { high, low, toDouble } from "./vectors";

const LIMBS: i32 = 20;

/**
 * Columns of (a_0 + a_1 2^52) b added to those at `src`, stored at `t`. Two rows at a time: more would spill
 * registers. The last two columns start from `fresh`.
 */
@inline function addRows(t: usize, a0: v128, a1: v128, b: usize, src: usize, fresh: usize, c1: v128, c2: v128): void {
  let t0 = v128.load(src), t1 = v128.load(src, 16);
  let x: v128, h0: v128, h1: v128;
  for (let j = 0; j < 3; j++) {
    x = v128.load(b);
    h0 = high(a0, x, c1);
    h1 = high(a1, x, c1);
    v128.store(t, i64x2.sub(t0, low(a0, x, h0, c2)));
    t0 = i64x2.sub(i64x2.add(t1, h0), low(a1, x, h1, c2));
    t1 = i64x2.add(v128.load(src, 32), h1);
    x = v128.load(b, 16);
    h0 = high(a0, x, c1);
    h1 = high(a1, x, c1);
    v128.store(t, i64x2.sub(t0, low(a0, x, h0, c2)), 16);
    t0 = i64x2.sub(i64x2.add(t1, h0), low(a1, x, h1, c2));
    t1 = i64x2.add(v128.load(src, 48), h1);
    x = v128.load(b, 32);
    h0 = high(a0, x, c1);
    h1 = high(a1, x, c1);
    v128.store(t, i64x2.sub(t0, low(a0, x, h0, c2)), 32);
    t0 = i64x2.sub(i64x2.add(t1, h0), low(a1, x, h1, c2));
    t1 = i64x2.add(v128.load(src, 64), h1);
    x = v128.load(b, 48);
    h0 = high(a0, x, c1);
    h1 = high(a1, x, c1);
    v128.store(t, i64x2.sub(t0, low(a0, x, h0, c2)), 48);
    t0 = i64x2.sub(i64x2.add(t1, h0), low(a1, x, h1, c2));
    t1 = i64x2.add(v128.load(src, 80), h1);
    x = v128.load(b, 64);
    h0 = high(a0, x, c1);
    h1 = high(a1, x, c1);
    v128.store(t, i64x2.sub(t0, low(a0, x, h0, c2)), 64);
    t0 = i64x2.sub(i64x2.add(t1, h0), low(a1, x, h1, c2));
    t1 = i64x2.add(v128.load(src, 96), h1);
    x = v128.load(b, 80);
    h0 = high(a0, x, c1);
    h1 = high(a1, x, c1);
    v128.store(t, i64x2.sub(t0, low(a0, x, h0, c2)), 80);
    t0 = i64x2.sub(i64x2.add(t1, h0), low(a1, x, h1, c2));
    t1 = i64x2.add(v128.load(src, 112), h1);
    b += 96;
    t += 96;
    src += 96;
  }
  x = v128.load(b);
  h0 = high(a0, x, c1);
  h1 = high(a1, x, c1);
  v128.store(t, i64x2.sub(t0, low(a0, x, h0, c2)));
  t0 = i64x2.sub(i64x2.add(t1, h0), low(a1, x, h1, c2));
  t1 = i64x2.add(v128.load(fresh), h1);
  x = v128.load(b, 16);
  h0 = high(a0, x, c1);
  h1 = high(a1, x, c1);
  v128.store(t, i64x2.sub(t0, low(a0, x, h0, c2)), 16);
  v128.store(t, i64x2.sub(i64x2.add(t1, h0), low(a1, x, h1, c2)), 32);
  v128.store(t, i64x2.add(v128.load(fresh, 16), h1), 48);
}

/** Columns of a b added to those at `src`, stored at `t` (40 columns); columns from 20 on start from `fresh`. */
export function product(t: usize, a: usize, b: usize, src: usize, fresh: usize): void {
  const c1 = v128.load(MAGIC), c2 = v128.load(MAGIC, 16);
  for (let i = 0; i < LIMBS / 2; i++) {
    addRows(t, v128.load(a), v128.load(a, 16), b, src, fresh, c1, c2);
    a += 32;
    fresh += 32;
    t += 32;
    src = t;
  }
}

/**
 * Columns of a^2 at `t`. Products of different limbs are summed first, two limbs a round against all later ones, and
 * doubled as integers: a doubled limb would not fit the fused product.
 */
export function square(t: usize, a: usize): void {
  const c1 = v128.load(MAGIC), c2 = v128.load(MAGIC, 16), zero = i64x2.splat(0);
  for (let i: usize = 0; i < 320; i += 16) v128.store(t + i, zero);
  let x: v128, h0: v128, h1: v128, ap = a, tp: usize, row = t;
  for (let steps = 8; steps >= 0; steps--) {
    const a0 = v128.load(ap), a1 = v128.load(ap, 16);
    h0 = high(a0, a1, c1);
    v128.store(row, i64x2.sub(v128.load(row, 16), low(a0, a1, h0, c2)), 16);
    let t0 = i64x2.add(v128.load(row, 32), h0), t1 = v128.load(row, 48), bp = ap + 32;
    tp = row + 32;
    for (let j = 0; j < steps; j++) {
      x = v128.load(bp);
      h0 = high(a0, x, c1);
      h1 = high(a1, x, c1);
      v128.store(tp, i64x2.sub(t0, low(a0, x, h0, c2)));
      t0 = i64x2.sub(i64x2.add(t1, h0), low(a1, x, h1, c2));
      t1 = i64x2.add(v128.load(tp, 32), h1);
      x = v128.load(bp, 16);
      h0 = high(a0, x, c1);
      h1 = high(a1, x, c1);
      v128.store(tp, i64x2.sub(t0, low(a0, x, h0, c2)), 16);
      t0 = i64x2.sub(i64x2.add(t1, h0), low(a1, x, h1, c2));
      t1 = i64x2.add(v128.load(tp, 48), h1);
      bp += 32;
      tp += 32;
    }
    x = v128.load(bp);
    h0 = high(a0, x, c1);
    h1 = high(a1, x, c1);
    v128.store(tp, i64x2.sub(t0, low(a0, x, h0, c2)));
    t0 = i64x2.sub(i64x2.add(t1, h0), low(a1, x, h1, c2));
    x = v128.load(bp, 16);
    t1 = h1;
    h0 = high(a0, x, c1);
    h1 = high(a1, x, c1);
    v128.store(tp, i64x2.sub(t0, low(a0, x, h0, c2)), 16);
    v128.store(tp, i64x2.sub(i64x2.add(t1, h0), low(a1, x, h1, c2)), 32);
    v128.store(tp, h1, 48);
    ap += 32;
    row += 64;
  }
  const a0 = v128.load(ap), a1 = v128.load(ap, 16);
  h0 = high(a0, a1, c1);
  v128.store(row, i64x2.sub(v128.load(row, 16), low(a0, a1, h0, c2)), 16);
  v128.store(row, h0, 32);
  v128.store(row, zero, 48);
  let start = START_1;
  for (let i: usize = 0; i < 320; i += 16) {
    x = v128.load(a + i);
    h0 = high(x, x, c1);
    let s = v128.load(t);
    v128.store(t, i64x2.sub(i64x2.add(i64x2.add(s, s), v128.load(start)), low(x, x, h0, c2)));
    s = v128.load(t, 16);
    v128.store(t, i64x2.add(i64x2.add(i64x2.add(s, s), v128.load(start, 16)), h0), 16);
    t += 32;
    start += 32;
  }
}

/**
 * Montgomery reduction of the 40 columns at `t`. N = 2^104 ROW - 1 is a multiple of p that ends in ones, so the
 * quotient digits of two rows are the columns themselves: carry both, add (v_0 + v_1 2^52) ROW two columns up. No
 * product stands between a column and the next quotient. Nine such pairs leave an excess of 104 bits, which rows
 * 18 and 19 take away with p itself and ordinary quotients q = -v/p mod 2^52. There the lowest product is not
 * computed: lo(q p_0) cancels the column, and the carry is (s + 2^51 - 1) >> 52. On a tie (q = 2^51) the high half
 * rounds up because p = 3 mod 4, so the low half is -2^51 and the formula still holds.
 *
 * The columns of the result pass one by one through the last loop, so what is subtracted from the result is taken off
 * there, and the carry that is needed anyway serves for both.
 */
export function reduce(out: usize, t: usize): void {
  reduceWith(out, t, false, 0, 0, 0, false, 0, 0);
}

/** As reduce, minus c, plus the multiple of p at `multiple`, an entry of LEVELS above c. */
export function reduceMinus(out: usize, t: usize, c: usize, multiple: usize): void {
  reduceWith(out, t, true, c, 0, multiple, false, 0, 0);
}

/**
 * As reduce, minus a and b, plus the multiple of p at `multiple`, above a + b; and a minus that to `difference`, plus the
 * multiple of p at `next`. `out` may be a or b.
 */
export function reduceMinusBoth(out: usize, t: usize, a: usize, b: usize, multiple: usize, difference: usize,
    next: usize): void {
  reduceWith(out, t, true, a, b, multiple, true, difference, next);
}

/** The column s minus a limb of a, and where `both` one of b, plus one of the multiple. */
@inline function minusLimbs(s: v128, both: bool, a: usize, b: usize, multiple: usize, mask: v128, e52: v128): v128 {
  s = i64x2.sub(i64x2.add(s, v128.load(multiple)), v128.and(f64x2.add(v128.load(a), e52), mask));
  return both ? i64x2.sub(s, v128.and(f64x2.add(v128.load(b), e52), mask)) : s;
}

/** Stores a limb of the result, and where `both` one of a minus the result, whose carry is returned. */
@inline function storeLimb(out: usize, s: v128, both: bool, a: usize, difference: usize, next: usize, carry: v128,
    mask: v128, e52: v128): v128 {
  const bits = v128.or(v128.and(s, mask), e52);
  if (!both) {
    v128.store(out, f64x2.sub(bits, e52));
    return carry;
  }
  const d = i64x2.add(i64x2.add(i64x2.sub(f64x2.add(v128.load(a), e52), bits), v128.load(next)), carry);
  v128.store(out, f64x2.sub(bits, e52));
  v128.store(difference, toDouble(d, mask, e52));
  return i64x2.shr_u(d, 52);
}

@inline function reduceWith(out: usize, t: usize, minus: bool, a: usize, b: usize, multiple: usize, both: bool,
    difference: usize, next: usize): void {
  const c1 = v128.load(MAGIC), c2 = v128.load(MAGIC, 16), mask = v128.load(MAGIC, 32), e52 = v128.load(MAGIC, 48);
  let s = v128.load(t);
  for (let i = 0; i < 9; i++) {
    column(s, 59, 61);
    const d0 = toDouble(s, mask, e52);
    s = i64x2.add(v128.load(t, 16), i64x2.shr_u(s, 52));
    column(s, 59, 61);
    const d1 = toDouble(s, mask, e52);
    t += 32;
    v128.store(t, i64x2.add(v128.load(t), i64x2.shr_u(s, 52)));
    addRows(t, d0, d1, ROW, t, t + 320, c1, c2);
    s = v128.load(t);
  }
  const inverse = v128.load(MAGIC, 64), lowBits = v128.load(MAGIC, 80), half = v128.load(MAGIC, 96);
  let x = v128.load(MODULUS), y = v128.load(MODULUS, 16);
  // Row 18: its column is s, its products start at the next.
  let d = toDouble(s, mask, e52);
  const q0 = toDouble(i64x2.sub(lowBits, low(d, inverse, high(d, inverse, c1), c2)), mask, e52);
  let h0 = high(q0, x, c1), h1 = high(q0, y, c1);
  s = i64x2.add(i64x2.shr_u(i64x2.add(s, half), 52), h0);
  s = i64x2.add(s, i64x2.sub(v128.load(t, 16), low(q0, y, h1, c2)));
  // Row 19.
  d = toDouble(s, mask, e52);
  const q1 = toDouble(i64x2.sub(lowBits, low(d, inverse, high(d, inverse, c1), c2)), mask, e52);
  h0 = high(q1, x, c1);
  s = i64x2.add(i64x2.add(i64x2.shr_u(i64x2.add(s, half), 52), h0), h1);
  t += 32;
  let carry = i64x2.splat(0);
  for (let j: usize = 32; j < 16 * <usize>LIMBS; j += 16) {
    // Column 18 + j/16: low halves of q0 p_j and q1 p_(j-1).
    x = v128.load(MODULUS + j);
    h0 = high(q0, x, c1);
    h1 = high(q1, y, c1);
    s = i64x2.add(s, i64x2.sub(i64x2.sub(v128.load(t), low(q0, x, h0, c2)), low(q1, y, h1, c2)));
    if (minus) s = minusLimbs(s, both, a, b, multiple, mask, e52);
    column(s, 59, 61);
    carry = storeLimb(out, s, both, a, difference, next, carry, mask, e52);
    s = i64x2.add(i64x2.add(i64x2.shr_u(s, 52), h0), h1);
    y = x;
    t += 16;
    out += 16;
    a += 16;
    b += 16;
    multiple += 16;
    difference += 16;
    next += 16;
  }
  h1 = high(q1, y, c1);
  s = i64x2.add(s, i64x2.sub(v128.load(t), low(q1, y, h1, c2)));
  if (minus) s = minusLimbs(s, both, a, b, multiple, mask, e52);
  carry = storeLimb(out, s, both, a, difference, next, carry, mask, e52);
  s = i64x2.add(i64x2.add(i64x2.shr_u(s, 52), h1), v128.load(t, 16));
  if (minus) s = minusLimbs(s, both, a + 16, b + 16, multiple + 16, mask, e52);
  storeLimb(out + 16, s, both, a + 16, difference + 16, next + 16, carry, mask, e52);
}
