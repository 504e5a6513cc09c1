// What the two FMA kernels share: fused products of limbs, and element vectors of any number of limbs, each an exact
// non-negative double, two lanes of 64 bits.

/** Octets of one selection mask. */
export const MASK_BYTES: usize = 16;

/** 2^104 + m for a b = m 2^52 + lo, with c1 = 2^104. */
@inline export function high(a: v128, b: v128, c1: v128): v128 {
  return f64x2.relaxed_madd(a, b, c1);
}

/** lo - 1.5 2^52, with h = high(a, b) and c2 = 2^104 - 1.5 2^52. */
@inline export function low(a: v128, b: v128, h: v128, c2: v128): v128 {
  return f64x2.relaxed_madd(a, b, f64x2.sub(c2, h));
}

/** The low 52 bits of each lane as a double. */
@inline export function toDouble(x: v128, mask: v128, e52: v128): v128 {
  return f64x2.sub(v128.or(v128.and(x, mask), e52), e52);
}

/** A limb as an integer. */
@inline export function toInteger(limb: f64): u64 {
  return reinterpret<u64>(limb + 4503599627370496) & 0xfffffffffffff;
}

/** Writes `entries` masks that are 1 in the lanes whose index (u32 at `indices`) is the entry's number, else 0. */
export function selectionMasks(masks: usize, indices: usize, entries: i32): void {
  const wanted = i64x2.extend_low_i32x4_u(v128.load64_zero(indices));
  const one = f64x2.splat(1);
  for (let e = 0; e < entries; e++) {
    v128.store(masks + (<usize>e << 4), v128.and(i64x2.eq(wanted, i64x2.splat(e)), one));
  }
}
