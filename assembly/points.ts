// Sums of affine points on y^2 = x^3 - 3x + b, many at once. Element vectors hold as many independent sums as there
// are lanes; a point is the vector of x followed by the vector of y.
//
// An affine addition costs 5M + 1S with the inversions of a whole level shared. All summands are known when a sum
// starts, so they are added as a binary tree: a level has no dependencies and needs one inversion for everything.

import { below } from "./bounds";
import { add, bytes, copy, fuses, getWords, isFp, lanes, mul, mulAddMul, mulMinus, one, pointBytes, rSquared, setWords,
    sqr, sqrMinusBoth, sub, words as wordCount, zero } from "./field";
import { P256_CURVE } from "./generated/curves";
import { P256_P, SAKKE_P } from "./generated/moduli";
import { inverseMod } from "./inverse";
import { broadcast, swapPairs } from "./lanes";
import { isZero } from "./scalar";
import { Affine, Complete, Curve, Inversion, Other, Shared, Sum, Tree, Vanishing, claim, release, slot } from "./scratch";

@inline export function fieldModulus<F>(): usize {
  return isFp<F>() ? SAKKE_P : P256_P;
}

/** Loads the integer at `words` into every lane, in Montgomery form. */
export function loadInteger<F>(out: usize, words: usize): void {
  for (let lane = 0; lane < lanes(); lane++) setWords<F>(out, lane, words);
  mul<F>(out, out, rSquared<F>());
}

/** Reads lane `lane` of an element in Montgomery form as a canonical integer. `t` is a temporary vector. */
export function readInteger<F>(words: usize, a: usize, lane: i32, t: usize): void {
  zero<F>(t);
  memory.fill(words, 0, <usize>wordCount<F>() << 2);
  store<u32>(words, 1);
  for (let i = 0; i < lanes(); i++) setWords<F>(t, i, words);
  mul<F>(t, a, t);
  getWords<F>(words, t, lane);
}

/** 1 if the value is 0 mod p in lane 0, else 0; it is below 100 p. */
export function vanishes<F>(a: usize): u32 {
  below<F>(a, 100);
  claim(Vanishing.VALUE, Vanishing.END);
  const t = slot(Vanishing.VALUE), words = slot(Vanishing.WORDS);
  mul<F>(t, a, one<F>());
  getWords<F>(words, t, 0);
  release(Vanishing.VALUE, Vanishing.END);
  return isZero(words, wordCount<F>());
}

/**
 * a = 1/a in every lane, with one inversion for each pair of lanes. False, and a is undefined, if a lane is zero.
 * The branch tells only that an exceptional case occurred, see sumTree.
 */
export function invertLanes<F>(a: usize): bool {
  claim(Inversion.SWAPPED, Inversion.END);
  const swapped = slot(Inversion.SWAPPED), t = slot(Inversion.PRODUCT), cube = slot(Inversion.CUBE),
      words = slot(Inversion.WORDS);
  let ok: u32 = 1;
  swapPairs<F>(swapped, a);
  mul<F>(t, a, swapped);
  for (let lane = 0; lane < lanes(); lane += 2) {
    getWords<F>(words, t, lane);
    ok &= 1 ^ isZero(words, wordCount<F>());
    inverseMod(words, words, fieldModulus<F>());
    setWords<F>(t, lane, words);
    setWords<F>(t, lane + 1, words);
  }
  // The words were x R, their inverse is 1/(x R): times R^3 in Montgomery form is R/x.
  mul<F>(cube, rSquared<F>(), rSquared<F>());
  mul<F>(t, t, cube);
  mul<F>(a, t, swapped);
  zero<F>(words);
  release(Inversion.SWAPPED, Inversion.END);
  return ok == 1;
}

/** Replaces `count` vectors at `a` by their inverses; `prefix` has room for as many. False if one is zero. */
export function invertMany<F>(a: usize, count: i32, prefix: usize): bool {
  claim(Shared.PRODUCT, Shared.END);
  const acc = slot(Shared.PRODUCT), size = bytes<F>();
  copy<F>(acc, one<F>());
  for (let k: usize = 0; k < <usize>count; k++) {
    copy<F>(prefix + k * size, acc);
    mul<F>(acc, acc, a + k * size);
  }
  if (!invertLanes<F>(acc)) {
    release(Shared.PRODUCT, Shared.END);
    return false;
  }
  for (let k = <isize>count - 1; k >= 0; k--) {
    const x = a + <usize>k * size;
    mul<F>(slot(Shared.NEXT), acc, x);
    mul<F>(x, acc, prefix + <usize>k * size);
    copy<F>(acc, slot(Shared.NEXT));
  }
  release(Shared.PRODUCT, Shared.END);
  return true;
}

/**
 * Affine a + b to `out` (may be a) given `inverse` = 1/(b.x - a.x). Bounds: at tree depth `level` coordinates of the
 * operands are below X_level p (generate-constants.mjs), those of the sum below X_(level + 1) p.
 */
@inline function addAffine<F>(out: usize, a: usize, b: usize, inverse: usize, level: i32): void {
  const y = bytes<F>(), slope = slot(Tree.SLOPE), x3 = slot(Tree.X3), t = slot(Tree.T);
  sub<F>(t, b + y, a + y, 2 * level);
  mul<F>(slope, inverse, t);
  if (fuses<F>()) {
    sqrMinusBoth(out, slope, a, b, 2 * level + 1, t);
    mulMinus(out + y, t, slope, a + y, 2 * level);
    return;
  }
  sqr<F>(x3, slope);
  add<F>(t, a, b);
  sub<F>(x3, x3, t, 2 * level + 1);
  sub<F>(t, a, x3, 2 * level + 2);
  mul<F>(t, t, slope);
  sub<F>(out + y, t, a + y, 2 * level);
  copy<F>(out, x3);
}

/**
 * As addAffine for coordinates below 2.25 p, and so is the sum: what is subtracted goes through the reduction, as a product
 * with 1. That takes 0.9 of a product more, and two products with 1 afterwards would take 2.
 */
function addAffineShort<F>(out: usize, a: usize, b: usize, inverse: usize): void {
  const y = bytes<F>(), slope = slot(Tree.SLOPE), x3 = slot(Tree.X3), t = slot(Tree.T), none = slot(Tree.NONE), unit = one<F>();
  sub<F>(t, b + y, a + y, 0);
  mul<F>(slope, inverse, t);
  add<F>(t, a, b);
  sub<F>(t, none, t, 1);
  mulAddMul<F>(x3, slope, slope, t, unit);
  sub<F>(t, a, x3, 0);
  copy<F>(out, x3);
  sub<F>(x3, none, a + y, 0);
  mulAddMul<F>(out + y, t, slope, x3, unit);
  below<F>(out, 2.25);
  below<F>(out + y, 2.25);
}

/**
 * One level: for k < pairs, left[k * leftStep] + right[k * rightStep] to out[k], with one shared inversion.
 * Descending products, ascending additions: out[k] may lie over operands of smaller or equal k.
 * False if two operands have equal x, which leaves operands with smaller k overwritten or not. `short`: see addAffineShort.
 */
function addLevel<F>(out: usize, left: usize, right: usize, step: usize, run: i32, pairs: i32, level: i32, prefix: usize,
    short: bool): bool {
  claim(Tree.PRODUCT, Tree.END);
  const acc = slot(Tree.PRODUCT), dx = slot(Tree.DIFFERENCE), inverse = slot(Tree.INVERSE), size = bytes<F>(),
      point = pointBytes<F>();
  copy<F>(acc, one<F>());
  if (short) zero<F>(slot(Tree.NONE));
  for (let k = pairs - 1; k >= 0; k--) {
    const at = <usize>(k / run) * step + <usize>(k % run) * point;
    copy<F>(prefix + <usize>k * size, acc);
    sub<F>(dx, right + at, left + at, 2 * level);
    mul<F>(acc, acc, dx);
  }
  if (!invertLanes<F>(acc)) {
    release(Tree.PRODUCT, Tree.END);
    return false;
  }
  for (let k = 0; k < pairs; k++) {
    const at = <usize>(k / run) * step + <usize>(k % run) * point;
    mul<F>(inverse, acc, prefix + <usize>k * size);
    sub<F>(dx, right + at, left + at, 2 * level);
    mul<F>(acc, acc, dx);
    if (short) addAffineShort<F>(out + <usize>k * point, left + at, right + at, inverse);
    else addAffine<F>(out + <usize>k * point, left + at, right + at, inverse, level);
  }
  release(Tree.PRODUCT, Tree.END);
  return true;
}

/**
 * out[k] = a[k] + b[k] for `count` point vectors; `out` may be `a`. All coordinates below 2.25 p, as those of P-256 are
 * anyway. False as above.
 */
export function addMany<F>(out: usize, a: usize, b: usize, count: i32, prefix: usize): bool {
  return addLevel<F>(out, a, b, pointBytes<F>() * <usize>count, count, count, 0, prefix, isFp<F>());
}

/**
 * Sums points[i * groups + g] over i < count (at most 512) for every g, into points[g]. `prefix` has room for
 * count / 2 * groups vectors.
 *
 * Two summands with equal x (the law's exceptional case, equal or opposite points) make the shared product zero; the
 * result is then false and the caller takes sumComplete on fresh summands. For scalars not made up for the purpose
 * this has a probability of about 2^-1000 (2^-240 on P-256), so the branch tells nothing about honest secrets.
 */
export function sumTree<F>(points: usize, count: i32, groups: i32, prefix: usize): bool {
  return sumLevels<F>(points, count, groups, prefix, 1) == 1;
}

/** As sumTree, down to at most `few` summands a group; returns how many are left, or 0 for an exceptional case. */
export function sumLevels<F>(points: usize, count: i32, groups: i32, prefix: usize, few: i32): i32 {
  const row = pointBytes<F>() * <usize>groups;
  for (let level = 0; count > few; level++) {
    const half = count >> 1;
    if (!addLevel<F>(points, points, points + row, 2 * row, groups, half * groups, level, prefix, false)) return 0;
    if (count & 1) memory.copy(points + <usize>half * row, points + <usize>(count - 1) * row, row);
    count = half + (count & 1);
  }
  return count;
}

/**
 * (X:Y:Z) += (x:y:z), complete on points of odd order, a = -3 (Renes, Costello, Batina: "Complete addition formulas for
 * prime order elliptic curves", Eurocrypt 2016, section 3.2). z = 0 stands for an affine point. With A = X x, B = Y y,
 * C = Z z, E = X y + x Y, F = Y z + y Z, G = X z + x Z, W = 3 (G - b C), U = 3 (A - C), V = 3 (b G - 3 C - A):
 *   X' = E (B + W) - F V,  Y' = (B + W)(B - W) + U V,  Z' = F (B - W) + E U
 * b is in Curve.B for P-256 and is 0 for Fp.
 */
function addComplete<F>(X: usize, x: usize, z: usize): void {
  const size = bytes<F>(), Y = X + size, Z = Y + size, y = x + size;
  claim(Complete.C, Complete.END);
  const A = slot(Complete.A), B = slot(Complete.B), E = slot(Complete.E), f = slot(Complete.F), G = slot(Complete.G),
      W = slot(Complete.W);
  const U = slot(Complete.U), V = slot(Complete.V), t = slot(Complete.T), n = slot(Complete.N), C = slot(Complete.C);
  mul<F>(A, X, x);
  mul<F>(B, Y, y);
  mulAddMul<F>(E, X, y, x, Y);
  if (z == 0) {
    copy<F>(C, Z);
    mul<F>(f, y, Z);
    add<F>(f, f, Y);
    mul<F>(G, x, Z);
    add<F>(G, G, X);
  } else {
    mul<F>(C, Z, z);
    mulAddMul<F>(f, Y, z, y, Z);
    mulAddMul<F>(G, X, z, x, Z);
  }
  // Multiples of p each value stays below, for Fp and affine points below 3 p: A, B, C, E 2.25; F, G 5.25; W 15.75; U 15.75;
  // -V 27, V 35.
  add<F>(n, C, C);
  add<F>(n, n, C);
  add<F>(n, n, A);
  if (isFp<F>()) {
    copy<F>(W, G);
  } else {
    mul<F>(t, slot(Curve.B), C);
    sub<F>(W, G, t, 0);
    mul<F>(t, slot(Curve.B), G);
    sub<F>(n, n, t, 0);
  }
  add<F>(t, W, W);
  add<F>(W, t, W);
  add<F>(t, n, n);
  add<F>(n, t, n);
  zero<F>(V);
  sub<F>(V, V, n, 5);
  sub<F>(U, A, C, 0);
  add<F>(t, U, U);
  add<F>(U, t, U);
  sub<F>(t, B, W, 4);
  add<F>(W, B, W);
  if (isFp<F>()) {
    below<F>(E, 2.25);
    below<F>(f, 5.25);
    below<F>(W, 18);
    below<F>(U, 15.75);
    below<F>(n, 27);
    below<F>(V, 35);
  }
  mulAddMul<F>(X, E, W, f, n);
  mulAddMul<F>(Y, W, t, U, V);
  mulAddMul<F>(Z, f, t, E, U);
  release(Complete.C, Complete.END);
}

/** (X:Y:Z) += (x:y:z), three vectors each at X and x; either may be the neutral element (0:1:0). */
export function addProjective<F>(X: usize, x: usize): void {
  loadCurve<F>();
  addComplete<F>(X, x, x + 2 * bytes<F>());
  release(Curve.B, Curve.END);
}

/** Loads the constant of the curve that addComplete needs. The caller releases its slot. */
function loadCurve<F>(): void {
  claim(Curve.B, Curve.END);
  if (!isFp<F>()) loadInteger<F>(slot(Curve.B), P256_CURVE + 64);
}

/** out = points[0] + ... + points[count - 1], projective, in three consecutive vectors; affine summands. */
@inline function sumProjective<F>(out: usize, points: usize, count: i32, step: usize): void {
  memory.copy(out, points, pointBytes<F>());
  copy<F>(out + pointBytes<F>(), one<F>());
  for (let i: usize = 1; i < <usize>count; i++) addComplete<F>(out, points + i * step, 0);
}

/** Writes the affine point of (X:Y:Z) to `point` and, for every lane, 1 at infinity[lane] where it is the neutral element. */
function toAffineComplete<F>(point: usize, X: usize, infinity: usize): void {
  claim(Affine.WORDS, Affine.END);
  const size = bytes<F>(), words = slot(Affine.WORDS);
  for (let lane = 0; lane < lanes(); lane++) {
    getWords<F>(words, X + 2 * size, lane);
    store<u8>(infinity + <usize>lane, <u8>isZero(words, wordCount<F>()));
    inverseMod(words, words, fieldModulus<F>());
    setWords<F>(slot(Affine.INVERSE), lane, words);
  }
  mul<F>(slot(Affine.CUBE), rSquared<F>(), rSquared<F>());
  mul<F>(slot(Affine.INVERSE), slot(Affine.INVERSE), slot(Affine.CUBE));
  mul<F>(point, X, slot(Affine.INVERSE));
  mul<F>(point + size, X + size, slot(Affine.INVERSE));
  release(Affine.WORDS, Affine.END);
}

/**
 * The sum of `count` summands in each lane, and over the lanes, to (X:Y:Z) in every lane, with complete additions.
 * Coordinates of the summands below 2.25 p; X is in none of the slots of Inversion, Complete, Curve and Other.
 */
export function foldProjective<F>(X: usize, points: usize, count: i32): void {
  claim(Other.X, Other.END);
  const size = bytes<F>(), other = slot(Other.X);
  loadCurve<F>();
  sumProjective<F>(X, points, count, pointBytes<F>());
  for (let distance = 1; distance < lanes(); distance <<= 1) {
    for (let k: usize = 0; k < 3 * size; k += size) {
      if (distance == 1) swapPairs<F>(other + k, X + k);
      else broadcast<F>(other + k, X + k, 2);
    }
    addComplete<F>(X, other, other + 2 * size);
  }
  for (let k: usize = 0; k < 3 * size; k += size) broadcast<F>(X + k, X + k, 0);
  release(Curve.B, Curve.END);
  release(Other.X, Other.END);
}

/** As foldProjective, to an affine point in points[0]; 1 at `infinity` if the sum is the neutral element. */
export function foldLanes<F>(points: usize, count: i32, infinity: usize): void {
  claim(Sum.X, Sum.END);
  const X = slot(Sum.X);
  foldProjective<F>(X, points, count);
  toAffineComplete<F>(points, X, infinity);
  release(Sum.X, Sum.END);
}

/**
 * The sums of sumTree one by one with complete additions: about twice the work, no exceptional cases. Writes the
 * affine sums to points[g] and, for every lane, 1 at infinity[g * lanes + lane] where the sum is the neutral element.
 */
export function sumComplete<F>(points: usize, count: i32, groups: i32, infinity: usize): void {
  claim(Sum.X, Sum.END);
  const point = pointBytes<F>(), X = slot(Sum.X);
  loadCurve<F>();
  for (let g = 0; g < groups; g++) {
    const sum = points + <usize>g * point;
    sumProjective<F>(X, sum, count, <usize>groups * point);
    toAffineComplete<F>(sum, X, infinity + <usize>(g * lanes()));
  }
  release(Curve.B, Curve.END);
  release(Sum.X, Sum.END);
}
