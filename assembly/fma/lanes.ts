// A limb of an element vector: a v128 of two lanes of 64 bits, each a double.

export const LANES: i32 = 2;
/** Octets of one lane. */
export const LANE_BYTES: usize = 8;
/** A lane holds an element of this type. */
export type Limb = f64;
/** A lane as bits, for masks. */
export type Bits = u64;
/** Bits of a limb. */
export const LIMB_BITS: i32 = 52;

/** Whether a limb is an integer in range. -0 is not: its bits differ from those of 0. */
@inline export function isLimb(limb: Limb): bool {
  return reinterpret<u64>(limb) >> 63 == 0 && limb < 4503599627370496 && limb == nearest<f64>(limb);
}

/** [a, b] to [b, a]. */
@inline export function swapped(x: v128): v128 {
  return i64x2.shuffle(x, x, 1, 0);
}

/** [a, b] to [a, a]. */
@inline export function evens(x: v128): v128 {
  return i64x2.shuffle(x, x, 0, 0);
}

/** [a, b] to [b, b]. */
@inline export function odds(x: v128): v128 {
  return i64x2.shuffle(x, x, 1, 1);
}

/** [a, b] and [c, d] to [a, d]. */
@inline export function evenAndOdd(x: v128, y: v128): v128 {
  return i64x2.shuffle(x, y, 0, 3);
}

/** The lane at an address, in all lanes. */
@inline export function splat(lane: usize): v128 {
  return v128.load64_splat(lane);
}
