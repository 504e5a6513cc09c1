// The pairing <K, Q> = <Q, K> of RFC 6508 3.2, two ways: directly, and with the lines of a fixed K stored.
//
// Stored lines (K an RSK, used for every message of a key period) are merged two doublings at a time. With C = [k]K,
// L_C the tangent at C and v_P the vertical through P, the function L_C^2 L_2C / v_2C^2 has divisor
// 4(C) + (-4C) - 5(O) and so is y (x + b) - (a2 x^2 + a1 x + a0). The chord through 4C and +-K, or the chord through 4C and
// +-2K with the tangent at +-K, divided by the verticals in between, keeps the form A(x) + y B(x): digit 0 has
// deg A = 2, digits +-1 a monic A of degree 3, digits +-2 a monic B of degree 2. A step is then f = f^4 (A + y B).

import { Fp, add, bytes, copy, getWords, lanes, mul, mulAddMul, one, sqr, sub, words as wordCount, zero } from "./field";
import { NAF_DIGITS, NAF_LENGTH, RADIX4_DIGITS, RADIX4_LENGTH, SAKKE_CURVE } from "./generated/curves";
import { X, ZY, addBase, baseX, baseY, double, evalX, evalY, line, slope, start } from "./jacobian";
import { broadcast, duplicateEven, duplicateOdd, evenOdd, moveLane } from "./lanes";
import { f, multiplyF, squareF, startF } from "./miller";
import { invertLanes, invertMany, loadInteger, vanishes } from "./points";
import { isZero } from "./scalar";
import { slot } from "./scratch";
import { toIntegers, writeOctets } from "./fixedbase";

const SCALAR: usize = 128;

/** Writes the representative of f^4 (c = (p + 1)/q = 4) in PF_p to 128 octets. */
function finish(out: usize): void {
  const re = slot(40), im = slot(41);
  squareF();
  squareF();
  duplicateEven<Fp>(re, f());
  duplicateOdd<Fp>(im, f());
  invertLanes<Fp>(re);
  mul<Fp>(re, re, im);
  toIntegers<Fp>(re, 1);
  writeOctets<Fp>(out, re, 0);
}

/**
 * <K, Q> for affine points in words, without tables, to 128 octets. 1 if K is not of order q (then the result means
 * nothing), else 0. Both may be secret.
 */
export function pairDirect(out: usize, K: usize, Q: usize): u32 {
  loadInteger<Fp>(baseX(), K);
  loadInteger<Fp>(baseY(), K + SCALAR);
  loadInteger<Fp>(evalX(), Q);
  loadInteger<Fp>(evalY(), Q + SCALAR);
  // Bases of additions: K and 3K, by sign; with 3K goes f_3 = (tangent at K)(chord through 2K and K), conjugate for -3K.
  const y = slot(42), negative = slot(43), x = slot(44), x3 = slot(48), y3 = slot(49), negative3 = slot(50);
  const f3 = slot(51), conjugate3 = slot(52), none = slot(53), t = slot(46), z = slot(45), Y = slot(47);
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
  sqr<Fp>(t, z);
  mul<Fp>(z, z, t);
  mul<Fp>(x3, X(), t);
  duplicateOdd<Fp>(Y, ZY());
  mul<Fp>(y3, Y, z);
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
  sqr<Fp>(t, z);
  mul<Fp>(z, z, t);
  mul<Fp>(t, t, x);
  sub<Fp>(t, t, X(), 6);
  mul<Fp>(z, z, y);
  add<Fp>(Y, Y, z);
  return 1 ^ (vanishes<Fp>(t) & vanishes<Fp>(Y) & (1 ^ lost));
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

/** out = c - a b, with c below 2^level stuff: the product is below 3 p. */
@inline function minusProduct(out: usize, c: usize, a: usize, b: usize): void {
  mul<Fp>(slot(60), a, b);
  sub<Fp>(out, c, slot(60), 0);
}

/** out = c + a b. */
@inline function plusProduct(out: usize, c: usize, a: usize, b: usize): void {
  mul<Fp>(slot(60), a, b);
  add<Fp>(out, c, slot(60));
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
  sub<Fp>(out, slot(59), a, level);
}

/** Stores the vector [even, odd] as the next of the lines. */
function emit(lines: usize, even: usize, odd: usize): usize {
  evenOdd<Fp>(lines, even, odd);
  return lines + bytes<Fp>();
}

/** Stores [constant, 0], brought below 2.25 p so that the sum of a line stays below 10 p. */
function emitConstant(lines: usize, even: usize): usize {
  mul<Fp>(slot(60), even, one<Fp>());
  return emit(lines, slot(60), slot(59));
}

/** Intercept of the line through (x, y) with the given slope, below 6 p. */
@inline function intercept(out: usize, x: usize, y: usize, gradient: usize): void {
  minusProduct(out, y, gradient, x);
}

const A2: usize = 63;
const A1: usize = 64;
const A0: usize = 65;
const B1: usize = 66;
const B0: usize = 67;
const R2: usize = 68;
const R1: usize = 69;
const R0: usize = 70;

/** Coefficients of L_C^2 L_2C / v_2C^2 = y (x + B0) - (A2 x^2 + A1 x + A0), below 7, 23, 47 and 12 p. */
function mergeTangents(x1: usize, y1: usize, slope1: usize, x2: usize, y2: usize, slope2: usize): void {
  const c1 = slot(48), c2 = slot(49), p = slot(50), m = slot(51), t = slot(52), u = slot(53);
  const a2 = slot(A2), a1 = slot(A1), a0 = slot(A0), b0 = slot(B0);
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
}

/** Times the chord with `gradient` through (x4, y4), over the vertical there: (x^3 + R2 x^2 + R1 x + R0) + y (B1 x + B0). */
function mergeChord(x4: usize, y4: usize, gradient: usize): void {
  const c3 = slot(48), s = slot(49), t = slot(50), u = slot(51);
  const a2 = slot(A2), a1 = slot(A1), a0 = slot(A0), b1 = slot(B1), b0 = slot(B0), r2 = slot(R2), r1 = slot(R1), r0 = slot(R0);
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
}

/** Times the tangent at +-K over the vertical at +-2K, and stores the four vectors of a digit +-2. */
function emitDouble(lines: usize, tangent: usize, ct: usize, xk: usize): usize {
  const e3 = slot(48), e2 = slot(49), e1 = slot(50), e0 = slot(51), s1 = slot(52), s0 = slot(53), t = slot(54);
  const b1 = slot(B1), b0 = slot(B0), r2 = slot(R2), r1 = slot(R1), r0 = slot(R0);
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
  lines = emit(lines, e2, s1);
  lines = emit(lines, e1, s0);
  lines = emitConstant(lines, e0);
  return emit(lines, e3, one<Fp>());
}

/** Runs the radix-4 loop on K and records every point and slope. `twiceY` = y of 2K in slot 56/57 etc. */
function recordMultiples(scratch: usize, groups: usize): void {
  const x = slot(54), y = slot(55), x2 = slot(56), y2 = slot(57), t = slot(58);
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
  sqr<Fp>(x2, t);
  mul<Fp>(t, t, x2);
  mul<Fp>(x2, x2, X());
  duplicateOdd<Fp>(y2, ZY());
  mul<Fp>(y2, y2, t);
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
}

/**
 * Stores the lines of K (affine, in words) at `lines`. 1 if K is not of order q, else 0. The table is as secret as K.
 */
export function prepareLines(lines: usize, K: usize, scratch: usize): u32 {
  const size = bytes<Fp>(), count = pointsPassed(), groups = <usize>((count + lanes() - 1) / lanes());
  const prefix = scratch + 4 * groups * size, x = scratch, y = x + groups * size, z = y + groups * size, s = z + groups * size;
  zero<Fp>(slot(59));
  loadInteger<Fp>(baseX(), K);
  loadInteger<Fp>(baseY(), K + SCALAR);
  // Lanes past the last point hold 1, so that they can be inverted.
  for (let k: usize = 0; k < 4 * groups; k++) copy<Fp>(scratch + k * size, one<Fp>());
  recordMultiples(scratch, groups);
  if (!invertMany<Fp>(z, <i32>groups, prefix)) return 1;
  for (let k: usize = 0; k < groups * size; k += size) {
    const t = slot(60);
    mul<Fp>(s + k, s + k, z + k);
    sqr<Fp>(t, z + k);
    mul<Fp>(x + k, x + k, t);
    mul<Fp>(t, t, z + k);
    mul<Fp>(y + k, y + k, t);
  }
  const x1 = slot(71), y1 = slot(72), s1 = slot(73), x2 = slot(74), y2 = slot(75), s2 = slot(76), x4 = slot(77), y4 = slot(78), s4 = slot(79);
  const tangent = slot(80), ct = slot(81), xk = slot(82), t = slot(83), u = slot(84);
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
  lines = emit(lines, t, one<Fp>());
  negate(t, ct, 2);
  lines = emitConstant(lines, t);
  let at = 1;
  for (let i = 0; i < RADIX4_LENGTH; i++) {
    const digit = digitAt(i);
    recalled(x1, scratch, groups, 0, at);
    recalled(y1, scratch, groups, 1, at);
    recalled(s1, scratch, groups, 3, at + 1);
    recalled(x2, scratch, groups, 0, at + 1);
    recalled(y2, scratch, groups, 1, at + 1);
    recalled(s2, scratch, groups, 3, at + 2);
    mergeTangents(x1, y1, s1, x2, y2, s2);
    if (digit == 0) {
      negate(t, slot(A2), 2);
      lines = emit(lines, t, one<Fp>());
      negate(t, slot(A1), 5);
      lines = emit(lines, t, slot(B0));
      negate(t, slot(A0), 7);
      lines = emitConstant(lines, t);
      at += 2;
      continue;
    }
    recalled(x4, scratch, groups, 0, at + 2);
    recalled(y4, scratch, groups, 1, at + 2);
    recalled(s4, scratch, groups, 3, at + 3);
    mergeChord(x4, y4, s4);
    if (abs(digit) == 2) {
      if (digit > 0) {
        copy<Fp>(t, tangent);
        copy<Fp>(u, ct);
      } else {
        negate(t, tangent, 0);
        negate(u, ct, 2);
      }
      lines = emitDouble(lines, t, u, xk);
    } else {
      lines = emit(lines, slot(R2), slot(B1));
      lines = emit(lines, slot(R1), slot(B0));
      lines = emitConstant(lines, slot(R0));
    }
    at += 3;
  }
  return 0;
}

/** Leaves <K, Q> before the last power of 4 in f(), from the stored lines of K, for an affine Q in words. */
function evaluateLines(lines: usize, Q: usize): void {
  const size = bytes<Fp>(), X3 = slot(42), UV = slot(43), V = slot(44), W = slot(45), t = slot(46), u = slot(47), none = slot(48);
  zero<Fp>(none);
  startF();
  loadInteger<Fp>(t, Q);
  loadInteger<Fp>(u, Q + SCALAR);
  sub<Fp>(t, none, t, 0);
  // With X = -x, Y = y: V = [X, Y], UV = [X^2, X Y], W = [X^3, X^2 Y], X3 = [X^3, 0].
  evenOdd<Fp>(V, t, u);
  mul<Fp>(UV, V, t);
  mul<Fp>(W, UV, t);
  evenOdd<Fp>(X3, W, none);
  mul<Fp>(f(), lines, V);
  add<Fp>(f(), f(), lines + size);
  lines += 2 * size;
  for (let i = 0; i < RADIX4_LENGTH; i++) {
    const digit = abs(digitAt(i));
    squareF();
    squareF();
    mulAddMul<Fp>(t, lines, UV, lines + size, V);
    add<Fp>(t, t, lines + 2 * size);
    lines += 3 * size;
    if (digit == 1) {
      add<Fp>(t, t, X3);
    } else if (digit == 2) {
      mul<Fp>(u, lines, W);
      add<Fp>(t, t, u);
      lines += size;
    }
    multiplyF(t);
  }
}

/** <K, Q> from the stored lines of K, for an affine Q in words, to 128 octets. */
export function pairPrepared(out: usize, lines: usize, Q: usize): void {
  evaluateLines(lines, Q);
  finish(out);
}

/**
 * 1 if <[a]P + Z, K> = g, the check of an RSK (RFC 6508 6.1.2), as <P, K>^a <Z, K> from the stored lines of P and Z. The
 * identifier a of 32 words is public, K (in words) is not.
 */
export function checkReceiverKey(linesP: usize, linesZ: usize, a: usize, K: usize): u32 {
  const base = slot(49), re = slot(50), im = slot(51);
  evaluateLines(linesP, K);
  copy<Fp>(base, f());
  startF();
  let begun = false;
  for (let i = 1023; i >= 0; i--) {
    if (begun) squareF();
    if ((load<u32>(a + <usize>(i >> 5 << 2)) >> (i & 31)) & 1) {
      begun = true;
      multiplyF(base);
    }
  }
  copy<Fp>(base, f());
  evaluateLines(linesZ, K);
  multiplyF(base);
  squareF();
  squareF();
  // im/re = g
  duplicateEven<Fp>(re, f());
  duplicateOdd<Fp>(im, f());
  loadInteger<Fp>(base, SAKKE_CURVE + 2 * SCALAR);
  mul<Fp>(re, re, base);
  sub<Fp>(im, im, re, 0);
  return vanishes<Fp>(im);
}
