// Movement of lanes inside an element vector, table entries, and lane masks. A mask is one v128: all ones in the lanes
// that are chosen.

import "./kernels";
import { bytes, entryBytes } from "./field";

/** Swaps the two lanes of every pair. */
export function swapPairs<F>(out: usize, a: usize): void {
  for (let i: usize = 0; i < bytes<F>(); i += 16) v128.store(out + i, kernel.swapped(v128.load(a + i)));
}

/** Lanes of `a` where the lane of `mask` is all ones, of `b` where it is zero. `mask` is a v128 in memory. */
export function select<F>(out: usize, a: usize, b: usize, mask: usize): void {
  const m = v128.load(mask);
  for (let i: usize = 0; i < bytes<F>(); i += 16) {
    v128.store(out + i, v128.bitselect(v128.load(a + i), v128.load(b + i), m));
  }
}

/** Copies lane `from` of `a` to every lane of `out`. */
export function broadcast<F>(out: usize, a: usize, from: i32): void {
  a += <usize>from * kernel.LANE_BYTES;
  for (let i: usize = 0; i < bytes<F>(); i += 16) v128.store(out + i, kernel.splat(a + i));
}

/** Writes lane `lane` of `a` as a table entry: its limbs without lanes. */
export function storeEntry<F>(entry: usize, a: usize, lane: i32): void {
  a += <usize>lane * kernel.LANE_BYTES;
  for (let i: usize = 0; i < entryBytes<F>(); i += kernel.LANE_BYTES) {
    store<kernel.Limb>(entry + i, load<kernel.Limb>(a + <usize>kernel.LANES * i));
  }
}

/** Reads a table entry to lane `lane` of `out`. "Unsafe": the address must not depend on a secret. */
export function loadEntryUnsafe<F>(out: usize, lane: i32, entry: usize): void {
  out += <usize>lane * kernel.LANE_BYTES;
  for (let i: usize = 0; i < entryBytes<F>(); i += kernel.LANE_BYTES) {
    store<kernel.Limb>(out + <usize>kernel.LANES * i, load<kernel.Limb>(entry + i));
  }
}

/** Sets lane `lane` of the mask at `mask` to all ones where `bit` is 1 and to zero where it is 0. */
@inline export function setMask(mask: usize, lane: i32, bit: u32): void {
  store<kernel.Bits>(mask + <usize>lane * kernel.LANE_BYTES, -(<kernel.Bits>bit));
}

/** Copies lane `from` of `a` to lane `to` of `out`; the other lanes of `out` stay. */
export function moveLane<F>(out: usize, to: i32, a: usize, from: i32): void {
  out += <usize>to * kernel.LANE_BYTES;
  a += <usize>from * kernel.LANE_BYTES;
  for (let i: usize = 0; i < bytes<F>(); i += 16) store<kernel.Bits>(out + i, load<kernel.Bits>(a + i));
}

/** [a, b] to [a, a] in every pair of lanes. */
export function duplicateEven<F>(out: usize, a: usize): void {
  for (let i: usize = 0; i < bytes<F>(); i += 16) v128.store(out + i, kernel.evens(v128.load(a + i)));
}

/** [a, b] to [b, b] in every pair of lanes. */
export function duplicateOdd<F>(out: usize, a: usize): void {
  for (let i: usize = 0; i < bytes<F>(); i += 16) v128.store(out + i, kernel.odds(v128.load(a + i)));
}

/** [a, b] and [c, d] to [a, d] in every pair of lanes. */
export function evenOdd<F>(out: usize, even: usize, odd: usize): void {
  for (let i: usize = 0; i < bytes<F>(); i += 16) {
    v128.store(out + i, kernel.evenAndOdd(v128.load(even + i), v128.load(odd + i)));
  }
}

/** Lane `from` of `even` and of `odd` as [even, odd] in every pair of lanes. */
export function weave<F>(out: usize, even: usize, odd: usize, from: i32): void {
  const lane = <usize>from * kernel.LANE_BYTES;
  for (let i: usize = 0; i < bytes<F>(); i += 16) {
    v128.store(out + i, kernel.evenAndOdd(kernel.splat(even + lane + i), kernel.splat(odd + lane + i)));
  }
}
