// The fixed part of a workspace. The first 4 kB belong to whatever leaf routine runs (columns of a product, words of
// an inversion); the rest are slots of one element vector each.
//
// Every slot has its name here. A group is what one routine owns from its call to its return, unless it says more. Groups
// whose routines never run inside each other share slots; a group that is live while another runs lies apart from it.
// Routines `claim` their group and `release` it, which a debug build checks: two owners of a slot at a time are a trap.
//
//   0-3   inversions, digits and conversions, which call nothing else that has slots
//   4-15  sums of points and shared inversions, which invert
//   10-13 powers in PF_p, which select digits and invert
//   16-21 a projective sum and its other operand; scalars, before and after sums of points
//   20-39 the running multiple of a point, its steps, and the accumulator of a pairing; a master secret
//   40-85 whatever runs on that: pairings, stored lines, the test of the order, products with public scalars

import { workspace } from "./memory/workspace";

const SLOT_BYTES: usize = 640;
const SLOTS: usize = 90;

/** Address of slot `index`, 0 <= index < 90. */
@inline export function slot(index: usize): usize {
  return workspace + 4096 + index * SLOT_BYTES;
}

/** invertLanes: operands, product and inverse of each pair of lanes, and R^3. */
export const enum Inversion { SWAPPED = 0, PRODUCT, CUBE, WORDS, END }

/**
 * From the choice of table entries to their signs: DIGITS has the index of each lane in 16 octets and then the mask of the
 * negative ones.
 */
export const enum Choice { DIGITS = 0, NEGATIVE, END }

/** toIntegers, with the integer 1 in every lane, and writeOctets, which has WORDS alone. */
export const enum Conversion { UNIT = 0, WORDS, END }

/** toAffineComplete, between additions: Curve stays. */
export const enum Affine { WORDS = 3, INVERSE = 5, CUBE, END }

/** invertMany, while it inverts the product of all. */
export const enum Shared { PRODUCT = 4, NEXT, END }

/** addLevel and its affine additions, while it inverts the product of all differences. NONE is zero, for addAffineShort. */
export const enum Tree { PRODUCT = 4, DIFFERENCE, SLOPE, X3, T, INVERSE, NONE, END }

/** normalise. */
export const enum Normal { T = 5, END }

/** addComplete. */
export const enum Complete { C = 4, A, B, E, F, G, W, U, V, T, N, END }

/** b of P-256, from loadCurve to the last addition of the routine that called it. */
export const enum Curve { B = 15, END }

/** buildPowers, the class a + b i while it is squared. */
export const enum PowersTable { A = 10, B, T, SUM, END }

/** power. */
export const enum Power { MEMBER = 10, T, U, END }

/** powerSpread. */
export const enum PowerSpread { MEMBER = 10, T, A, U, END }

/** (X:Y:Z), three vectors in a row, of the routine that adds projectively: until the sum is affine. */
export const enum Sum { X = 16, END = 19 }

/** foldProjective: the sum with its lanes moved, three vectors. */
export const enum Other { X = 19, END = 22 }

/** Words of r and r b mod q, until the last recoding and so before sums of points. */
export const enum Receiver { WORDS = 16, PRODUCT, END }

/** A scalar in octets, reduced in WORDS, until it is recoded. */
export const enum Scalar { WORDS = 16, OCTETS, END }

/** sakkePower: the power, while Scalar and PowerSpread are live and until it is written. */
export const enum PowerOut { W = 18, END }

/** sakkeIssue: z, until the last receiver and so while sums of points run, also those by complete additions. */
export const enum Master { Z = 22, END }

/** eccsiSign. */
export const enum Signature { KEY = 16, HE, R, J, END }

/** loadVerification: the multipliers of G, KPAK and PVT, and a factor. */
export const enum Multipliers { G = 16, KPAK, PVT, T, END }

/** eccsiIssue. */
export const enum Issue { MASTER = 16, HS, V, END }

/** hasAbscissa and haveAbscissas. */
export const enum Abscissa { DIFFERENCE = 20, R, WORDS, END }

/**
 * The running multiple of jacobian.ts: [X, X] and [Z, Y], the point that is added, the numerator of the last slope, and the
 * point at which lines are evaluated. From the loading of the base to the last use of the multiple.
 */
export const enum Multiple { X = 20, ZY, BASE_X, BASE_Y, SLOPE, EVAL_X, EVAL_Y, END }

/** The accumulator of miller.ts, from startF to the end of the pairing. */
export const enum Accumulator { F = 27, END }

/** The line of the last step, until it is multiplied in. */
export const enum Line { VALUE = 28, END }

/** double. */
export const enum Doubling { SQUARE = 30, DELTA, GAMMA, T, BETA, U, Z3, V, END }

/** addBase. */
export const enum Addition { Z = 30, T, U, H, Y, CUBES, Z3, V, END }

/** squareF. */
export const enum SquareF { SWAPPED = 30, T, END }

/** multiplyF. */
export const enum MultiplyF { RE = 30, IM, SWAPPED, T, END }

/** Zero, from `start` as long as Multiple. */
export const enum MultipleZero { ZERO = 38, END }

/** Zero, from startF as long as Accumulator. */
export const enum AccumulatorZero { ZERO = 39, END }

/**
 * multiples.ts: the running multiple of each lane, the point that is added, zero, and masks: one for each lane, and that of
 * the lanes whose digit is negative.
 */
export const enum LaneMultiple { X = 20, W, Z, BASE_X, BASE_W, T, ZERO, MASKS, SIGNS, END }

/** A doubling in each lane. */
export const enum LaneDoubling { D = 30, G, A, B, T, END }

/** An addition in each lane. */
export const enum LaneAddition { H = 30, R, I, J, V, T, END }

/** vanishes. */
export const enum Vanishing { VALUE = 40, WORDS, END }

/** finish: the accumulator's parts, while re is inverted. */
export const enum Finish { RE = 40, IM, END }

/** pairDirect: K and 3K with their negatives, f_3 and its conjugate, and temporaries. Vanishing and Finish run inside. */
export const enum Direct { Y = 42, NEGATIVE, X, Z, T, POINT_Y, X3, Y3, NEGATIVE3, F3, CONJUGATE3, NONE, END }

/** evaluateLines: the monomials of Q. */
export const enum Evaluation { X3 = 42, UV, V, W, T, U, NONE, END }

/** checkReceiverKey, while it evaluates lines: a class with its square and its cube, and what is compared at the end. */
export const enum ReceiverCheck { BASE = 49, SQUARE, CUBE, RE, IM, END }

/** mergeTangents. It leaves Coefficients, as the two below. */
export const enum Tangents { C1 = 48, C2, P, M, T, U, END }

/** mergeChord. */
export const enum Chord { C3 = 48, S, T, U, END }

/** emitDouble. */
export const enum DoubleDigit { E3 = 48, E2, E1, E0, S1, S0, T, END }

/** recordMultiples: K and 2K, the bases of additions. Done before lines are merged. */
export const enum Bases { X = 54, Y, X2, Y2, T, END }

/** Zero as long as prepareLines runs, and the product of the operation in hand. */
export const enum Lines { NONE = 59, PRODUCT, END }

/** Coefficients of a line of several steps: from mergeTangents to their storing. */
export const enum Coefficients { A2 = 63, A1, A0, B1, B0, R2, R1, R0, END }

/** prepareLines: points and slopes of the digits in hand, and the tangent at K, as long as lines are merged. */
export const enum Preparation { X1 = 71, Y1, S1, X2, Y2, S2, X4, Y4, S4, TANGENT, CT, XK, T, U, STEPS, END }

/** hasOrderQ: 16 odd powers of the operand of `power`, then what stays over its two calls; U is free for `power`. */
export const enum Order { POWERS = 63, X = 79, Y, T, U, E, END }

/** toAffine of multiply.ts and the two others that leave the multiple. */
export const enum MultipleOut { Z = 50, T, END }

/** multiply: a temporary where MultipleOut is not live, also the zero of `pick`. */
export const enum OddMultiples { T = 50, END }

/** multiply: 2B, while the odd multiples of B are made. */
export const enum Doubled { Z = 52, POWER, X, Y, END }

/** nonAdjacent: the part of the scalar without digits yet. */
export const enum Digits { REST = 54, END }

/** Octets: 1 for a slot with an owner. */
const OWNED: usize = ASC_NO_ASSERT ? 0 : memory.data(90);

/** Makes the caller the owner of slots first..end - 1. A trap in a debug build if one of them has an owner. */
@inline export function claim(first: i32, end: i32): void {
  if (!ASC_NO_ASSERT) own(first, end, 0);
}

/** Ends what `claim` began. */
@inline export function release(first: i32, end: i32): void {
  if (!ASC_NO_ASSERT) own(first, end, 1);
}

function own(first: i32, end: i32, before: u8): void {
  for (let i = first; i < end; i++) {
    const owned = OWNED + <usize>i;
    assert(<usize>i < SLOTS && load<u8>(owned) == before, "one owner a slot");
    store<u8>(owned, 1 - before);
  }
}
