// The pairing <K, Q> = <Q, K> of RFC 6508 3.2, two ways: directly, and with the lines of a fixed K stored.
//
// Stored lines (K an RSK, used for every message of a key period) are merged two doublings at a time. With C = [k]K,
// L_C the tangent at C and v_P the vertical through P, the function L_C^2 L_2C / v_2C^2 has divisor
// 4(C) + (-4C) - 5(O) and so is y (x + b) - (a2 x^2 + a1 x + a0). The chord through 4C and +-K, or the chord through 4C and
// +-2K with the tangent at +-K, divided by the verticals in between, keeps the form A(x) + y B(x): digit 0 has
// deg A = 2, digits +-1 a monic A of degree 3, digits +-2 a monic B of degree 2. A step is then f = f^4 (A + y B).

import { below } from "./bounds";
import { Fp, add, bytes, copy, getWords, lanes, mul, mulPair, mulAddMulPair, one, sqr, sqrPair, sub, words as wordCount,
    zero } from "./field";
import { NAF_DIGITS, NAF_LENGTH, RADIX4_DIGITS, RADIX4_LENGTH, SAKKE_CURVE } from "./generated/curves";
import { X, ZY, addBase, baseX, baseY, disownMultiple, double, evalX, evalY, line, ownMultiple, slope,
    start } from "./jacobian";
import { broadcast, duplicateEven, duplicateOdd, evenOdd, moveLane, weave } from "./lanes";
import { disownAccumulator, f, multiplyF, ownAccumulator, squareF, startF } from "./miller";
import { invertLanes, invertMany, loadInteger, vanishes } from "./points";
import { isZero } from "./scalar";
import {
  Bases, Chord, Coefficients, Direct, DoubleDigit, Evaluation, Finish, Line, Lines, Preparation,
  ReceiverCheck, Tangents, claim, release, slot,
} from "./scratch";
import { toIntegers, writeOctets } from "./fixedbase";

const SCALAR: usize = 128;

/** Writes the representative of f^4 (c = (p + 1)/q = 4) in PF_p to 128 octets. */
function finish(out: usize): void {
  claim(Finish.RE, Finish.END);
  const re = slot(Finish.RE), im = slot(Finish.IM);
  squareF();
  squareF();
  duplicateEven<Fp>(re, f());
  duplicateOdd<Fp>(im, f());
  invertLanes<Fp>(re);
  mulPair<Fp>(re, re, im);
  toIntegers<Fp>(re, 1);
  writeOctets<Fp>(out, re, 0);
  release(Finish.RE, Finish.END);
}

/**
 * <K, Q> for affine points in words, without tables, to 128 octets. 1 if K is not of order q (then the result means
 * nothing), else 0. Both may be secret.
 */
export function pairDirect(out: usize, K: usize, Q: usize): u32 {
  ownMultiple();
  ownAccumulator();
  claim(Line.VALUE, Line.END);
  claim(Direct.Y, Direct.END);
  loadInteger<Fp>(baseX(), K);
  loadInteger<Fp>(baseY(), K + SCALAR);
  loadInteger<Fp>(evalX(), Q);
  loadInteger<Fp>(evalY(), Q + SCALAR);
  // Bases of additions: K and 3K, by sign; with 3K goes f_3 = (tangent at K)(chord through 2K and K), conjugate for -3K.
  const y = slot(Direct.Y), negative = slot(Direct.NEGATIVE), x = slot(Direct.X), x3 = slot(Direct.X3),
      y3 = slot(Direct.Y3), negative3 = slot(Direct.NEGATIVE3);
  const f3 = slot(Direct.F3), conjugate3 = slot(Direct.CONJUGATE3), none = slot(Direct.NONE), t = slot(Direct.T),
      z = slot(Direct.Z), Y = slot(Direct.POINT_Y);
  zero<Fp>(none);
  copy<Fp>(x, baseX());
  copy<Fp>(y, baseY());
  sub<Fp>(negative, none, y, 0);
  start<Fp>();
  startF();
  double<Fp>(true);
  multiplyF(line());
  addBase<Fp>(true);
  multiplyF(line());
  copy<Fp>(f3, f());
  sub<Fp>(t, none, f3, 0);
  evenOdd<Fp>(conjugate3, f3, t);
  duplicateEven<Fp>(z, ZY());
  invertLanes<Fp>(z);
  sqrPair<Fp>(t, z);
  mulPair<Fp>(z, z, t);
  mulPair<Fp>(x3, X(), t);
  duplicateOdd<Fp>(Y, ZY());
  mulPair<Fp>(y3, Y, z);
  sub<Fp>(negative3, none, y3, 0);
  start<Fp>();
  startF();
  for (let i = 1; i < NAF_LENGTH; i++) {
    const digit = load<i8>(NAF_DIGITS + <usize>i);
    squareF();
    double<Fp>(true);
    multiplyF(line());
    if (digit == 0) continue;
    if (abs(digit) == 1) {
      copy<Fp>(baseX(), x);
      copy<Fp>(baseY(), digit > 0 ? y : negative);
    } else {
      copy<Fp>(baseX(), x3);
      copy<Fp>(baseY(), digit > 0 ? y3 : negative3);
      multiplyF(digit > 0 ? f3 : conjugate3);
    }
    addBase<Fp>(true);
    multiplyF(line());
  }
  finish(out);
  // C is [q - 1]K now: -K if K has order q. X = x Z^2, Y = -y Z^3.
  duplicateEven<Fp>(z, ZY());
  duplicateOdd<Fp>(Y, ZY());
  // A point of order 2 or 4 leads to Z = 0, where both equations hold whatever x and y are.
  const lost = vanishes<Fp>(z);
  sqrPair<Fp>(t, z);
  mulPair<Fp>(z, z, t);
  mulPair<Fp>(t, t, x);
  sub<Fp>(t, t, X(), 6);
  mulPair<Fp>(z, z, y);
  add<Fp>(Y, Y, z);
  const order = vanishes<Fp>(t) & vanishes<Fp>(Y) & (1 ^ lost);
  release(Direct.Y, Direct.END);
  release(Line.VALUE, Line.END);
  disownAccumulator();
  disownMultiple();
  return 1 ^ order;
}

// Layout of stored lines: element vectors, pairs of lanes [coefficient for the real part, for the imaginary part].
// First the tangent at K as [-slope, 1], [-intercept, 0]; then for every radix-4 digit c2, c1, c0 and, for +-2, c3.

@inline function digitAt(step: i32): i32 {
  return load<i8>(RADIX4_DIGITS + <usize>step);
}

/** Octets of the stored lines of one key. */
export function linesBytes(): usize {
  let vectors = 2;
  for (let i = 0; i < RADIX4_LENGTH; i++) vectors += abs(digitAt(i)) == 2 ? 4 : 3;
  return <usize>vectors * bytes<Fp>();
}

/** Points that the loop passes: K, 2K, then two or three a digit. */
function pointsPassed(): i32 {
  let count = 2;
  for (let i = 0; i < RADIX4_LENGTH; i++) count += digitAt(i) == 0 ? 2 : 3;
  return count;
}

/** Octets of scratch for prepareLines: X, Y, Z, slope and prefix products of the points passed. */
export function linesScratch(): usize {
  return <usize>((pointsPassed() + lanes() - 1) / lanes()) * 5 * bytes<Fp>();
}

/** Keeps the running point, and the numerator of the slope that led to it, as number `index`. */
function record(scratch: usize, groups: usize, index: i32): void {
  const size = bytes<Fp>(), at = scratch + <usize>(index / lanes()) * size, lane = index % lanes();
  moveLane<Fp>(at, lane, X(), 0);
  moveLane<Fp>(at + groups * size, lane, ZY(), 1);
  moveLane<Fp>(at + 2 * groups * size, lane, ZY(), 0);
  moveLane<Fp>(at + 3 * groups * size, lane, slope(), 0);
}

@inline function recalled(to: usize, scratch: usize, groups: usize, part: usize, index: i32): void {
  const size = bytes<Fp>();
  broadcast<Fp>(to, scratch + part * groups * size + <usize>(index / lanes()) * size, index % lanes());
}

/** Loads the part of the points `offset` further than the first one of each lane's digit. */
function gathered(to: usize, scratch: usize, groups: usize, part: usize, offset: i32): void {
  const size = bytes<Fp>();
  for (let lane = 0; lane < lanes(); lane++) {
    const index = pointOf(lane) + offset;
    moveLane<Fp>(to, lane, scratch + (part * groups + <usize>(index / lanes())) * size, index % lanes());
  }
}

/** out = c - a b, with c below 2^level stuff: the product is below 3 p. */
@inline function minusProduct(out: usize, c: usize, a: usize, b: usize): void {
  mul<Fp>(slot(Lines.PRODUCT), a, b);
  sub<Fp>(out, c, slot(Lines.PRODUCT), 0);
}

/** out = c + a b. */
@inline function plusProduct(out: usize, c: usize, a: usize, b: usize): void {
  mul<Fp>(slot(Lines.PRODUCT), a, b);
  add<Fp>(out, c, slot(Lines.PRODUCT));
}

/** Doubled value: out = 2 a. */
@inline function twice(out: usize, a: usize): void {
  add<Fp>(out, a, a);
}

/** out = 3 a. `out` is not `a`. */
@inline function thrice(out: usize, a: usize): void {
  add<Fp>(out, a, a);
  add<Fp>(out, out, a);
}

/** out = K p - a; the level's K bounds a. */
@inline function negate(out: usize, a: usize, level: i32): void {
  sub<Fp>(out, slot(Lines.NONE), a, level);
}

/** A digit in hand: the number of its first point, where its lines go, and the digit. One in each lane. */
const STEP_BYTES: usize = 16;

@inline function stepOf(lane: i32): usize {
  return slot(Preparation.STEPS) + <usize>lane * STEP_BYTES;
}

@inline function pointOf(lane: i32): i32 {
  return load<i32>(stepOf(lane));
}

@inline function linesOf(lane: i32): usize {
  return load<usize>(stepOf(lane), 4);
}

@inline function digitOf(lane: i32): i32 {
  return load<i32>(stepOf(lane), 8);
}

/** Stores the vector [even, odd] of each lane as number `index` of the lines of its digit. */
function emit(index: usize, even: usize, odd: usize): void {
  for (let lane = 0; lane < lanes(); lane++) weave<Fp>(linesOf(lane) + index * bytes<Fp>(), even, odd, lane);
}

/** Brings a constant below 2.25 p, so that the sum of a line stays below 10 p. */
function shorten(a: usize): void {
  mul<Fp>(a, a, one<Fp>());
  below<Fp>(a, 2.25);
}

/** Stores [constant, 0] of each lane, shortened. */
function emitConstant(index: usize, constant: usize): void {
  shorten(constant);
  emit(index, constant, slot(Lines.NONE));
}

/** Intercept of the line through (x, y) with the given slope, below 6 p. */
@inline function intercept(out: usize, x: usize, y: usize, gradient: usize): void {
  minusProduct(out, y, gradient, x);
  // Not inlined, it would change the code around it.
  if (!ASC_NO_ASSERT) below<Fp>(out, 6);
}

/** Coefficients of L_C^2 L_2C / v_2C^2 = y (x + B0) - (A2 x^2 + A1 x + A0), below 7, 23, 47 and 12 p. */
function mergeTangents(x1: usize, y1: usize, slope1: usize, x2: usize, y2: usize, slope2: usize): void {
  claim(Tangents.C1, Tangents.END);
  const c1 = slot(Tangents.C1), c2 = slot(Tangents.C2), p = slot(Tangents.P), m = slot(Tangents.M), t = slot(Tangents.T),
      u = slot(Tangents.U);
  const a2 = slot(Coefficients.A2), a1 = slot(Coefficients.A1), a0 = slot(Coefficients.A0), b0 = slot(Coefficients.B0);
  intercept(c1, x1, y1, slope1);
  intercept(c2, x2, y2, slope2);
  sqr<Fp>(p, slope1);
  mul<Fp>(m, slope1, slope2);
  // B0 = p + 2 m + 2 x2
  add<Fp>(t, m, x2);
  twice(t, t);
  add<Fp>(b0, p, t);
  // A2 = 2 slope1 + slope2
  twice(a2, slope1);
  add<Fp>(a2, a2, slope2);
  // A1 = 2 c1 + c2 + p slope2 + 2 x2 A2
  twice(a1, c1);
  add<Fp>(a1, a1, c2);
  plusProduct(a1, a1, p, slope2);
  mul<Fp>(t, x2, a2);
  mul<Fp>(u, x2, t);
  twice(t, t);
  add<Fp>(a1, a1, t);
  // A0 = c2 p + 2 m c1 + 2 x2 A1 - (3 A2 + x2^2 A2)
  thrice(t, a2);
  add<Fp>(u, u, t);
  mul<Fp>(t, m, c1);
  plusProduct(t, t, x2, a1);
  twice(t, t);
  plusProduct(t, t, c2, p);
  sub<Fp>(a0, t, u, 5);
  below<Fp>(a2, 7);
  below<Fp>(a1, 23);
  below<Fp>(a0, 47);
  below<Fp>(b0, 12);
  release(Tangents.C1, Tangents.END);
}

/** Times the chord with `gradient` through (x4, y4), over the vertical there: (x^3 + R2 x^2 + R1 x + R0) + y (B1 x + B0). */
function mergeChord(x4: usize, y4: usize, gradient: usize): void {
  claim(Chord.C3, Chord.END);
  const c3 = slot(Chord.C3), s = slot(Chord.S), t = slot(Chord.T), u = slot(Chord.U);
  const a2 = slot(Coefficients.A2), a1 = slot(Coefficients.A1), a0 = slot(Coefficients.A0), b1 = slot(Coefficients.B1),
      b0 = slot(Coefficients.B0), r2 = slot(Coefficients.R2), r1 = slot(Coefficients.R1), r0 = slot(Coefficients.R0);
  intercept(c3, x4, y4, gradient);
  // R2 = B0 + A2 gradient + x4
  add<Fp>(r2, b0, x4);
  plusProduct(r2, r2, a2, gradient);
  // R1 = A2 c3 + A1 gradient + x4 R2 - 3
  mul<Fp>(r1, a2, c3);
  plusProduct(r1, r1, a1, gradient);
  plusProduct(r1, r1, x4, r2);
  thrice(t, one<Fp>());
  sub<Fp>(r1, r1, t, 0);
  // R0 = A1 c3 + A0 gradient + x4 R1 - 3 B0
  mul<Fp>(r0, a1, c3);
  plusProduct(r0, r0, a0, gradient);
  plusProduct(r0, r0, x4, r1);
  thrice(t, b0);
  sub<Fp>(r0, r0, t, 5);
  // B1 = -(A2 + gradient), B0 = -(A1 + c3 + B0 gradient + x4 (A2 + gradient))
  add<Fp>(s, a2, gradient);
  add<Fp>(u, a1, c3);
  plusProduct(u, u, b0, gradient);
  plusProduct(u, u, x4, s);
  negate(b1, s, 3);
  negate(b0, u, 5);
  release(Chord.C3, Chord.END);
}

/** Times the tangent at +-K over the vertical at +-2K, and stores the four vectors of a digit +-2. */
function emitDouble(tangent: usize, ct: usize, xk: usize): void {
  claim(DoubleDigit.E3, DoubleDigit.END);
  const e3 = slot(DoubleDigit.E3), e2 = slot(DoubleDigit.E2), e1 = slot(DoubleDigit.E1), e0 = slot(DoubleDigit.E0),
      s1 = slot(DoubleDigit.S1), s0 = slot(DoubleDigit.S0), t = slot(DoubleDigit.T);
  const b1 = slot(Coefficients.B1), b0 = slot(Coefficients.B0), r2 = slot(Coefficients.R2), r1 = slot(Coefficients.R1),
      r0 = slot(Coefficients.R0);
  sub<Fp>(e3, b1, tangent, 0);
  plusProduct(e2, b0, xk, e3);
  plusProduct(t, ct, r2, tangent);
  sub<Fp>(e2, e2, t, 3);
  thrice(t, b1);
  plusProduct(t, t, r2, ct);
  plusProduct(t, t, r1, tangent);
  mul<Fp>(e1, xk, e2);
  sub<Fp>(e1, e1, t, 7);
  thrice(t, b0);
  plusProduct(t, t, r1, ct);
  plusProduct(t, t, r0, tangent);
  mul<Fp>(e0, xk, e1);
  sub<Fp>(e0, e0, t, 9);
  add<Fp>(s1, r2, xk);
  minusProduct(s1, s1, b1, tangent);
  mul<Fp>(t, b1, ct);
  plusProduct(t, t, b0, tangent);
  plusProduct(s0, r1, xk, s1);
  sub<Fp>(s0, s0, t, 1);
  emit(0, e2, s1);
  emit(1, e1, s0);
  emitConstant(2, e0);
  emit(3, e3, one<Fp>());
  release(DoubleDigit.E3, DoubleDigit.END);
}

/** Runs the radix-4 loop on K and records every point and slope. */
function recordMultiples(scratch: usize, groups: usize): void {
  claim(Bases.X, Bases.END);
  const x = slot(Bases.X), y = slot(Bases.Y), x2 = slot(Bases.X2), y2 = slot(Bases.Y2), t = slot(Bases.T);
  copy<Fp>(x, baseX());
  copy<Fp>(y, baseY());
  start<Fp>();
  zero<Fp>(slope());
  record(scratch, groups, 0);
  double<Fp>(false);
  record(scratch, groups, 1);
  // 2K in affine coordinates, the other base of additions.
  duplicateEven<Fp>(t, ZY());
  invertLanes<Fp>(t);
  sqrPair<Fp>(x2, t);
  mulPair<Fp>(t, t, x2);
  mulPair<Fp>(x2, x2, X());
  duplicateOdd<Fp>(y2, ZY());
  mulPair<Fp>(y2, y2, t);
  let index = 2;
  for (let i = 0; i < RADIX4_LENGTH; i++) {
    const digit = digitAt(i);
    double<Fp>(false);
    record(scratch, groups, index++);
    double<Fp>(false);
    record(scratch, groups, index++);
    if (digit == 0) continue;
    const doubled = abs(digit) == 2;
    copy<Fp>(baseX(), doubled ? x2 : x);
    if (digit > 0) copy<Fp>(baseY(), doubled ? y2 : y);
    else negate(baseY(), doubled ? y2 : y, 0);
    addBase<Fp>(false);
    record(scratch, groups, index++);
  }
  release(Bases.X, Bases.END);
}

/**
 * Stores the lines of K (affine, in words) at `lines`. 1 if K is not of order q, else 0. The table is as secret as K.
 */
export function prepareLines(lines: usize, K: usize, scratch: usize): u32 {
  ownMultiple();
  claim(Lines.NONE, Lines.END);
  claim(Coefficients.A2, Coefficients.END);
  claim(Preparation.X1, Preparation.END);
  const result = storeLines(lines, K, scratch);
  release(Preparation.X1, Preparation.END);
  release(Coefficients.A2, Coefficients.END);
  release(Lines.NONE, Lines.END);
  disownMultiple();
  return result;
}

function storeLines(lines: usize, K: usize, scratch: usize): u32 {
  const size = bytes<Fp>(), count = pointsPassed(), groups = <usize>((count + lanes() - 1) / lanes());
  const prefix = scratch + 4 * groups * size, x = scratch, y = x + groups * size, z = y + groups * size, s = z + groups * size;
  zero<Fp>(slot(Lines.NONE));
  loadInteger<Fp>(baseX(), K);
  loadInteger<Fp>(baseY(), K + SCALAR);
  // Lanes past the last point hold 1, so that they can be inverted.
  for (let k: usize = 0; k < 4 * groups; k++) copy<Fp>(scratch + k * size, one<Fp>());
  recordMultiples(scratch, groups);
  if (!invertMany<Fp>(z, <i32>groups, prefix)) return 1;
  for (let k: usize = 0; k < groups * size; k += size) {
    const t = slot(Lines.PRODUCT);
    mul<Fp>(s + k, s + k, z + k);
    sqr<Fp>(t, z + k);
    mul<Fp>(x + k, x + k, t);
    mul<Fp>(t, t, z + k);
    mul<Fp>(y + k, y + k, t);
  }
  const x1 = slot(Preparation.X1), y1 = slot(Preparation.Y1), xk = slot(Preparation.XK);
  const tangent = slot(Preparation.TANGENT), ct = slot(Preparation.CT), t = slot(Preparation.T), u = slot(Preparation.U);
  recalled(x1, scratch, groups, 0, 0);
  recalled(y1, scratch, groups, 1, 0);
  recalled(xk, scratch, groups, 0, 1);
  recalled(tangent, scratch, groups, 3, 1);
  intercept(ct, x1, y1, tangent);
  // q K = O exactly if the last point, [q - 1]K, is -K.
  recalled(t, scratch, groups, 0, count - 1);
  sub<Fp>(t, t, x1, 0);
  recalled(u, scratch, groups, 1, count - 1);
  add<Fp>(u, u, y1);
  if ((vanishes<Fp>(t) & vanishes<Fp>(u)) == 0) return 1;
  negate(t, tangent, 0);
  evenOdd<Fp>(lines, t, one<Fp>());
  negate(t, ct, 2);
  shorten(t);
  evenOdd<Fp>(lines + size, t, slot(Lines.NONE));
  for (let kind = 0; kind <= 2; kind++) storeDigits(kind, lines + 2 * size, scratch, groups);
  return 0;
}

/** Stores the lines of all digits +-`kind`, as many at a time as there are lanes. The digits are those of q, so public. */
function storeDigits(kind: i32, lines: usize, scratch: usize, groups: usize): void {
  let held = 0, first = 1;
  for (let i = 0; i < RADIX4_LENGTH; i++) {
    const digit = digitAt(i);
    if (abs(digit) == kind) {
      // Lanes that get no other digit repeat this one.
      for (let lane = held; lane < lanes(); lane++) {
        store<i32>(stepOf(lane), first);
        store<usize>(stepOf(lane), lines, 4);
        store<i32>(stepOf(lane), digit, 8);
      }
      held++;
    }
    if (held == lanes() || (held > 0 && i == RADIX4_LENGTH - 1)) {
      mergeDigits(kind, scratch, groups);
      held = 0;
    }
    first += digit == 0 ? 2 : 3;
    lines += <usize>(abs(digit) == 2 ? 4 : 3) * bytes<Fp>();
  }
}

/** Merges and stores the lines of the digits in hand, all +-`kind`. */
function mergeDigits(kind: i32, scratch: usize, groups: usize): void {
  const x1 = slot(Preparation.X1), y1 = slot(Preparation.Y1), s1 = slot(Preparation.S1), x2 = slot(Preparation.X2),
      y2 = slot(Preparation.Y2), s2 = slot(Preparation.S2), x4 = slot(Preparation.X4), y4 = slot(Preparation.Y4),
      s4 = slot(Preparation.S4);
  const tangent = slot(Preparation.TANGENT), ct = slot(Preparation.CT), t = slot(Preparation.T), u = slot(Preparation.U);
  gathered(x1, scratch, groups, 0, 0);
  gathered(y1, scratch, groups, 1, 0);
  gathered(s1, scratch, groups, 3, 1);
  gathered(x2, scratch, groups, 0, 1);
  gathered(y2, scratch, groups, 1, 1);
  gathered(s2, scratch, groups, 3, 2);
  mergeTangents(x1, y1, s1, x2, y2, s2);
  if (kind == 0) {
    negate(t, slot(Coefficients.A2), 2);
    emit(0, t, one<Fp>());
    negate(t, slot(Coefficients.A1), 5);
    emit(1, t, slot(Coefficients.B0));
    negate(t, slot(Coefficients.A0), 7);
    emitConstant(2, t);
    return;
  }
  gathered(x4, scratch, groups, 0, 2);
  gathered(y4, scratch, groups, 1, 2);
  gathered(s4, scratch, groups, 3, 3);
  mergeChord(x4, y4, s4);
  if (kind == 1) {
    emit(0, slot(Coefficients.R2), slot(Coefficients.B1));
    emit(1, slot(Coefficients.R1), slot(Coefficients.B0));
    emitConstant(2, slot(Coefficients.R0));
    return;
  }
  negate(t, tangent, 0);
  negate(u, ct, 2);
  for (let lane = 0; lane < lanes(); lane++) {
    if (digitOf(lane) < 0) continue;
    moveLane<Fp>(t, lane, tangent, lane);
    moveLane<Fp>(u, lane, ct, lane);
  }
  emitDouble(t, u, slot(Preparation.XK));
}

/** Multiplies f by the class at ReceiverCheck to the power of radix-4 digit `index` of the public exponent. */
function multiplyPower(exponent: usize, index: i32): void {
  const digit = (load<u32>(exponent + <usize>(index >> 4 << 2)) >> ((index & 15) << 1)) & 3;
  if (digit != 0) multiplyF(slot(<usize>ReceiverCheck.BASE + digit - 1));
}

/**
 * Leaves <K, Q> before the last power of 4 in f(), from the stored lines of K, for an affine Q in words. An `exponent` other
 * than 0 is public, of 32 words and below q: f() is then multiplied by the class at ReceiverCheck to that power, whose
 * squarings are those of the loop.
 */
function evaluateLines(lines: usize, Q: usize, exponent: usize): void {
  claim(Evaluation.X3, Evaluation.END);
  const size = bytes<Fp>(), X3 = slot(Evaluation.X3), UV = slot(Evaluation.UV), V = slot(Evaluation.V),
      W = slot(Evaluation.W), t = slot(Evaluation.T), u = slot(Evaluation.U), none = slot(Evaluation.NONE);
  zero<Fp>(none);
  startF();
  loadInteger<Fp>(t, Q);
  loadInteger<Fp>(u, Q + SCALAR);
  sub<Fp>(t, none, t, 0);
  // With X = -x, Y = y: V = [X, Y], UV = [X^2, X Y], W = [X^3, X^2 Y], X3 = [X^3, 0].
  evenOdd<Fp>(V, t, u);
  mulPair<Fp>(UV, V, t);
  mulPair<Fp>(W, UV, t);
  evenOdd<Fp>(X3, W, none);
  mulPair<Fp>(f(), lines, V);
  add<Fp>(f(), f(), lines + size);
  if (exponent != 0) multiplyPower(exponent, RADIX4_LENGTH);
  lines += 2 * size;
  for (let i = 0; i < RADIX4_LENGTH; i++) {
    const digit = abs(digitAt(i));
    squareF();
    squareF();
    mulAddMulPair<Fp>(t, lines, UV, lines + size, V);
    add<Fp>(t, t, lines + 2 * size);
    lines += 3 * size;
    if (digit == 1) {
      add<Fp>(t, t, X3);
    } else if (digit == 2) {
      mulPair<Fp>(u, lines, W);
      add<Fp>(t, t, u);
      lines += size;
    }
    below<Fp>(t, 10);
    multiplyF(t);
    if (exponent != 0) multiplyPower(exponent, RADIX4_LENGTH - 1 - i);
  }
  release(Evaluation.X3, Evaluation.END);
}

/** <K, Q> from the stored lines of K, for an affine Q in words, to 128 octets. */
export function pairPrepared(out: usize, lines: usize, Q: usize): void {
  ownAccumulator();
  evaluateLines(lines, Q, 0);
  finish(out);
  disownAccumulator();
}

/**
 * 1 if <[a]P + Z, K> = g, the check of an RSK (RFC 6508 6.1.2), as <P, K>^a <Z, K> from the stored lines of P and Z. The
 * identifier a of 32 words, below q, is public, K (in words) is not.
 */
export function checkReceiverKey(linesP: usize, linesZ: usize, a: usize, K: usize): u32 {
  ownAccumulator();
  claim(ReceiverCheck.BASE, ReceiverCheck.END);
  const base = slot(ReceiverCheck.BASE), re = slot(ReceiverCheck.RE), im = slot(ReceiverCheck.IM);
  evaluateLines(linesP, K, 0);
  copy<Fp>(base, f());
  squareF();
  copy<Fp>(slot(ReceiverCheck.SQUARE), f());
  multiplyF(base);
  copy<Fp>(slot(ReceiverCheck.CUBE), f());
  evaluateLines(linesZ, K, a);
  squareF();
  squareF();
  // im/re = g
  duplicateEven<Fp>(re, f());
  duplicateOdd<Fp>(im, f());
  loadInteger<Fp>(base, SAKKE_CURVE + 2 * SCALAR);
  mulPair<Fp>(re, re, base);
  sub<Fp>(im, im, re, 0);
  const equal = vanishes<Fp>(im);
  release(ReceiverCheck.BASE, ReceiverCheck.END);
  disownAccumulator();
  return equal;
}
