// Point steps and F_p2 steps of a Miller loop. Both lanes of a pair work on one operation, so that a single pairing
// fills the vectors: lane 0 and lane 1 of a product are two products of the same formula. F_p2 elements are [re, im].
//
// Pairing <K, Q> (RFC 6508 3.2): the loop runs on K, lines are evaluated at the image (-x, i y) of Q. Values in F_p,
// vertical lines among them, vanish in PF_p and are left out.
//
// Bounds in multiples of p: X, Y below 38, Z below 9, so every product is of operands below 50 p.

import { Fp, add, copy, mul, mulAddMul, one, sqr, sub, swapPairs, zero } from "./field";
import { duplicateEven, duplicateOdd, evenOdd } from "./lanes";
import { slot } from "./scratch";

/** The running multiple of K: [X, X] and [Z, Y]. */
@inline export function X(): usize {
  return slot(20);
}
@inline export function ZY(): usize {
  return slot(21);
}
/** The fixed affine point, in both lanes: K or a small multiple of it. */
@inline export function baseX(): usize {
  return slot(22);
}
@inline export function baseY(): usize {
  return slot(23);
}
/** Numerator of the slope of the last step; the denominator is the new Z. */
@inline export function slope(): usize {
  return slot(24);
}
/** Coordinates of Q in both lanes. */
@inline export function evalX(): usize {
  return slot(25);
}
@inline export function evalY(): usize {
  return slot(26);
}
/** The accumulator. */
@inline export function f(): usize {
  return slot(27);
}
/** The line of the last step as [re, im]. */
@inline export function line(): usize {
  return slot(28);
}

const A: usize = 30;
const B: usize = 31;
const C: usize = 32;
const D: usize = 33;
const E: usize = 34;
const G: usize = 35;
const H: usize = 36;
const J: usize = 37;
const ZERO: usize = 38;

/** Starts at the base point. */
export function start(): void {
  zero<Fp>(slot(ZERO));
  copy<Fp>(X(), baseX());
  evenOdd<Fp>(ZY(), one<Fp>(), baseY());
}

/** C = 2C. With `withLine` the tangent, times 2 Y Z^3: (slope (Qx Z^2 + X) - 2 Y^2, Qy 2 Y Z^3). */
export function double(withLine: bool): void {
  const square = slot(A), delta = slot(B), gamma = slot(C), t = slot(D), beta = slot(E), alpha = slope(), u = slot(G), z3 = slot(H), v = slot(J);
  sqr<Fp>(square, ZY());
  duplicateEven<Fp>(delta, square);
  duplicateOdd<Fp>(gamma, square);
  sub<Fp>(t, X(), delta, 0);
  add<Fp>(u, X(), delta);
  evenOdd<Fp>(t, X(), t);
  evenOdd<Fp>(u, gamma, u);
  mul<Fp>(t, t, u);
  duplicateEven<Fp>(beta, t);
  duplicateOdd<Fp>(t, t);
  add<Fp>(alpha, t, t);
  add<Fp>(alpha, alpha, t);
  swapPairs<Fp>(u, ZY());
  add<Fp>(u, u, ZY());
  evenOdd<Fp>(t, alpha, u);
  sqr<Fp>(t, t);
  duplicateOdd<Fp>(z3, t);
  sub<Fp>(z3, z3, gamma, 0);
  sub<Fp>(z3, z3, delta, 0);
  duplicateEven<Fp>(t, t);
  add<Fp>(beta, beta, beta);
  add<Fp>(beta, beta, beta);
  add<Fp>(u, beta, beta);
  sub<Fp>(t, t, u, 5);
  if (withLine) {
    evenOdd<Fp>(u, evalX(), z3);
    mul<Fp>(u, u, delta);
    add<Fp>(v, u, X());
    evenOdd<Fp>(v, v, u);
    evenOdd<Fp>(u, alpha, evalY());
    mul<Fp>(v, u, v);
    add<Fp>(u, gamma, gamma);
    evenOdd<Fp>(u, u, slot(ZERO));
    sub<Fp>(line(), v, u, 1);
  }
  copy<Fp>(X(), t);
  sub<Fp>(u, beta, t, 6);
  evenOdd<Fp>(t, alpha, gamma);
  evenOdd<Fp>(u, u, gamma);
  mul<Fp>(t, t, u);
  duplicateOdd<Fp>(u, t);
  duplicateEven<Fp>(t, t);
  add<Fp>(u, u, u);
  add<Fp>(u, u, u);
  add<Fp>(u, u, u);
  sub<Fp>(t, t, u, 5);
  evenOdd<Fp>(ZY(), z3, t);
}

/** C = C + base. With `withLine` the chord, times the new Z: (slope (Qx + x) - y Z, Qy Z). */
export function addBase(withLine: bool): void {
  const z = slot(A), t = slot(B), u = slot(C), h = slot(D), y = slot(E), cubes = slot(G), z3 = slot(H), v = slot(J), r = slope();
  duplicateEven<Fp>(z, ZY());
  duplicateOdd<Fp>(y, ZY());
  evenOdd<Fp>(t, z, baseY());
  mul<Fp>(t, t, z);
  evenOdd<Fp>(u, baseX(), t);
  duplicateEven<Fp>(t, t);
  mul<Fp>(t, t, u);
  duplicateEven<Fp>(h, t);
  sub<Fp>(h, h, X(), 6);
  duplicateOdd<Fp>(r, t);
  sub<Fp>(r, r, y, 6);
  // [H^2, H Z], [H^3, X H^2], [r^2, Y H^3]
  evenOdd<Fp>(t, h, z);
  mul<Fp>(t, h, t);
  duplicateOdd<Fp>(z3, t);
  duplicateEven<Fp>(t, t);
  evenOdd<Fp>(u, h, X());
  mul<Fp>(cubes, t, u);
  duplicateEven<Fp>(t, cubes);
  duplicateOdd<Fp>(u, cubes);
  evenOdd<Fp>(v, r, t);
  evenOdd<Fp>(y, r, y);
  mul<Fp>(y, y, v);
  // X' = r^2 - H^3 - 2 X H^2
  add<Fp>(t, t, u);
  add<Fp>(t, t, u);
  duplicateEven<Fp>(v, y);
  sub<Fp>(X(), v, t, 2);
  // Y' = r (X H^2 - X') - Y H^3
  sub<Fp>(u, u, X(), 3);
  if (withLine) evenOdd<Fp>(u, u, z3);
  evenOdd<Fp>(t, r, evalY());
  mul<Fp>(t, t, u);
  duplicateOdd<Fp>(y, y);
  sub<Fp>(u, t, y, 0);
  duplicateEven<Fp>(u, u);
  evenOdd<Fp>(ZY(), z3, u);
  if (withLine) {
    add<Fp>(u, evalX(), baseX());
    evenOdd<Fp>(u, u, z3);
    evenOdd<Fp>(v, r, baseY());
    mul<Fp>(v, v, u);
    swapPairs<Fp>(u, v);
    sub<Fp>(v, v, u, 0);
    evenOdd<Fp>(line(), v, t);
  }
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
