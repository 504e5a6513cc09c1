// Entry of a module that only bench/ compiles: single steps of the kernels, many times in a row. Not in the package.
// Element vector 16 is a running value, 17 the other operand.

import { Fp, bytes, entryBytes, getWords, lanes, mul, mulAddMul, scanRow, selectionMasks, setWords, sqr, words, zero } from "./field";
import { SAKKE_CURVE } from "./generated/curves";
import { SAKKE_P, SAKKE_Q } from "./generated/moduli";
import { inverseMod } from "./inverse";
import { montgomeryMul } from "./scalar";
import { loadInteger, readInteger } from "./points";
import { slot } from "./scratch";

export { heapBase, setWorkspace, workspaceBytes } from "./memory";
export { isFused, laneCount } from "./selftest";

/** Sets the running value to the x and the operand to the y coordinate of P, in every lane. */
export function begin(): void {
  loadInteger<Fp>(slot(16), SAKKE_CURVE);
  loadInteger<Fp>(slot(17), SAKKE_CURVE + 128);
}

/** n products of vectors: n times as many multiplications as there are lanes. */
export function multiply(n: i32): void {
  for (let i = 0; i < n; i++) mul<Fp>(slot(16), slot(16), slot(17));
}

export function square(n: i32): void {
  for (let i = 0; i < n; i++) sqr<Fp>(slot(16), slot(16));
}

/** Two products and one reduction each time. */
export function multiplyTwice(n: i32): void {
  for (let i = 0; i < n; i++) mulAddMul<Fp>(slot(16), slot(16), slot(17), slot(17), slot(16));
}

/** Octets of a row of points of a table with windows of `width` bits, and of its masks, for scan. */
export function rowBytes(width: i32): usize {
  return <usize>(2 << (width - 1)) * entryBytes<Fp>();
}

/** n times: the masks of one index for every lane, and a scan of the row at `row` with them. */
export function scan(n: i32, width: i32, row: usize, masks: usize): void {
  memory.fill(slot(18), 0, 16);
  for (let i = 0; i < n; i++) {
    selectionMasks<Fp>(masks, slot(18), 1 << (width - 1));
    zero<Fp>(slot(19));
    zero<Fp>(slot(19) + bytes<Fp>());
    scanRow<Fp>(slot(19), row, 1 << (width - 1), 2, masks);
  }
}

/** n inversions mod p of one integer, each of the one before. */
export function invert(n: i32): void {
  getWords<Fp>(slot(22), slot(16), 0);
  for (let i = 0; i < n; i++) inverseMod(slot(22), slot(22), SAKKE_P);
  for (let lane = 0; lane < lanes(); lane++) setWords<Fp>(slot(16), lane, slot(22));
}

/** n products mod q of integers, as scalars are handled. */
export function multiplyScalars(n: i32): void {
  memory.copy(slot(22), SAKKE_CURVE, 128);
  for (let i = 0; i < n; i++) montgomeryMul(slot(22), slot(22), SAKKE_CURVE + 128, SAKKE_Q);
}

/** The running value of lane 0 as an integer, 32 words least significant first, at `out`. */
export function value(out: usize): void {
  readInteger<Fp>(slot(23), slot(16), 0, slot(24));
  memory.copy(out, slot(23), <usize>words<Fp>() << 2);
}
