// F_p of SAKKE parameter set 1 on fused multiply-add, two elements at once.
//
// An element vector is 20 limbs of 52 bits, each an exact non-negative double, limb i of lane l at 16 i + 8 l.
// Values are in Montgomery form with R = 2^1040 and are not fully reduced: limbs are always below 2^52, the value
// below 2^1040 = 109,000 p. For operands below A p and B p a product is below (2 + A B / 109,000) p, so nothing
// needs a final subtraction while A B stays below 27,000 (then the result is below 2.25 p).
//
// Product of two limbs, rounding to nearest:  h = fma(a, b, 2^104)             bits(h) = bits(2^104) + m
//                                             l = fma(a, b, 2^104 - 1.5 2^52 - h)   bits(l) = LOW_BITS - lo
// with a b = m 2^52 + lo and |lo| <= 2^51. Bit patterns are linear in m and lo, so columns add them up as integers;
// the start value of a column takes the constants back out (tools/generate-constants.mjs).
// |column| < 2^58 for one product with its reduction and < 2^59 for two; the bias of 2^60 keeps columns positive.

import { LEVELS, MAGIC, MODULUS, MODULUS_INTEGERS, ONE, R_SQUARED, ROW, START_1, START_2 } from "../generated/fma";
import { workspace } from "../memory";

export { ONE, R_SQUARED };

export const LANES: i32 = 2;
export const LIMBS: i32 = 20;
/** Octets of an element vector. */
export const BYTES: usize = 320;
/** Octets of one element in a table: its limbs without lanes. */
export const ENTRY_BYTES: usize = 160;

@inline function high(a: v128, b: v128, c1: v128): v128 {
  return f64x2.relaxed_madd(a, b, c1);
}

@inline function low(a: v128, b: v128, h: v128, c2: v128): v128 {
  return f64x2.relaxed_madd(a, b, f64x2.sub(c2, h));
}

/** An integer below 2^52 in each lane as a double. */
@inline function toDouble(x: v128, mask: v128, e52: v128): v128 {
  return f64x2.sub(v128.or(v128.and(x, mask), e52), e52);
}

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
function product(t: usize, a: usize, b: usize, src: usize, fresh: usize): void {
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
 * Montgomery reduction of the 40 columns at `t`. N = 2^104 ROW - 1 is a multiple of p that ends in ones, so the
 * quotient digits of two rows are the columns themselves: carry both, add (v_0 + v_1 2^52) ROW two columns up. No
 * product stands between a column and the next quotient. Nine such pairs leave an excess of 104 bits, which rows
 * 18 and 19 take away with p itself and ordinary quotients q = -v/p mod 2^52. There the lowest product is not
 * computed: lo(q p_0) cancels the column, and the carry is (s + 2^51 - 1) >> 52. On a tie (q = 2^51) the high half
 * rounds up because p = 3 mod 4, so the low half is -2^51 and the formula still holds.
 */
function reduce(out: usize, t: usize): void {
  const c1 = v128.load(MAGIC), c2 = v128.load(MAGIC, 16), mask = v128.load(MAGIC, 32), e52 = v128.load(MAGIC, 48);
  let s = v128.load(t);
  for (let i = 0; i < 9; i++) {
    const d0 = toDouble(s, mask, e52);
    s = i64x2.add(v128.load(t, 16), i64x2.shr_u(s, 52));
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
  for (let j: usize = 32; j < 16 * <usize>LIMBS; j += 16) {
    // Column 18 + j/16: low halves of q0 p_j and q1 p_(j-1).
    x = v128.load(MODULUS + j);
    h0 = high(q0, x, c1);
    h1 = high(q1, y, c1);
    s = i64x2.add(s, i64x2.sub(i64x2.sub(v128.load(t), low(q0, x, h0, c2)), low(q1, y, h1, c2)));
    v128.store(out, toDouble(s, mask, e52));
    s = i64x2.add(i64x2.add(i64x2.shr_u(s, 52), h0), h1);
    y = x;
    t += 16;
    out += 16;
  }
  h1 = high(q1, y, c1);
  s = i64x2.add(s, i64x2.sub(v128.load(t), low(q1, y, h1, c2)));
  v128.store(out, toDouble(s, mask, e52));
  s = i64x2.add(i64x2.add(i64x2.shr_u(s, 52), h1), v128.load(t, 16));
  v128.store(out, toDouble(s, mask, e52), 16);
}

/** out = a b / R. */
export function mul(out: usize, a: usize, b: usize): void {
  product(workspace, a, b, START_1, START_1 + 320);
  reduce(out, workspace);
}

/** out = a^2 / R. */
export function sqr(out: usize, a: usize): void {
  mul(out, a, a);
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

/** Swaps the two lanes of every pair. */
export function swapPairs(out: usize, a: usize): void {
  for (let i: usize = 0; i < BYTES; i += 16) {
    const x = v128.load(a + i);
    v128.store(out + i, i64x2.shuffle(x, x, 1, 0));
  }
}

/** Lanes of `a` where the lane of `mask` is all ones, of `b` where it is zero. `mask` is a v128 in memory. */
export function select(out: usize, a: usize, b: usize, mask: usize): void {
  const m = v128.load(mask);
  for (let i: usize = 0; i < BYTES; i += 16) {
    v128.store(out + i, v128.bitselect(v128.load(a + i), v128.load(b + i), m));
  }
}

/** Copies lane `from` of `a` to every lane of `out`. */
export function broadcast(out: usize, a: usize, from: i32): void {
  a += <usize>from << 3;
  for (let i: usize = 0; i < BYTES; i += 16) v128.store(out + i, v128.load64_splat(a + i));
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

/** Writes lane `lane` of `a`, below 2^1040, as a table entry. */
export function storeEntry(entry: usize, a: usize, lane: i32): void {
  a += <usize>lane << 3;
  for (let i: usize = 0; i < <usize>LIMBS; i++) store<f64>(entry + (i << 3), load<f64>(a + (i << 4)));
}

/** Loads a table entry into every lane. The address must not depend on a secret. */
export function loadEntry(out: usize, entry: usize): void {
  for (let i: usize = 0; i < <usize>LIMBS; i++) v128.store(out + (i << 4), v128.load64_splat(entry + (i << 3)));
}

/** Octets of one selection mask. */
export const MASK_BYTES: usize = 32;

/**
 * Writes `entries` masks for the two lanes whose wanted entry numbers (u32) are at `indices`: for each lane 1 in both
 * halves where the entry is wanted, else 0.
 */
export function selectionMasks(masks: usize, indices: usize, entries: i32): void {
  const first = i64x2.splat(<i64>load<u32>(indices)), second = i64x2.splat(<i64>load<u32>(indices, 4));
  const one = f64x2.splat(1);
  for (let e = 0; e < entries; e++) {
    const number = i64x2.splat(<i64>e);
    v128.store(masks, v128.and(i64x2.eq(first, number), one));
    v128.store(masks, v128.and(i64x2.eq(second, number), one), 16);
    masks += MASK_BYTES;
  }
}

/**
 * Adds to `out` the sum of mask times entry over a whole row, so every entry is read whatever the index. The masks
 * are 0 or 1 and at most one is 1, so the fused product is the entry itself or 0. Accumulators hold two limbs of one
 * lane each; eight of them, a limb pair and two masks stay in registers (ten accumulators spill and halve the speed).
 */
export function scanRow(out: usize, row: usize, entries: i32, elements: i32, masks: usize): void {
  const stride = ENTRY_BYTES * <usize>elements;
  // Eight limbs a group; a single element leaves four.
  for (let left = 5 * elements; left > 0; left -= 2) {
    if (left == 1) {
      scanTail(out, row, entries, stride, masks);
      return;
    }
    let x = v128.load(out), y = v128.load(out, 16);
    let a0 = i64x2.shuffle(x, y, 0, 2), b0 = i64x2.shuffle(x, y, 1, 3);
    x = v128.load(out, 32);
    y = v128.load(out, 48);
    let a1 = i64x2.shuffle(x, y, 0, 2), b1 = i64x2.shuffle(x, y, 1, 3);
    x = v128.load(out, 64);
    y = v128.load(out, 80);
    let a2 = i64x2.shuffle(x, y, 0, 2), b2 = i64x2.shuffle(x, y, 1, 3);
    x = v128.load(out, 96);
    y = v128.load(out, 112);
    let a3 = i64x2.shuffle(x, y, 0, 2), b3 = i64x2.shuffle(x, y, 1, 3);
    let entry = row, mask = masks;
    for (let e = 0; e < entries; e++) {
      const m = v128.load(mask), n = v128.load(mask, 16);
      x = v128.load(entry);
      a0 = f64x2.relaxed_madd(x, m, a0);
      b0 = f64x2.relaxed_madd(x, n, b0);
      x = v128.load(entry, 16);
      a1 = f64x2.relaxed_madd(x, m, a1);
      b1 = f64x2.relaxed_madd(x, n, b1);
      x = v128.load(entry, 32);
      a2 = f64x2.relaxed_madd(x, m, a2);
      b2 = f64x2.relaxed_madd(x, n, b2);
      x = v128.load(entry, 48);
      a3 = f64x2.relaxed_madd(x, m, a3);
      b3 = f64x2.relaxed_madd(x, n, b3);
      entry += stride;
      mask += MASK_BYTES;
    }
    v128.store(out, i64x2.shuffle(a0, b0, 0, 2));
    v128.store(out, i64x2.shuffle(a0, b0, 1, 3), 16);
    v128.store(out, i64x2.shuffle(a1, b1, 0, 2), 32);
    v128.store(out, i64x2.shuffle(a1, b1, 1, 3), 48);
    v128.store(out, i64x2.shuffle(a2, b2, 0, 2), 64);
    v128.store(out, i64x2.shuffle(a2, b2, 1, 3), 80);
    v128.store(out, i64x2.shuffle(a3, b3, 0, 2), 96);
    v128.store(out, i64x2.shuffle(a3, b3, 1, 3), 112);
    out += 128;
    row += 64;
  }
}

/** The last four limbs of an element, as scanRow. */
function scanTail(out: usize, row: usize, entries: i32, stride: usize, masks: usize): void {
  let x = v128.load(out), y = v128.load(out, 16);
  let a0 = i64x2.shuffle(x, y, 0, 2), b0 = i64x2.shuffle(x, y, 1, 3);
  x = v128.load(out, 32);
  y = v128.load(out, 48);
  let a1 = i64x2.shuffle(x, y, 0, 2), b1 = i64x2.shuffle(x, y, 1, 3);
  for (let e = 0; e < entries; e++) {
    const m = v128.load(masks), n = v128.load(masks, 16);
    x = v128.load(row);
    a0 = f64x2.relaxed_madd(x, m, a0);
    b0 = f64x2.relaxed_madd(x, n, b0);
    x = v128.load(row, 16);
    a1 = f64x2.relaxed_madd(x, m, a1);
    b1 = f64x2.relaxed_madd(x, n, b1);
    row += stride;
    masks += MASK_BYTES;
  }
  v128.store(out, i64x2.shuffle(a0, b0, 0, 2));
  v128.store(out, i64x2.shuffle(a0, b0, 1, 3), 16);
  v128.store(out, i64x2.shuffle(a1, b1, 0, 2), 32);
  v128.store(out, i64x2.shuffle(a1, b1, 1, 3), 48);
}
