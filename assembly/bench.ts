// Entry of a module that only bench/ compiles: single steps of the kernels, many times in a row. Not in the package.
// Element vector 16 is a running value, 17 the other operand.

import { Fp, P256, add, bytes, entryBytes, getWords, lanes, mul, mulAddMul, scanRow, selectionMasks, setWords, sqr, sub, words, zero } from "./field";
import { P256_CURVE, SAKKE_CURVE } from "./generated/curves";
import { P256_N, SAKKE_P, SAKKE_Q } from "./generated/moduli";
import { inverseMod } from "./inverse";
import { montgomeryMul } from "./scalar";
import { loadInteger, readInteger } from "./points";
import { slot } from "./scratch";

export { heapBase, setWorkspace, workspaceBytes } from "./memory";
export { isFused, laneCount } from "./selftest";

/** Sets the running value to the x and the operand to the y coordinate of P or of G of P-256, in every lane. */
export function begin(): void {
  loadInteger<Fp>(slot(16), SAKKE_CURVE);
  loadInteger<Fp>(slot(17), SAKKE_CURVE + 128);
  loadInteger<P256>(slot(25), P256_CURVE);
  loadInteger<P256>(slot(26), P256_CURVE + 32);
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

/** A sum and a difference each time. The running value stays as it is. */
export function addAndSubtract(n: i32): void {
  for (let i = 0; i < n; i++) {
    add<Fp>(slot(18), slot(16), slot(17));
    sub<Fp>(slot(18), slot(16), slot(17), 0);
  }
}

/** The same for P-256, whose values are apart. */
export function multiply256(n: i32): void {
  for (let i = 0; i < n; i++) mul<P256>(slot(25), slot(25), slot(26));
}

export function square256(n: i32): void {
  for (let i = 0; i < n; i++) sqr<P256>(slot(25), slot(25));
}

export function addAndSubtract256(n: i32): void {
  for (let i = 0; i < n; i++) {
    add<P256>(slot(27), slot(25), slot(26));
    sub<P256>(slot(27), slot(25), slot(26), 0);
  }
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

/** n inversions modulo the order of P-256. */
export function invert256(n: i32): void {
  memory.copy(slot(22), P256_CURVE, 32);
  for (let i = 0; i < n; i++) inverseMod(slot(22), slot(22), P256_N);
}

/** n products mod q of integers, as scalars are handled. */
export function multiplyScalars(n: i32): void {
  memory.copy(slot(22), SAKKE_CURVE, 128);
  for (let i = 0; i < n; i++) montgomeryMul(slot(22), slot(22), SAKKE_CURVE + 128, SAKKE_Q);
}

export function multiplyScalars256(n: i32): void {
  memory.copy(slot(22), P256_CURVE, 32);
  for (let i = 0; i < n; i++) montgomeryMul(slot(22), slot(22), P256_CURVE + 32, P256_N);
}

/** The running value of lane 0 as an integer, 32 words least significant first, at `out`. */
export function value(out: usize): void {
  readInteger<Fp>(slot(23), slot(16), 0, slot(24));
  memory.copy(out, slot(23), <usize>words<Fp>() << 2);
}
