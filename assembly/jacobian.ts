// Steps of a multiple of one point in Jacobian coordinates, a = -3. Both lanes of a pair work on one step, so that a
// single multiplication fills the vectors: lane 0 and lane 1 of a product are two products of the same formula.
// Where a pairing wants them, the steps leave the line through the points as a value in F_p2, [re, im].
//
// Bounds in multiples of p: X, Y below 38, Z below 9, so every product is of operands below 50 p.

import { below, evenOddBelow } from "./bounds";
import { P256, add, copy, isFp, minusTwice, mulPair, one, shiftLeft, sqrPair, sub, triple, tripleSum, zero } from "./field";
import { duplicateEven, duplicateOdd, evenOdd, swapPairs } from "./lanes";
import { Addition, Doubling, Line, Multiple, MultipleZero, claim, release, slot } from "./scratch";

/** The running multiple: [X, X] and [Z, Y]. */
@inline export function X(): usize {
  return slot(Multiple.X);
}
@inline export function ZY(): usize {
  return slot(Multiple.ZY);
}
/** The fixed affine point, in both lanes. */
@inline export function baseX(): usize {
  return slot(Multiple.BASE_X);
}
@inline export function baseY(): usize {
  return slot(Multiple.BASE_Y);
}
/** Numerator of the slope of the last step; the denominator is the new Z. */
@inline export function slope(): usize {
  return slot(Multiple.SLOPE);
}
/** Coordinates of the point at which lines are evaluated, in both lanes. */
@inline export function evalX(): usize {
  return slot(Multiple.EVAL_X);
}
@inline export function evalY(): usize {
  return slot(Multiple.EVAL_Y);
}
/** The line of the last step as [re, im]. */
@inline export function line(): usize {
  return slot(Line.VALUE);
}

/** Before the base point is loaded, and after the last use of the multiple. */
@inline export function ownMultiple(): void {
  claim(Multiple.X, Multiple.END);
  claim(MultipleZero.ZERO, MultipleZero.END);
}

@inline export function disownMultiple(): void {
  release(Multiple.X, Multiple.END);
  release(MultipleZero.ZERO, MultipleZero.END);
}

/** Starts at the base point. For lines, the caller owns Line as well. */
export function start<F>(): void {
  zero<F>(slot(MultipleZero.ZERO));
  copy<F>(X(), baseX());
  evenOdd<F>(ZY(), one<F>(), baseY());
}

/** The bounds above. */
@inline function withinBounds<F>(): void {
  below<F>(X(), 38);
  evenOddBelow<F>(ZY(), 9, 38);
}

/** C = 2C. With `withLine`, which is for Fp, the tangent times 2 Y Z^3: (slope (Qx Z^2 + X) - 2 Y^2, Qy 2 Y Z^3). */
export function double<F>(withLine: bool): void {
  if (!isFp<F>()) {
    doubleOnP256();
    return;
  }
  withinBounds<F>();
  claim(Doubling.SQUARE, Doubling.END);
  const square = slot(Doubling.SQUARE), delta = slot(Doubling.DELTA), gamma = slot(Doubling.GAMMA), t = slot(Doubling.T),
      beta = slot(Doubling.BETA), alpha = slope(), u = slot(Doubling.U), z3 = slot(Doubling.Z3), v = slot(Doubling.V);
  sqrPair<F>(square, ZY());
  duplicateEven<F>(delta, square);
  duplicateOdd<F>(gamma, square);
  sub<F>(t, X(), delta, 0);
  add<F>(u, X(), delta);
  evenOdd<F>(t, X(), t);
  evenOdd<F>(u, gamma, u);
  mulPair<F>(t, t, u);
  duplicateEven<F>(beta, t);
  duplicateOdd<F>(t, t);
  triple(alpha, t);
  // [alpha^2, Z' = 2 Y Z = (Y + Z)^2 - gamma - delta]
  swapPairs<F>(u, ZY());
  add<F>(u, u, ZY());
  evenOdd<F>(t, alpha, u);
  sqrPair<F>(t, t);
  duplicateOdd<F>(z3, t);
  sub<F>(z3, z3, gamma, 0);
  sub<F>(z3, z3, delta, 0);
  if (withLine) {
    evenOdd<F>(u, evalX(), z3);
    mulPair<F>(u, u, delta);
    add<F>(v, u, X());
    evenOdd<F>(v, v, u);
    evenOdd<F>(u, alpha, evalY());
    mulPair<F>(v, u, v);
    add<F>(u, gamma, gamma);
    evenOdd<F>(u, u, slot(MultipleZero.ZERO));
    sub<F>(line(), v, u, 1);
  }
  // X' = alpha^2 - 8 beta
  duplicateEven<F>(t, t);
  shiftLeft(u, beta, 3);
  sub<F>(X(), t, u, 5);
  shiftLeft(beta, beta, 2);
  sub<F>(u, beta, X(), 6);
  evenOdd<F>(t, alpha, gamma);
  evenOdd<F>(u, u, gamma);
  mulPair<F>(t, t, u);
  duplicateOdd<F>(u, t);
  duplicateEven<F>(t, t);
  shiftLeft(u, u, 3);
  sub<F>(t, t, u, 5);
  evenOdd<F>(ZY(), z3, t);
  release(Doubling.SQUARE, Doubling.END);
}

/**
 * C = 2C on P-256, where passes of sums cost more beside the products. With D = Z^2, H = 2 Y^2, G = 2 H, B = X G and
 * A = 3 (X - D)(X + D):
 *   X' = A^2 - 2 B,  Y' = A (B - X') - G H,  Z' = 2 Y Z
 */
function doubleOnP256(): void {
  claim(Doubling.SQUARE, Doubling.END);
  const square = slot(Doubling.SQUARE), D = slot(Doubling.DELTA), H = slot(Doubling.GAMMA), t = slot(Doubling.T),
      G = slot(Doubling.BETA), A = slope(), u = slot(Doubling.U), z3 = slot(Doubling.Z3), B = slot(Doubling.V);
  // [Z, Y] [Z, 2 Y] = [D, H]
  add<P256>(t, ZY(), ZY());
  evenOdd<P256>(u, ZY(), t);
  mulPair<P256>(square, ZY(), u);
  duplicateEven<P256>(D, square);
  duplicateOdd<P256>(H, square);
  add<P256>(G, H, H);
  // [X, X - D] [G, 3 (X + D)] = [B, A]
  sub<P256>(u, X(), D, 0);
  tripleSum(D, X(), D);
  evenOdd<P256>(u, X(), u);
  evenOdd<P256>(D, G, D);
  mulPair<P256>(u, u, D);
  duplicateEven<P256>(B, u);
  duplicateOdd<P256>(A, u);
  // [A, 2 Y] [A, Z] = [A^2, Z']
  swapPairs<P256>(u, ZY());
  evenOdd<P256>(u, A, u);
  evenOdd<P256>(t, A, t);
  mulPair<P256>(t, t, u);
  duplicateOdd<P256>(z3, t);
  duplicateEven<P256>(t, t);
  minusTwice(X(), t, B);
  // [A, G] [B - X', H], whose difference is Y'
  sub<P256>(u, B, X(), 0);
  evenOdd<P256>(u, u, H);
  evenOdd<P256>(t, A, G);
  mulPair<P256>(t, t, u);
  swapPairs<P256>(u, t);
  sub<P256>(u, u, t, 0);
  evenOdd<P256>(ZY(), z3, u);
  release(Doubling.SQUARE, Doubling.END);
}

/** C = C + base. With `withLine` the chord, times the new Z: (slope (Qx + x) - y Z, Qy Z). */
export function addBase<F>(withLine: bool): void {
  withinBounds<F>();
  claim(Addition.Z, Addition.END);
  const z = slot(Addition.Z), t = slot(Addition.T), u = slot(Addition.U), h = slot(Addition.H), y = slot(Addition.Y),
      cubes = slot(Addition.CUBES), z3 = slot(Addition.Z3), v = slot(Addition.V), r = slope();
  duplicateEven<F>(z, ZY());
  duplicateOdd<F>(y, ZY());
  evenOdd<F>(t, z, baseY());
  mulPair<F>(t, t, z);
  evenOdd<F>(u, baseX(), t);
  duplicateEven<F>(t, t);
  mulPair<F>(t, t, u);
  duplicateEven<F>(h, t);
  sub<F>(h, h, X(), 6);
  duplicateOdd<F>(r, t);
  sub<F>(r, r, y, 6);
  // [H^2, H Z], [H^3, X H^2], [r^2, Y H^3]
  evenOdd<F>(t, h, z);
  mulPair<F>(t, h, t);
  duplicateOdd<F>(z3, t);
  duplicateEven<F>(t, t);
  evenOdd<F>(u, h, X());
  mulPair<F>(cubes, t, u);
  duplicateEven<F>(t, cubes);
  duplicateOdd<F>(u, cubes);
  evenOdd<F>(v, r, t);
  evenOdd<F>(y, r, y);
  mulPair<F>(y, y, v);
  // X' = r^2 - H^3 - 2 X H^2
  add<F>(t, t, u);
  add<F>(t, t, u);
  duplicateEven<F>(v, y);
  sub<F>(X(), v, t, 2);
  // Y' = r (X H^2 - X') - Y H^3
  sub<F>(u, u, X(), 3);
  if (withLine) evenOdd<F>(u, u, z3);
  evenOdd<F>(t, r, evalY());
  mulPair<F>(t, t, u);
  duplicateOdd<F>(y, y);
  sub<F>(u, t, y, 0);
  duplicateEven<F>(u, u);
  evenOdd<F>(ZY(), z3, u);
  if (withLine) {
    add<F>(u, evalX(), baseX());
    evenOdd<F>(u, u, z3);
    evenOdd<F>(v, r, baseY());
    mulPair<F>(v, v, u);
    swapPairs<F>(u, v);
    sub<F>(v, v, u, 0);
    evenOdd<F>(line(), v, t);
  }
  release(Addition.Z, Addition.END);
}
