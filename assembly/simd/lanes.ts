// A limb of an element vector: a v128 of four lanes of 32 bits.

export const LANES: i32 = 4;
/** Octets of one lane. */
export const LANE_BYTES: usize = 4;
/** A lane holds an element of this type. */
export type Limb = u32;
/** A lane as bits, for masks. */
export type Bits = u32;
/** Bits of a limb. */
export const LIMB_BITS: i32 = 28;

/** Whether a limb is in range. */
@inline export function isLimb(limb: Limb): bool {
  return limb >> LIMB_BITS == 0;
}

/** [a, b] to [b, a] in each pair. */
@inline export function swapped(x: v128): v128 {
  return i32x4.shuffle(x, x, 1, 0, 3, 2);
}

/** [a, b] to [a, a] in each pair. */
@inline export function evens(x: v128): v128 {
  return i32x4.shuffle(x, x, 0, 0, 2, 2);
}

/** [a, b] to [b, b] in each pair. */
@inline export function odds(x: v128): v128 {
  return i32x4.shuffle(x, x, 1, 1, 3, 3);
}

/** [a, b] and [c, d] to [a, d] in each pair. */
@inline export function evenAndOdd(x: v128, y: v128): v128 {
  return i32x4.shuffle(x, y, 0, 5, 2, 7);
}

/** The lane at an address, in all lanes. */
@inline export function splat(lane: usize): v128 {
  return v128.load32_splat(lane);
}
