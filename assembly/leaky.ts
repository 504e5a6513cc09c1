// Entry of a module that only bench/constant-time.ts compiles: routines whose time depends on their input, as those of the
// package must not. The timing test has to catch them. Not in the package.

import { Fp, mul, sqr } from "./field";
import { loadInteger } from "./points";
import { SAKKE_CURVE } from "./generated/curves";
import { slot } from "./scratch";

/** Slots of the running value and the other operand. Nothing else that is live has slots. */
const VALUE: usize = 16;
const OTHER: usize = 17;

export { heapBase, setWorkspace, workspaceBytes } from "./memory/workspace";

/** Stops at the first octet that differs. */
export function compareEarlyExit(a: usize, b: usize, length: i32): bool {
  for (let i: usize = 0; i < <usize>length; i++) {
    if (load<u8>(a + i) != load<u8>(b + i)) return false;
  }
  return true;
}

export function begin(): void {
  loadInteger<Fp>(slot(VALUE), SAKKE_CURVE);
  loadInteger<Fp>(slot(OTHER), SAKKE_CURVE + 128);
}

/** A power by squaring and multiplying that leaves out the zero bits, for the 64-bit exponent at `exponent`. */
export function powerSkipZeros(exponent: usize): void {
  for (let bits = load<u64>(exponent), i = 0; i < 64; i++, bits >>= 1) {
    sqr<Fp>(slot(VALUE), slot(VALUE));
    if ((bits & 1) != 0) mul<Fp>(slot(VALUE), slot(VALUE), slot(OTHER));
  }
}

/** Four multiplications for every set bit of the octet at `octet`. */
export function multiplyPerBit(octet: usize): void {
  for (let bits = load<u8>(octet); bits != 0; bits &= bits - 1) {
    for (let k = 0; k < 4; k++) mul<Fp>(slot(VALUE), slot(VALUE), slot(OTHER));
  }
}
