// The two prime fields behind one generic surface. A field is named by a tag class; which kernel computes is decided
// when the module is compiled: relaxed SIMD gives the FMA kernels with two lanes, plain SIMD the others with four.

import * as fma from "./fma/field";
import * as fma256 from "./fma/p256";
import * as simd from "./simd/field";
import * as simd256 from "./simd/p256";
import { workspace } from "./memory";

/** F_p of SAKKE parameter set 1. */
@unmanaged export class Fp {
  tag: u64;
}

/** The base field of NIST P-256. */
@unmanaged export class P256 {
  tag: u32;
}

// A tag class has nothing but its size, which the compiler knows.
@inline export function isFp<F>(): bool {
  return offsetof<F>() == 8;
}

@inline export function lanes(): i32 {
  return ASC_FEATURE_RELAXED_SIMD ? fma.LANES : simd.LANES;
}

/** Octets of an element vector. */
@inline export function bytes<F>(): usize {
  if (ASC_FEATURE_RELAXED_SIMD) return isFp<F>() ? fma.BYTES : fma256.BYTES;
  return isFp<F>() ? simd.BYTES : simd256.BYTES;
}

/** Octets of a point: the vector of x, then the vector of y. */
@inline export function pointBytes<F>(): usize {
  return bytes<F>() << 1;
}

/** Octets of one element in a table. */
@inline export function entryBytes<F>(): usize {
  if (ASC_FEATURE_RELAXED_SIMD) return isFp<F>() ? fma.ENTRY_BYTES : fma256.ENTRY_BYTES;
  return isFp<F>() ? simd.ENTRY_BYTES : simd256.ENTRY_BYTES;
}

/** 32-bit words of a canonical integer of the field. */
@inline export function words<F>(): i32 {
  return isFp<F>() ? 32 : 8;
}

/** 1 in Montgomery form, in every lane. */
@inline export function one<F>(): usize {
  if (ASC_FEATURE_RELAXED_SIMD) return isFp<F>() ? fma.ONE : fma256.ONE;
  return isFp<F>() ? simd.ONE : simd256.ONE;
}

/** R^2 mod p: multiplying by it brings an integer into Montgomery form. */
@inline export function rSquared<F>(): usize {
  if (ASC_FEATURE_RELAXED_SIMD) return isFp<F>() ? fma.R_SQUARED : fma256.R_SQUARED;
  return isFp<F>() ? simd.R_SQUARED : simd256.R_SQUARED;
}

@inline export function mul<F>(out: usize, a: usize, b: usize): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (isFp<F>()) fma.mul(out, a, b);
    else fma256.mul(out, a, b);
  } else {
    if (isFp<F>()) simd.mul(out, a, b);
    else simd256.mul(out, a, b);
  }
}

@inline export function sqr<F>(out: usize, a: usize): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (isFp<F>()) fma.sqr(out, a);
    else fma256.sqr(out, a);
  } else {
    if (isFp<F>()) simd.sqr(out, a);
    else simd256.sqr(out, a);
  }
}

/** out = a b + c d, reduced once. */
@inline export function mulAddMul<F>(out: usize, a: usize, b: usize, c: usize, d: usize): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (isFp<F>()) fma.mulAddMul(out, a, b, c, d);
    else fma256.mulAddMul(out, a, b, c, d);
  } else {
    if (isFp<F>()) simd.mulAddMul(out, a, b, c, d);
    else simd256.mulAddMul(out, a, b, c, d);
  }
}

@inline export function add<F>(out: usize, a: usize, b: usize): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (isFp<F>()) fma.add(out, a, b);
    else fma256.add(out, a, b);
  } else {
    if (isFp<F>()) simd.add(out, a, b);
    else simd256.add(out, a, b);
  }
}

/** out = 3 a. out is not a. */
@inline export function triple<F>(out: usize, a: usize): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (isFp<F>()) fma.triple(out, a);
    else fma256.triple(out, a);
  } else {
    add<F>(out, a, a);
    add<F>(out, out, a);
  }
}

/** out = 2^shift a, 1 <= shift <= 3. */
@inline export function shiftLeft<F>(out: usize, a: usize, shift: i32): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (isFp<F>()) fma.shiftLeft(out, a, shift);
    else fma256.shiftLeft(out, a, shift);
  } else {
    add<F>(out, a, a);
    for (let i = 1; i < shift; i++) add<F>(out, out, out);
  }
}

/** out = a - b + K p with the K of `level`, see fma/field.ts. P-256 reduces by itself and takes any level. */
@inline export function sub<F>(out: usize, a: usize, b: usize, level: i32): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (isFp<F>()) fma.sub(out, a, b, level);
    else fma256.sub(out, a, b, level);
  } else {
    if (isFp<F>()) simd.sub(out, a, b, level);
    else simd256.sub(out, a, b, level);
  }
}

@inline export function select<F>(out: usize, a: usize, b: usize, mask: usize): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (isFp<F>()) fma.select(out, a, b, mask);
    else fma256.select(out, a, b, mask);
  } else {
    if (isFp<F>()) simd.select(out, a, b, mask);
    else simd256.select(out, a, b, mask);
  }
}

@inline export function swapPairs<F>(out: usize, a: usize): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (isFp<F>()) fma.swapPairs(out, a);
    else fma256.swapPairs(out, a);
  } else {
    if (isFp<F>()) simd.swapPairs(out, a);
    else simd256.swapPairs(out, a);
  }
}

@inline export function setWords<F>(out: usize, lane: i32, words: usize): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (isFp<F>()) fma.setWords(out, lane, words);
    else fma256.setWords(out, lane, words);
  } else {
    if (isFp<F>()) simd.setWords(out, lane, words);
    else simd256.setWords(out, lane, words);
  }
}

@inline export function getWords<F>(words: usize, a: usize, lane: i32): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (isFp<F>()) fma.getWords(words, a, lane);
    else fma256.getWords(words, a, lane);
  } else {
    if (isFp<F>()) simd.getWords(words, a, lane);
    else simd256.getWords(words, a, lane);
  }
}

@inline export function storeEntry<F>(entry: usize, a: usize, lane: i32): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (isFp<F>()) fma.storeEntry(entry, a, lane);
    else fma256.storeEntry(entry, a, lane);
  } else {
    if (isFp<F>()) simd.storeEntry(entry, a, lane);
    else simd256.storeEntry(entry, a, lane);
  }
}

/** Reads a table entry to one lane. "Unsafe": the address must not depend on a secret. */
@inline export function loadEntryUnsafe<F>(out: usize, lane: i32, entry: usize): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (isFp<F>()) fma.loadEntryUnsafe(out, lane, entry);
    else fma256.loadEntryUnsafe(out, lane, entry);
  } else {
    if (isFp<F>()) simd.loadEntryUnsafe(out, lane, entry);
    else simd256.loadEntryUnsafe(out, lane, entry);
  }
}

/** Copies lane `from` of `a` to every lane of `out`. */
@inline export function broadcast<F>(out: usize, a: usize, from: i32): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (isFp<F>()) fma.broadcast(out, a, from);
    else fma256.broadcast(out, a, from);
  } else {
    if (isFp<F>()) simd.broadcast(out, a, from);
    else simd256.broadcast(out, a, from);
  }
}

@inline export function selectionMasks<F>(masks: usize, indices: usize, entries: i32): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (isFp<F>()) fma.selectionMasks(masks, indices, entries);
    else fma256.selectionMasks(masks, indices, entries);
  } else {
    if (isFp<F>()) simd.selectionMasks(masks, indices, entries);
    else simd256.selectionMasks(masks, indices, entries);
  }
}

@inline export function scanRow<F>(out: usize, row: usize, entries: i32, elements: i32, masks: usize): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (isFp<F>()) fma.scanRow(out, row, entries, elements, masks);
    else fma256.scanRow(out, row, entries, elements, masks);
  } else {
    if (isFp<F>()) simd.scanRow(out, row, entries, elements, masks);
    else simd256.scanRow(out, row, entries, elements, masks);
  }
}

/**
 * Reads a whole row and writes its entry `index` to one lane of `elements` vectors at `out`, which are zero in that lane;
 * the other lanes stay. An index of `entries` selects nothing. `masks` has room for the masks of a row.
 */
export function scanRowForLane<F>(out: usize, lane: i32, index: u32, row: usize, entries: i32, elements: i32, masks: usize): void {
  if (ASC_FEATURE_RELAXED_SIMD && isFp<F>()) {
    fma.entryMasks(masks, index, entries);
    fma.scanLane(out, lane, row, entries, elements, masks);
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
