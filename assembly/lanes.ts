// Movement of lanes inside an element vector, and lane masks. A mask is one v128: all ones in the lanes that are
// chosen, with the lane width of the build (64 bits in the FMA build, 32 in the SIMD build).

import { bytes } from "./field";

/** Octets of one lane of one limb. */
@inline export function laneBytes(): usize {
  return ASC_FEATURE_RELAXED_SIMD ? 8 : 4;
}

/** Sets lane `lane` of the mask at `mask` to all ones where `bit` is 1 and to zero where it is 0. */
@inline export function setMask(mask: usize, lane: i32, bit: u32): void {
  if (ASC_FEATURE_RELAXED_SIMD) store<u64>(mask + (<usize>lane << 3), -(<u64>bit));
  else store<u32>(mask + (<usize>lane << 2), -bit);
}

/** Copies lane `from` of `a` to lane `to` of `out`; the other lanes of `out` stay. */
export function moveLane<F>(out: usize, to: i32, a: usize, from: i32): void {
  out += <usize>to * laneBytes();
  a += <usize>from * laneBytes();
  for (let i: usize = 0; i < bytes<F>(); i += 16) {
    if (ASC_FEATURE_RELAXED_SIMD) store<u64>(out + i, load<u64>(a + i));
    else store<u32>(out + i, load<u32>(a + i));
  }
}

/** [a, b] to [a, a] in every pair of lanes. */
export function duplicateEven<F>(out: usize, a: usize): void {
  for (let i: usize = 0; i < bytes<F>(); i += 16) {
    const x = v128.load(a + i);
    v128.store(out + i, ASC_FEATURE_RELAXED_SIMD ? i64x2.shuffle(x, x, 0, 0) : i32x4.shuffle(x, x, 0, 0, 2, 2));
  }
}

/** [a, b] to [b, b] in every pair of lanes. */
export function duplicateOdd<F>(out: usize, a: usize): void {
  for (let i: usize = 0; i < bytes<F>(); i += 16) {
    const x = v128.load(a + i);
    v128.store(out + i, ASC_FEATURE_RELAXED_SIMD ? i64x2.shuffle(x, x, 1, 1) : i32x4.shuffle(x, x, 1, 1, 3, 3));
  }
}

/** [a, b] and [c, d] to [a, d] in every pair of lanes. */
export function evenOdd<F>(out: usize, even: usize, odd: usize): void {
  for (let i: usize = 0; i < bytes<F>(); i += 16) {
    const x = v128.load(even + i), y = v128.load(odd + i);
    v128.store(out + i, ASC_FEATURE_RELAXED_SIMD ? i64x2.shuffle(x, y, 0, 3) : i32x4.shuffle(x, y, 0, 5, 2, 7));
  }
}
