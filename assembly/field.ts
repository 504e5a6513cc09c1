// Arithmetic of both prime fields behind one generic surface, on the kernel of the build. A field is named by its tag of
// tags.ts; `kernel` is a namespace that the target in asconfig.json chooses, see kernels.ts.

import "./kernels";
import { difference, factors, legal, reducible, repeated, subtrahends, summands } from "./bounds";
import { workspace } from "./memory/workspace";
import { Fp, P256, bytes, isFp, lanes } from "./tags";

export { Fp, P256, bytes, entryBytes, isFp, lanes, pointBytes, words } from "./tags";

/** 1 in Montgomery form, in every lane. */
@inline export function one<F>(): usize {
  return isFp<F>() ? kernel.fp.ONE : kernel.p256.ONE;
}

/** R^2 mod p: multiplying by it brings an integer into Montgomery form. */
@inline export function rSquared<F>(): usize {
  return isFp<F>() ? kernel.fp.R_SQUARED : kernel.p256.R_SQUARED;
}

/** out = a b / R. */
@inline export function mul<F>(out: usize, a: usize, b: usize): void {
  factors<F>(a, b, 0, 0);
  if (isFp<F>()) kernel.fp.mul(out, a, b);
  else kernel.p256.mul(out, a, b);
  legal<F>(out);
}

/** out = a^2 / R. */
@inline export function sqr<F>(out: usize, a: usize): void {
  factors<F>(a, a, 0, 0);
  if (isFp<F>()) kernel.fp.sqr(out, a);
  else kernel.p256.sqr(out, a);
  legal<F>(out);
}

/** out = (a b + c d) / R, reduced once. */
@inline export function mulAddMul<F>(out: usize, a: usize, b: usize, c: usize, d: usize): void {
  factors<F>(a, b, c, d);
  if (isFp<F>()) kernel.fp.mulAddMul(out, a, b, c, d);
  else kernel.p256.mulAddMul(out, a, b, c, d);
  legal<F>(out);
}

/** As mul where all pairs of lanes are the same, which takes half the products where there are two. */
@inline export function mulPair<F>(out: usize, a: usize, b: usize): void {
  if (kernel.REPEATS) {
    factors<F>(a, b, 0, 0);
    repeated<F>(a, b);
    if (isFp<F>()) kernel.fp.mulPair(out, a, b);
    else kernel.p256.mulPair(out, a, b);
    legal<F>(out);
  } else {
    mul<F>(out, a, b);
  }
}

/** As sqr where all pairs of lanes are the same. */
@inline export function sqrPair<F>(out: usize, a: usize): void {
  if (kernel.REPEATS) {
    factors<F>(a, a, 0, 0);
    repeated<F>(a, a);
    if (isFp<F>()) kernel.fp.sqrPair(out, a);
    else kernel.p256.sqrPair(out, a);
    legal<F>(out);
  } else {
    sqr<F>(out, a);
  }
}

/** As mulAddMul where all pairs of lanes are the same. */
@inline export function mulAddMulPair<F>(out: usize, a: usize, b: usize, c: usize, d: usize): void {
  if (kernel.REPEATS) {
    factors<F>(a, b, c, d);
    repeated<F>(a, b);
    repeated<F>(c, d);
    if (isFp<F>()) kernel.fp.mulAddMulPair(out, a, b, c, d);
    else kernel.p256.mulAddMulPair(out, a, b, c, d);
    legal<F>(out);
  } else {
    mulAddMul<F>(out, a, b, c, d);
  }
}

/** Whether the field has mulMinus and sqrMinusBoth. */
@inline export function fuses<F>(): bool {
  return kernel.FUSES && isFp<F>();
}

/** out = a b / R - c + K p with the K of `level`. For Fp, where `fuses`. */
@inline export function mulMinus(out: usize, a: usize, b: usize, c: usize, level: i32): void {
  factors<Fp>(a, b, 0, 0);
  subtrahends<Fp>(c, 0, level);
  kernel.fp.mulMinus(out, a, b, c, level);
  legal<Fp>(out);
}

/**
 * out = s^2 / R - (a + b) + K p with the K of `level`, and difference = a - out + K p with that of the next. out may be a.
 * For Fp, where `fuses`.
 */
@inline export function sqrMinusBoth(out: usize, s: usize, a: usize, b: usize, level: i32, difference: usize): void {
  factors<Fp>(s, s, 0, 0);
  subtrahends<Fp>(a, b, level);
  kernel.fp.sqrMinusBoth(out, s, a, b, level, difference);
  legal<Fp>(out);
  subtrahends<Fp>(out, 0, level + 1);
  legal<Fp>(difference);
}

/** out = a + b. */
@inline export function add<F>(out: usize, a: usize, b: usize): void {
  summands<F>(a, 1, b);
  if (isFp<F>()) kernel.fp.add(out, a, b);
  else kernel.p256.add(out, a, b);
  legal<F>(out);
}

/** out = 3 a. out is not a. For Fp. */
@inline export function triple(out: usize, a: usize): void {
  summands<Fp>(a, 3, 0);
  if (kernel.SCALES) {
    scaleBy3(out, a);
  } else {
    add<Fp>(out, a, a);
    add<Fp>(out, out, a);
  }
}

/** out = 2^shift a, 1 <= shift <= 3. For Fp. */
@inline export function shiftLeft(out: usize, a: usize, shift: i32): void {
  summands<Fp>(a, 1 << shift, 0);
  if (kernel.SCALES) {
    scaleByPower(out, a, shift);
  } else {
    add<Fp>(out, a, a);
    for (let i = 1; i < shift; i++) add<Fp>(out, out, out);
  }
}

function scaleBy3(out: usize, a: usize): void {
  kernel.fp.scale(out, a, 1, i64x2.splat(-1));
}

function scaleByPower(out: usize, a: usize, shift: i32): void {
  kernel.fp.scale(out, a, shift, i64x2.splat(0));
}

/** out = a - b + K p with the K of `level`, see fma/field.ts. P-256 reduces by itself and takes any level. */
@inline export function sub<F>(out: usize, a: usize, b: usize, level: i32): void {
  difference<F>(a, b, level);
  if (isFp<F>()) kernel.fp.sub(out, a, b, level);
  else kernel.p256.sub(out, a, b, level);
  legal<F>(out);
}

/** out = 3 (a + b). For P-256, as the next two. */
@inline export function tripleSum(out: usize, a: usize, b: usize): void {
  summands<P256>(a, 1, b);
  kernel.p256.tripleSum(out, a, b);
  legal<P256>(out);
}

/** out = a - 2 b. */
@inline export function minusTwice(out: usize, a: usize, b: usize): void {
  difference<P256>(a, b, 0);
  kernel.p256.minusTwice(out, a, b);
  legal<P256>(out);
}

/** out = 2 (a - b). */
@inline export function twiceDifference(out: usize, a: usize, b: usize): void {
  difference<P256>(a, b, 0);
  kernel.p256.twiceDifference(out, a, b);
  legal<P256>(out);
}

/** Sets the lane to the integer at `words`, least significant first (not in Montgomery form). */
@inline export function setWords<F>(out: usize, lane: i32, words: usize): void {
  if (isFp<F>()) kernel.fp.setWords(out, lane, words);
  else kernel.p256.setWords(out, lane, words);
}

/** Reads the lane as an integer reduced mod p (not in Montgomery form), see REDUCIBLE. */
@inline export function getWords<F>(words: usize, a: usize, lane: i32): void {
  reducible<F>(a);
  if (isFp<F>()) kernel.fp.getWords(words, a, lane);
  else kernel.p256.getWords(words, a, lane);
}

/** Masks for scanRow, from the number of the wanted entry of each lane (u32 at `indices`). */
@inline export function selectionMasks<F>(masks: usize, indices: usize, entries: i32): void {
  if (isFp<F>()) kernel.fp.selectionMasks(masks, indices, entries);
  else kernel.p256.selectionMasks(masks, indices, entries);
}

/** Reads a whole row of `entries` entries of `elements` elements, and leaves the wanted ones in `out`, which is zero before. */
@inline export function scanRow<F>(out: usize, row: usize, entries: i32, elements: i32, masks: usize): void {
  if (isFp<F>()) kernel.fp.scanRow(out, row, entries, elements, masks);
  else kernel.p256.scanRow(out, row, entries, elements, masks);
}

/**
 * Reads a whole row and writes its entry `index` to one lane of `elements` vectors at `out`, which are zero in that lane;
 * the other lanes stay. An index of `entries` selects nothing. `masks` has room for the masks of a row.
 */
export function scanRowForLane<F>(out: usize, lane: i32, index: u32, row: usize, entries: i32, elements: i32,
    masks: usize): void {
  if (kernel.SCANS_LANE && isFp<F>()) {
    kernel.fp.entryMasks(masks, index, entries);
    kernel.fp.scanLane(out, lane, row, entries, elements, masks);
  } else {
    const indices = workspace;
    for (let other = 0; other < lanes(); other++) store<u32>(indices + (<usize>other << 2), entries);
    store<u32>(indices + (<usize>lane << 2), index);
    selectionMasks<F>(masks, indices, entries);
    scanRow<F>(out, row, entries, elements, masks);
  }
}

/** memory.copy and memory.fill leave the module on every call, which costs more than the 20 loads of an element. */
export function copy<F>(out: usize, a: usize): void {
  for (let i: usize = 0; i < bytes<F>(); i += 16) v128.store(out + i, v128.load(a + i));
}

export function zero<F>(out: usize): void {
  const nothing = i64x2.splat(0);
  for (let i: usize = 0; i < bytes<F>(); i += 16) v128.store(out + i, nothing);
}
