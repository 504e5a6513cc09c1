// The accumulator of a Miller loop in F_p2, as [re, im] in every pair of lanes. Values in F_p, vertical lines among
// them, vanish in PF_p and are left out.

import { below } from "./bounds";
import { Fp, add, mulPair, mulAddMulPair, one, sub, zero } from "./field";
import { duplicateEven, duplicateOdd, evenOdd, swapPairs } from "./lanes";
import { Accumulator, AccumulatorZero, MultiplyF, SquareF, claim, release, slot } from "./scratch";

/** The accumulator. */
@inline export function f(): usize {
  return slot(Accumulator.F);
}

/** Around the use of f. */
@inline export function ownAccumulator(): void {
  claim(Accumulator.F, Accumulator.END);
  claim(AccumulatorZero.ZERO, AccumulatorZero.END);
}

@inline export function disownAccumulator(): void {
  release(Accumulator.F, Accumulator.END);
  release(AccumulatorZero.ZERO, AccumulatorZero.END);
}

/** f = 1. */
export function startF(): void {
  zero<Fp>(slot(AccumulatorZero.ZERO));
  evenOdd<Fp>(f(), one<Fp>(), slot(AccumulatorZero.ZERO));
}

/** f = f^2: (a + b i)^2 = (a + b)(a - b) + 2 a b i. */
export function squareF(): void {
  claim(SquareF.SWAPPED, SquareF.END);
  const swapped = slot(SquareF.SWAPPED), t = slot(SquareF.T);
  swapPairs<Fp>(swapped, f());
  duplicateEven<Fp>(t, f());
  add<Fp>(t, t, swapped);
  evenOdd<Fp>(swapped, swapped, slot(AccumulatorZero.ZERO));
  sub<Fp>(swapped, f(), swapped, 0);
  mulPair<Fp>(f(), t, swapped);
  release(SquareF.SWAPPED, SquareF.END);
}

/** f = f l: [a, a][c, d] + [b, b][-d, c], for l below 50 p. */
export function multiplyF(l: usize): void {
  below<Fp>(l, 50);
  claim(MultiplyF.RE, MultiplyF.END);
  const re = slot(MultiplyF.RE), im = slot(MultiplyF.IM), swapped = slot(MultiplyF.SWAPPED), t = slot(MultiplyF.T);
  duplicateEven<Fp>(re, f());
  duplicateOdd<Fp>(im, f());
  swapPairs<Fp>(swapped, l);
  sub<Fp>(t, slot(AccumulatorZero.ZERO), swapped, 7);
  evenOdd<Fp>(swapped, t, swapped);
  mulAddMulPair<Fp>(f(), re, l, im, swapped);
  release(MultiplyF.RE, MultiplyF.END);
}
