// Entry of a module that only test/crypto/assembly compiles: the generic surface of one field, on raw element vectors.
// For the other field the test imports that as F.

import { Fp as F } from "../field";
import * as field from "../field";
import { isFp } from "../tags";
import * as lanes from "../lanes";

export { setWorkspace } from "../memory/workspace";
export { isFused, laneCount } from "../selftest";

export function bytes(): usize {
  return field.bytes<F>();
}
export function entryBytes(): usize {
  return field.entryBytes<F>();
}
export function one(): usize {
  return field.one<F>();
}
export function rSquared(): usize {
  return field.rSquared<F>();
}
export function mul(out: usize, a: usize, b: usize): void {
  field.mul<F>(out, a, b);
}
export function sqr(out: usize, a: usize): void {
  field.sqr<F>(out, a);
}
export function mulAddMul(out: usize, a: usize, b: usize, c: usize, d: usize): void {
  field.mulAddMul<F>(out, a, b, c, d);
}
export function add(out: usize, a: usize, b: usize): void {
  field.add<F>(out, a, b);
}
export function triple(out: usize, a: usize): void {
  if (isFp<F>()) field.triple(out, a);
}
export function shiftLeft(out: usize, a: usize, shift: i32): void {
  if (isFp<F>()) field.shiftLeft(out, a, shift);
}
export function tripleSum(out: usize, a: usize, b: usize): void {
  if (!isFp<F>()) field.tripleSum(out, a, b);
}
export function minusTwice(out: usize, a: usize, b: usize): void {
  if (!isFp<F>()) field.minusTwice(out, a, b);
}
export function twiceDifference(out: usize, a: usize, b: usize): void {
  if (!isFp<F>()) field.twiceDifference(out, a, b);
}
export function sub(out: usize, a: usize, b: usize, level: i32): void {
  field.sub<F>(out, a, b, level);
}
export function mulPair(out: usize, a: usize, b: usize): void {
  field.mulPair<F>(out, a, b);
}
export function sqrPair(out: usize, a: usize): void {
  field.sqrPair<F>(out, a);
}
export function mulAddMulPair(out: usize, a: usize, b: usize, c: usize, d: usize): void {
  field.mulAddMulPair<F>(out, a, b, c, d);
}
export function fuses(): bool {
  return field.fuses<F>();
}
export function mulMinus(out: usize, a: usize, b: usize, c: usize, level: i32): void {
  if (field.fuses<F>()) field.mulMinus(out, a, b, c, level);
}
export function sqrMinusBoth(out: usize, s: usize, a: usize, b: usize, level: i32, difference: usize): void {
  if (field.fuses<F>()) field.sqrMinusBoth(out, s, a, b, level, difference);
}
export function setWords(out: usize, lane: i32, words: usize): void {
  field.setWords<F>(out, lane, words);
}
export function getWords(words: usize, a: usize, lane: i32): void {
  field.getWords<F>(words, a, lane);
}
export function selectionMasks(masks: usize, indices: usize, entries: i32): void {
  field.selectionMasks<F>(masks, indices, entries);
}
export function scanRow(out: usize, row: usize, entries: i32, elements: i32, masks: usize): void {
  field.scanRow<F>(out, row, entries, elements, masks);
}
export function swapPairs(out: usize, a: usize): void {
  lanes.swapPairs<F>(out, a);
}
export function select(out: usize, a: usize, b: usize, mask: usize): void {
  lanes.select<F>(out, a, b, mask);
}
export function broadcast(out: usize, a: usize, from: i32): void {
  lanes.broadcast<F>(out, a, from);
}
export function weave(out: usize, even: usize, odd: usize, from: i32): void {
  lanes.weave<F>(out, even, odd, from);
}
export function storeEntry(entry: usize, a: usize, lane: i32): void {
  lanes.storeEntry<F>(entry, a, lane);
}
export function loadEntryUnsafe(out: usize, lane: i32, entry: usize): void {
  lanes.loadEntryUnsafe<F>(out, lane, entry);
}
