// What the two SIMD kernels share: element vectors of any number of limbs below 2^28, four lanes of 32 bits, and
// columns of products, two v128 of two 64-bit lanes each.

import { workspace } from "../memory/workspace";

/** Octets of one selection mask. */
export const MASK_BYTES: usize = 16;

/** Products of lanes 0 and 1. */
@inline export function lowPair(a: v128, b: v128): v128 {
  return i64x2.extmul_low_i32x4_u(a, b);
}

/** Products of lanes 2 and 3. */
@inline export function highPair(a: v128, b: v128): v128 {
  return i64x2.extmul_high_i32x4_u(a, b);
}

// Where `pair`, both pairs of lanes are the same, so the columns of lanes 2 and 3 are left out: half of the products.

/** Adds (x0 + 2^28 x1) times the `limbs` limbs at `row` to the columns at `t`. */
@inline function addRowsWith(t: usize, row: usize, limbs: i32, x0: v128, x1: v128, pair: bool): void {
  let low = v128.load(t), high = v128.load(t, 16);
  for (let j = 0; j < limbs; j++) {
    const x = v128.load(row);
    v128.store(t, i64x2.add(low, lowPair(x0, x)));
    if (!pair) v128.store(t, i64x2.add(high, highPair(x0, x)), 16);
    low = i64x2.add(v128.load(t, 32), lowPair(x1, x));
    if (!pair) high = i64x2.add(v128.load(t, 48), highPair(x1, x));
    row += 16;
    t += 32;
  }
  v128.store(t, low);
  if (!pair) v128.store(t, high, 16);
}

function addRowsOfAll(t: usize, row: usize, limbs: i32, x0: v128, x1: v128): void {
  addRowsWith(t, row, limbs, x0, x1, false);
}

function addRowsOfPair(t: usize, row: usize, limbs: i32, x0: v128, x1: v128): void {
  addRowsWith(t, row, limbs, x0, x1, true);
}

@inline export function addRows(t: usize, row: usize, limbs: i32, x0: v128, x1: v128, pair: bool): void {
  if (pair) addRowsOfPair(t, row, limbs, x0, x1);
  else addRowsOfAll(t, row, limbs, x0, x1);
}

/** Adds (x0 + 2^28 x1 + 2^56 x2 + 2^84 x3) times the `limbs` limbs at `row` to the columns at `t`. */
@inline function addFourWith(t: usize, row: usize, limbs: i32, x0: v128, x1: v128, x2: v128, x3: v128, pair: bool): void {
  let l0 = v128.load(t), h0 = v128.load(t, 16), l1 = v128.load(t, 32), h1 = v128.load(t, 48), l2 = v128.load(t, 64),
      h2 = v128.load(t, 80);
  for (let j = 0; j < limbs; j++) {
    const x = v128.load(row);
    v128.store(t, i64x2.add(l0, lowPair(x0, x)));
    l0 = i64x2.add(l1, lowPair(x1, x));
    l1 = i64x2.add(l2, lowPair(x2, x));
    l2 = i64x2.add(v128.load(t, 96), lowPair(x3, x));
    if (!pair) {
      v128.store(t, i64x2.add(h0, highPair(x0, x)), 16);
      h0 = i64x2.add(h1, highPair(x1, x));
      h1 = i64x2.add(h2, highPair(x2, x));
      h2 = i64x2.add(v128.load(t, 112), highPair(x3, x));
    }
    row += 16;
    t += 32;
  }
  v128.store(t, l0);
  v128.store(t, l1, 32);
  v128.store(t, l2, 64);
  if (!pair) {
    v128.store(t, h0, 16);
    v128.store(t, h1, 48);
    v128.store(t, h2, 80);
  }
}

function addFourOfAll(t: usize, row: usize, limbs: i32, x0: v128, x1: v128, x2: v128, x3: v128): void {
  addFourWith(t, row, limbs, x0, x1, x2, x3, false);
}

function addFourOfPair(t: usize, row: usize, limbs: i32, x0: v128, x1: v128, x2: v128, x3: v128): void {
  addFourWith(t, row, limbs, x0, x1, x2, x3, true);
}

/** Adds `count` limbs at `a` times the `limbs` limbs at `b` to the columns at `t`. */
@inline export function addProduct(t: usize, a: usize, count: i32, b: usize, limbs: i32, pair: bool): void {
  for (; count > 3; count -= 4) {
    if (pair) addFourOfPair(t, b, limbs, v128.load(a), v128.load(a, 16), v128.load(a, 32), v128.load(a, 48));
    else addFourOfAll(t, b, limbs, v128.load(a), v128.load(a, 16), v128.load(a, 32), v128.load(a, 48));
    a += 64;
    t += 128;
  }
  for (; count > 1; count -= 2) {
    addRows(t, b, limbs, v128.load(a), v128.load(a, 16), pair);
    a += 32;
    t += 64;
  }
  if (count > 0) addRows(t, b, limbs, v128.load(a), i32x4.splat(0), pair);
}

/** The 2 `limbs` columns at `t` = a b. */
@inline export function product(t: usize, a: usize, b: usize, limbs: i32, pair: bool): void {
  const x = v128.load(a), zero = i64x2.splat(0);
  for (let j: usize = 0; j < <usize>limbs << 4; j += 16) {
    const y = v128.load(b + j), column = t + 2 * j;
    v128.store(column, lowPair(x, y));
    if (!pair) v128.store(column, highPair(x, y), 16);
    v128.store(column + (<usize>limbs << 5), zero);
    if (!pair) v128.store(column + (<usize>limbs << 5), zero, 16);
  }
  addProduct(t + 32, a + 16, limbs - 1, b, limbs, pair);
}

/** Adds x y to the column at `t`. */
@inline function addColumn(t: usize, x: v128, y: v128, pair: bool): void {
  v128.store(t, i64x2.add(v128.load(t), lowPair(x, y)));
  if (!pair) v128.store(t, i64x2.add(v128.load(t, 16), highPair(x, y)), 16);
}

/** The 2 `limbs` columns at `t` = a^2. A product of different limbs is that of one and the double of the other, 29 bits. */
@inline export function square(t: usize, a: usize, limbs: i32, pair: bool): void {
  const zero = i64x2.splat(0);
  for (let j: usize = 0; j < <usize>limbs << 6; j += 32) {
    v128.store(t + j, zero);
    if (!pair) v128.store(t + j, zero, 16);
  }
  for (let left = limbs; left > 1; left -= 2) {
    const x0 = v128.load(a), x1 = v128.load(a, 16), twice0 = i32x4.shl(x0, 1);
    addColumn(t, x0, x0, pair);
    addColumn(t + 32, twice0, x1, pair);
    addColumn(t + 64, x1, x1, pair);
    addRows(t + 64, a + 32, left - 2, twice0, i32x4.shl(x1, 1), pair);
    a += 32;
    t += 128;
  }
  if (limbs & 1) addColumn(t, v128.load(a), v128.load(a), pair);
}

/** The low halves of the four 64-bit lanes of a column. */
@inline export function pack(low: v128, high: v128): v128 {
  return i32x4.shuffle(low, high, 0, 2, 4, 6);
}

/** The lane as an integer of `words` 32-bit words to limbs. */
@inline export function wordsToLane(out: usize, lane: i32, source: usize, words: i32, limbs: i32): void {
  out += <usize>lane << 2;
  let bits: u64 = 0, have = 0, next = 0;
  for (let i = 0; i < limbs; i++) {
    if (have < 28 && next < words) {
      bits |= <u64>load<u32>(source + (<usize>next << 2)) << have;
      have += 32;
      next++;
    }
    store<u32>(out + (<usize>i << 4), <u32>bits & 0xfffffff);
    bits >>= 28;
    have -= min(have, 28);
  }
}

@inline function packLane(limbs: usize, a: usize, lane: i32, entryBytes: usize): void {
  a += <usize>lane << 2;
  for (let i: usize = 0; i < entryBytes; i += 4) store<u32>(limbs + i, load<u32>(a + 4 * i));
}

/**
 * Reads a lane below (rounds + 1) modulus as an integer of `words` 32-bit words reduced by the modulus, which is an
 * element vector of `bytes` octets. Uses the workspace.
 */
@inline export function laneToWords(
  out: usize, words: i32, a: usize, lane: i32, modulus: usize, bytes: usize, rounds: i32,
): void {
  const entryBytes = bytes >> 2, limbs = workspace, reduced = workspace + entryBytes;
  packLane(limbs, a, lane, entryBytes);
  for (let round = 0; round < rounds; round++) {
    let borrow: i32 = 0;
    for (let i: usize = 0; i < entryBytes; i += 4) {
      const d = load<i32>(limbs + i) - load<i32>(modulus + 4 * i) + borrow;
      store<i32>(reduced + i, d & 0xfffffff);
      borrow = d >> 28;
    }
    // borrow is -1 when the value was below the modulus: keep it then.
    for (let i: usize = 0; i < entryBytes; i += 4) {
      const r = load<i32>(reduced + i);
      store<i32>(limbs + i, r ^ ((r ^ load<i32>(limbs + i)) & borrow));
    }
  }
  limbsToWords(out, limbs, words);
  memory.fill(limbs, 0, 2 * entryBytes);
}

/** `words` 32-bit words from limbs of 28 bits, 4 octets apart. */
@inline function limbsToWords(out: usize, limbs: usize, words: i32): void {
  let bits: u64 = 0, have = 0;
  for (let i = 0; i < words; i++) {
    while (have < 32) {
      bits |= <u64>load<u32>(limbs) << have;
      limbs += 4;
      have += 28;
    }
    store<u32>(out + (<usize>i << 2), <u32>bits);
    bits >>= 32;
    have -= 32;
  }
}

/** Writes `entries` masks, all ones in the lanes whose index (u32 at `indices`) is the entry's number, else 0. */
export function selectionMasks(masks: usize, indices: usize, entries: i32): void {
  const wanted = v128.load(indices);
  for (let e = 0; e < entries; e++) v128.store(masks + (<usize>e << 4), i32x4.eq(wanted, i32x4.splat(e)));
}

/**
 * Ten limbs of all the entries of a row, `stride` octets apart, masked and joined with those at `out`. Doing limbs
 * twice does not change them.
 */
export function scanTenLimbs(out: usize, entry: usize, stride: usize, entries: i32, masks: usize): void {
  let s0 = v128.load(out), s1 = v128.load(out, 16), s2 = v128.load(out, 32), s3 = v128.load(out, 48);
  let s4 = v128.load(out, 64), s5 = v128.load(out, 80), s6 = v128.load(out, 96), s7 = v128.load(out, 112);
  let s8 = v128.load(out, 128), s9 = v128.load(out, 144);
  for (let e = 0; e < entries; e++) {
    const m = v128.load(masks + (<usize>e << 4));
    s0 = v128.or(s0, v128.and(m, v128.load32_splat(entry)));
    s1 = v128.or(s1, v128.and(m, v128.load32_splat(entry, 4)));
    s2 = v128.or(s2, v128.and(m, v128.load32_splat(entry, 8)));
    s3 = v128.or(s3, v128.and(m, v128.load32_splat(entry, 12)));
    s4 = v128.or(s4, v128.and(m, v128.load32_splat(entry, 16)));
    s5 = v128.or(s5, v128.and(m, v128.load32_splat(entry, 20)));
    s6 = v128.or(s6, v128.and(m, v128.load32_splat(entry, 24)));
    s7 = v128.or(s7, v128.and(m, v128.load32_splat(entry, 28)));
    s8 = v128.or(s8, v128.and(m, v128.load32_splat(entry, 32)));
    s9 = v128.or(s9, v128.and(m, v128.load32_splat(entry, 36)));
    entry += stride;
  }
  v128.store(out, s0);
  v128.store(out, s1, 16);
  v128.store(out, s2, 32);
  v128.store(out, s3, 48);
  v128.store(out, s4, 64);
  v128.store(out, s5, 80);
  v128.store(out, s6, 96);
  v128.store(out, s7, 112);
  v128.store(out, s8, 128);
  v128.store(out, s9, 144);
}
