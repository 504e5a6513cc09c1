// The accumulator of a Miller loop in F_p2, as [re, im] in every pair of lanes. Values in F_p, vertical lines among
// them, vanish in PF_p and are left out.

import { Fp, add, mul, mulAddMul, one, sub, zero } from "./field";
import { duplicateEven, duplicateOdd, evenOdd, swapPairs } from "./lanes";
import { slot } from "./scratch";

/** The accumulator. */
@inline export function f(): usize {
  return slot(27);
}

const A: usize = 30;
const B: usize = 31;
const C: usize = 32;
const D: usize = 33;
const ZERO: usize = 39;

/** f = 1. */
export function startF(): void {
  zero<Fp>(slot(ZERO));
  evenOdd<Fp>(f(), one<Fp>(), slot(ZERO));
}

/** f = f^2: (a + b i)^2 = (a + b)(a - b) + 2 a b i. */
export function squareF(): void {
  const swapped = slot(A), t = slot(B);
  swapPairs<Fp>(swapped, f());
  duplicateEven<Fp>(t, f());
  add<Fp>(t, t, swapped);
  evenOdd<Fp>(swapped, swapped, slot(ZERO));
  sub<Fp>(swapped, f(), swapped, 0);
  mul<Fp>(f(), t, swapped);
}

/** f = f l: [a, a][c, d] + [b, b][-d, c], for l below 50 p. */
export function multiplyF(l: usize): void {
  const re = slot(A), im = slot(B), swapped = slot(C), t = slot(D);
  duplicateEven<Fp>(re, f());
  duplicateOdd<Fp>(im, f());
  swapPairs<Fp>(swapped, l);
  sub<Fp>(t, slot(ZERO), swapped, 7);
  evenOdd<Fp>(swapped, t, swapped);
  mulAddMul<Fp>(f(), re, l, im, swapped);
}
