// Odd signed digits of a secret scalar, for fixed-base tables without a zero entry.
//
// For odd k below 2^n, k = sum over i < n of (2 b_i - 1) 2^i with b = (k >> 1) + 2^(n - 1). A window of w bits of b
// with value B is the digit 2 B - (2^w - 1): odd, of absolute value below 2^w, negative when the top bit of B is 0.
// Its place in a row of the 2^(w - 1) odd multiples is B without the top bit, complemented when that bit is 0.
// An even scalar k is replaced by q - k and the sign of every digit turned.

import { choose, negateMod } from "./scalar";
import { valueOf, wordsOf } from "./modulus";
import { workspace } from "./memory/workspace";

/** Octets of a recoded scalar: 34 words (two of padding for unaligned reads) and the sign. */
export const RECODED_BYTES: usize = 144;

/** Recodes 0 < k < order for rows covering `bits` bits, bits >= length of the order. */
export function recode(out: usize, k: usize, order: usize, bits: i32): void {
  const n = wordsOf(order), size = <usize>n << 2, negated = workspace;
  memory.fill(out, 0, RECODED_BYTES);
  const even = 1 ^ (load<u32>(k) & 1);
  negateMod(negated, k, order);
  choose(out, negated, k, even, n);
  for (let i: usize = 0; i < size; i += 4) store<u32>(out + i, (load<u32>(out + i) >> 1) | (load<u32>(out + i, 4) << 31));
  const top = out + <usize>((bits - 1) >> 5 << 2);
  store<u32>(top, load<u32>(top) | (1 << ((bits - 1) & 31)));
  store<u32>(out, even, 136);
  memory.fill(negated, 0, size);
}

/** The `width` bits of window `row`. The place is public, the bits are not. */
@inline export function windowOf(recoded: usize, row: i32, width: i32): u32 {
  const bit = row * width;
  return <u32>(load<u64>(recoded + <usize>(bit >> 5 << 2)) >> (bit & 31)) & ((1 << width) - 1);
}

/** Place in the row of the window's digit. */
@inline export function indexOf(window: u32, width: i32): u32 {
  return (window ^ ((window >> (width - 1)) - 1)) & ((1 << (width - 1)) - 1);
}

/** 1 if the window's digit, with the sign of the whole scalar, is negative. */
@inline export function isNegative(recoded: usize, window: u32, width: i32): u32 {
  return 1 ^ (window >> (width - 1)) ^ load<u32>(recoded, 136);
}
