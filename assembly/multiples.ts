// [k]B for many public scalars and points of P-256 without tables, one in each lane, for batches of verifications. A product
// by itself spreads each step over a pair of lanes (jacobian.ts), which takes as many products of vectors but twice the
// sums, and copies that put the lanes in place.
//
// A running multiple (X:W:Z) stands for the point X/Z^2, W/(2 Z^3). With the double of Y, a doubling takes five passes of
// sums and differences, with Y itself nine.

import { P256, add, bytes, copy, lanes, minusTwice, mul, mulAddMul, one, pointBytes, rSquared, setWords, sqr, sub, tripleSum,
    twiceDifference, zero } from "./field";
import { RECODED_BYTES, indexOf, isNegative, windowOf } from "./digits";
import { addMany, invertMany } from "./points";
import { select, setMask } from "./lanes";
import { LaneAddition, LaneDoubling, LaneMultiple, claim, release, slot } from "./scratch";

/** Bits of a digit. With 4, the table would take 8 affine additions less, and the sum 12 longer ones more. */
const WIDTH: i32 = 5;
const ODD_MULTIPLES: i32 = 1 << (WIDTH - 1);
const DIGITS: i32 = 52;
/** Bits for which a scalar is recoded. */
export const MULTIPLE_BITS: i32 = WIDTH * DIGITS;
/** Octets of a base in words, x then y. */
const BASE_BYTES: usize = 64;

/** Octets of (X:W:Z). */
@inline export function multipleBytes(): usize {
  return 3 * bytes<P256>();
}

/** Octets of scratch for multiplyLanesUnsafe: odd multiples and the double of each base, and one vector to invert. */
export function multiplyLanesScratch(groups: i32): usize {
  return <usize>groups * (<usize>(ODD_MULTIPLES + 1) * pointBytes<P256>() + 2 * bytes<P256>());
}

@inline function X(): usize {
  return slot(LaneMultiple.X);
}
@inline function W(): usize {
  return slot(LaneMultiple.W);
}
@inline function Z(): usize {
  return slot(LaneMultiple.Z);
}

/**
 * out[g] = (X:W:Z) of [k]B for each lane of `groups` groups: k recoded for MULTIPLE_BITS, B in words at `bases`. "Unsafe":
 * addresses depend on the scalars.
 *
 * No step is exceptional. Before a digit d is added, the multiple is 32 m with an odd m, 0 < 32 m + d <= k < n. It is [d]B or
 * [-d]B only if 32 m - d = n, so k = n + 2 d with a negative d; as n = 17 and k = 32 + d mod 64, d would be 15 mod 64.
 */
export function multiplyLanesUnsafe(out: usize, recoded: usize, bases: usize, groups: i32, scratch: usize): void {
  makeOddMultiples(scratch, bases, groups);
  claim(LaneMultiple.X, LaneMultiple.END);
  zero<P256>(slot(LaneMultiple.ZERO));
  for (let lane = 0; lane < lanes(); lane++) {
    for (let other = 0; other < lanes(); other++) setMask(maskOf(lane), other, lane == other ? 1 : 0);
  }
  for (let g = 0; g < groups; g++) {
    const odd = scratch + <usize>g * pointBytes<P256>(), scalars = recoded + <usize>(g * lanes()) * RECODED_BYTES;
    pick(odd, groups, scalars, DIGITS - 1);
    copy<P256>(X(), slot(LaneMultiple.BASE_X));
    copy<P256>(W(), slot(LaneMultiple.BASE_W));
    copy<P256>(Z(), one<P256>());
    for (let row = DIGITS - 2; row >= 0; row--) {
      for (let i = 0; i < WIDTH; i++) double();
      pick(odd, groups, scalars, row);
      addPoint(slot(LaneMultiple.BASE_X), slot(LaneMultiple.BASE_W));
    }
    const multiple = out + <usize>g * multipleBytes();
    copy<P256>(multiple, X());
    copy<P256>(multiple + bytes<P256>(), W());
    copy<P256>(multiple + 2 * bytes<P256>(), Z());
  }
  release(LaneMultiple.X, LaneMultiple.END);
}

/** (X:W:Z) at `multiple` plus the affine point (x, y) at `point`. Z = 0 where one is the other or its negative. */
export function addToMultiple(multiple: usize, point: usize): void {
  const size = bytes<P256>();
  claim(LaneMultiple.X, LaneMultiple.END);
  zero<P256>(slot(LaneMultiple.ZERO));
  copy<P256>(X(), multiple);
  copy<P256>(W(), multiple + size);
  copy<P256>(Z(), multiple + 2 * size);
  add<P256>(slot(LaneMultiple.BASE_W), point + size, point + size);
  addPoint(point, slot(LaneMultiple.BASE_W));
  copy<P256>(multiple, X());
  copy<P256>(multiple + size, W());
  copy<P256>(multiple + 2 * size, Z());
  release(LaneMultiple.X, LaneMultiple.END);
}

@inline function maskOf(lane: i32): usize {
  return slot(LaneMultiple.MASKS) + (<usize>lane << 4);
}

/**
 * (X:W:Z) doubled. With D = Z^2, G = W^2, B = X G and A = 3 (X - D)(X + D):
 *   X' = A^2 - 2 B,  W' = 2 A (B - X') - G^2,  Z' = W Z
 */
function double(): void {
  claim(LaneDoubling.D, LaneDoubling.END);
  const D = slot(LaneDoubling.D), G = slot(LaneDoubling.G), A = slot(LaneDoubling.A), B = slot(LaneDoubling.B),
      t = slot(LaneDoubling.T);
  sqr<P256>(D, Z());
  sqr<P256>(G, W());
  mul<P256>(Z(), W(), Z());
  sub<P256>(t, X(), D, 0);
  tripleSum(D, X(), D);
  mul<P256>(A, t, D);
  mul<P256>(B, X(), G);
  sqr<P256>(t, A);
  minusTwice(X(), t, B);
  twiceDifference(t, B, X());
  sub<P256>(B, slot(LaneMultiple.ZERO), G, 0);
  mulAddMul<P256>(W(), A, t, G, B);
  release(LaneDoubling.D, LaneDoubling.END);
}

/**
 * (X:W:Z) plus the affine point (x, w/2). With H = x Z^2 - X, R = w Z^3 - W, I = (2 H)^2, J = H I and V = X I:
 *   X' = R^2 - J - 2 V,  W' = 2 R (V - X') - 2 W J,  Z' = 2 H Z
 */
function addPoint(x: usize, w: usize): void {
  claim(LaneAddition.H, LaneAddition.END);
  const H = slot(LaneAddition.H), R = slot(LaneAddition.R), I = slot(LaneAddition.I), J = slot(LaneAddition.J),
      V = slot(LaneAddition.V), t = slot(LaneAddition.T);
  sqr<P256>(t, Z());
  mul<P256>(H, x, t);
  mul<P256>(t, t, Z());
  mul<P256>(R, w, t);
  twiceDifference(t, H, X());
  sub<P256>(H, H, X(), 0);
  sub<P256>(R, R, W(), 0);
  sqr<P256>(I, t);
  mul<P256>(Z(), t, Z());
  mul<P256>(J, H, I);
  mul<P256>(V, X(), I);
  sqr<P256>(t, R);
  minusTwice(t, t, V);
  sub<P256>(X(), t, J, 0);
  twiceDifference(V, V, X());
  twiceDifference(J, slot(LaneMultiple.ZERO), J);
  mulAddMul<P256>(W(), R, V, W(), J);
  release(LaneAddition.H, LaneAddition.END);
}

/** Makes the chosen odd multiple of each lane, by digit `row` of its scalar, the point that is added. */
function pick(odd: usize, groups: i32, scalars: usize, row: i32): void {
  const size = bytes<P256>(), x = slot(LaneMultiple.BASE_X), w = slot(LaneMultiple.BASE_W), negative = slot(LaneMultiple.T);
  for (let lane = 0; lane < lanes(); lane++) {
    const scalar = scalars + <usize>lane * RECODED_BYTES, window = windowOf(scalar, row, WIDTH);
    const entry = odd + <usize>(<i32>indexOf(window, WIDTH) * groups) * pointBytes<P256>();
    setMask(slot(LaneMultiple.SIGNS), lane, isNegative(scalar, window, WIDTH));
    // The first one goes to all lanes, over which the others lay theirs.
    if (lane == 0) {
      copy<P256>(x, entry);
      copy<P256>(w, entry + size);
    } else {
      select<P256>(x, entry, x, maskOf(lane));
      select<P256>(w, entry + size, w, maskOf(lane));
    }
  }
  sub<P256>(negative, slot(LaneMultiple.ZERO), w, 0);
  select<P256>(w, negative, w, slot(LaneMultiple.SIGNS));
}

/**
 * Odd multiples 1, 3, ..., 31 of all bases as (x, 2 y): number i of group g is at point i * groups + g. No exceptional case
 * exists: all points but the neutral element have the order of the curve.
 */
function makeOddMultiples(points: usize, bases: usize, groups: i32): void {
  const size = bytes<P256>(), point = pointBytes<P256>(), row = <usize>groups * point;
  const twice = points + <usize>ODD_MULTIPLES * row, inverses = twice + row, prefix = inverses + <usize>groups * size;
  for (let g: usize = 0; g < <usize>groups; g++) {
    const x = points + g * point;
    for (let lane = 0; lane < lanes(); lane++) {
      const words = bases + (g * lanes() + lane) * BASE_BYTES;
      setWords<P256>(x, lane, words);
      setWords<P256>(x + size, lane, words + (BASE_BYTES >> 1));
    }
    mul<P256>(x, x, rSquared<P256>());
    mul<P256>(x + size, x + size, rSquared<P256>());
    add<P256>(inverses + g * size, x + size, x + size);
  }
  invertMany<P256>(inverses, groups, prefix);
  for (let g: usize = 0; g < <usize>groups; g++) doubleAffine(twice + g * point, points + g * point, inverses + g * size);
  for (let i = 1; i < ODD_MULTIPLES; i++) {
    const next = points + <usize>i * row;
    addMany<P256>(next, next - row, twice, groups, prefix);
  }
  for (let k: usize = 0; k < <usize>(ODD_MULTIPLES * groups); k++) {
    const y = points + k * point + size;
    add<P256>(y, y, y);
  }
}

/** out = 2 (x, y) given `inverse` = 1/(2 y), affine: the slope is 3 (x^2 - 1) / (2 y). */
function doubleAffine(out: usize, xy: usize, inverse: usize): void {
  claim(LaneDoubling.D, LaneDoubling.END);
  const size = bytes<P256>(), slope = slot(LaneDoubling.A), t = slot(LaneDoubling.T), none = slot(LaneDoubling.D);
  zero<P256>(none);
  sqr<P256>(t, xy);
  sub<P256>(t, t, one<P256>(), 0);
  tripleSum(t, t, none);
  mul<P256>(slope, t, inverse);
  sqr<P256>(t, slope);
  minusTwice(out, t, xy);
  sub<P256>(t, xy, out, 0);
  mul<P256>(t, t, slope);
  sub<P256>(out + size, t, xy + size, 0);
  release(LaneDoubling.D, LaneDoubling.END);
}
