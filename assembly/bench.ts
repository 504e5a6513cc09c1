// Entry of a module that only bench/ compiles: single steps of the kernels, many times in a row. Not in the package.

import { Fp, P256, add, bytes, entryBytes, getWords, lanes, mul, mulAddMul, scanRow, selectionMasks, setWords, sqr, sub,
    words, zero } from "./field";
import { P256_CURVE, SAKKE_CURVE } from "./generated/curves";
import { P256_N, SAKKE_P, SAKKE_Q } from "./generated/moduli";
import { inverseMod } from "./inverse";
import { montgomeryMul } from "./scalar";
import { loadInteger, readInteger } from "./points";
import { slot } from "./scratch";

/** Slots. The running values and the other operands, set by `begin`, stay for all steps. */
const VALUE: usize = 16;
const OTHER: usize = 17;
const VALUE_256: usize = 25;
const OTHER_256: usize = 26;
/** Within one step: what it computes, a point of two vectors for scan, integers for those that need them, and `value`. */
const OUT: usize = 18;
const OUT_256: usize = 27;
const SCANNED: usize = 19;
const WORDS: usize = 22;
const INTEGER: usize = 23;
const TEMPORARY: usize = 24;

export { heapBase, setWorkspace, workspaceBytes } from "./memory/workspace";
export { isFused, laneCount } from "./selftest";

/** Sets the running value to the x and the operand to the y coordinate of P or of G of P-256, in every lane. */
export function begin(): void {
  loadInteger<Fp>(slot(VALUE), SAKKE_CURVE);
  loadInteger<Fp>(slot(OTHER), SAKKE_CURVE + 128);
  loadInteger<P256>(slot(VALUE_256), P256_CURVE);
  loadInteger<P256>(slot(OTHER_256), P256_CURVE + 32);
}

/** n products of vectors: n times as many multiplications as there are lanes. */
export function multiply(n: i32): void {
  for (let i = 0; i < n; i++) mul<Fp>(slot(VALUE), slot(VALUE), slot(OTHER));
}

export function square(n: i32): void {
  for (let i = 0; i < n; i++) sqr<Fp>(slot(VALUE), slot(VALUE));
}

/** Two products and one reduction each time. */
export function multiplyTwice(n: i32): void {
  for (let i = 0; i < n; i++) mulAddMul<Fp>(slot(VALUE), slot(VALUE), slot(OTHER), slot(OTHER), slot(VALUE));
}

/** A sum and a difference each time. The running value stays as it is. */
export function addAndSubtract(n: i32): void {
  for (let i = 0; i < n; i++) {
    add<Fp>(slot(OUT), slot(VALUE), slot(OTHER));
    sub<Fp>(slot(OUT), slot(VALUE), slot(OTHER), 0);
  }
}

/** The same for P-256, whose values are apart. */
export function multiply256(n: i32): void {
  for (let i = 0; i < n; i++) mul<P256>(slot(VALUE_256), slot(VALUE_256), slot(OTHER_256));
}

export function square256(n: i32): void {
  for (let i = 0; i < n; i++) sqr<P256>(slot(VALUE_256), slot(VALUE_256));
}

export function addAndSubtract256(n: i32): void {
  for (let i = 0; i < n; i++) {
    add<P256>(slot(OUT_256), slot(VALUE_256), slot(OTHER_256));
    sub<P256>(slot(OUT_256), slot(VALUE_256), slot(OTHER_256), 0);
  }
}

/** Octets of a row of points of a table with windows of `width` bits, and of its masks, for scan. */
export function rowBytes(width: i32): usize {
  return <usize>(2 << (width - 1)) * entryBytes<Fp>();
}

/** n times: the masks of one index for every lane, and a scan of the row at `row` with them. */
export function scan(n: i32, width: i32, row: usize, masks: usize): void {
  memory.fill(slot(OUT), 0, 16);
  for (let i = 0; i < n; i++) {
    selectionMasks<Fp>(masks, slot(OUT), 1 << (width - 1));
    zero<Fp>(slot(SCANNED));
    zero<Fp>(slot(SCANNED) + bytes<Fp>());
    scanRow<Fp>(slot(SCANNED), row, 1 << (width - 1), 2, masks);
  }
}

/** n inversions mod p of one integer, each of the one before. */
export function invert(n: i32): void {
  getWords<Fp>(slot(WORDS), slot(VALUE), 0);
  for (let i = 0; i < n; i++) inverseMod(slot(WORDS), slot(WORDS), SAKKE_P);
  for (let lane = 0; lane < lanes(); lane++) setWords<Fp>(slot(VALUE), lane, slot(WORDS));
}

/** n inversions modulo the order of P-256. */
export function invert256(n: i32): void {
  memory.copy(slot(WORDS), P256_CURVE, 32);
  for (let i = 0; i < n; i++) inverseMod(slot(WORDS), slot(WORDS), P256_N);
}

/** n products mod q of integers, as scalars are handled. */
export function multiplyScalars(n: i32): void {
  memory.copy(slot(WORDS), SAKKE_CURVE, 128);
  for (let i = 0; i < n; i++) montgomeryMul(slot(WORDS), slot(WORDS), SAKKE_CURVE + 128, SAKKE_Q);
}

export function multiplyScalars256(n: i32): void {
  memory.copy(slot(WORDS), P256_CURVE, 32);
  for (let i = 0; i < n; i++) montgomeryMul(slot(WORDS), slot(WORDS), P256_CURVE + 32, P256_N);
}

/** The running value of lane 0 as an integer, 32 words least significant first, at `out`. */
export function value(out: usize): void {
  readInteger<Fp>(slot(INTEGER), slot(VALUE), 0, slot(TEMPORARY));
  memory.copy(out, slot(INTEGER), <usize>words<Fp>() << 2);
}
