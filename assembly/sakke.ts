// SAKKE (RFC 6508), parameter set 1: the arithmetic of a KMS, a sender and the check of a receiver. Octet strings
// are most significant first: scalars 128 octets, points x then y 256 octets. Hashing is the caller's. Every function
// clears the workspace before it returns; the blocks it was given, scratch among them, are cleared by their owner.

import { Fp, bytes, lanes } from "./field";
import { RECODED_BYTES, recode } from "./digits";
import { SAKKE_CURVE } from "./generated/curves";
import { SAKKE_P, SAKKE_Q } from "./generated/moduli";
import { addMod, fromOctets, isEqual, isLess, isZero, montgomeryMul, mulMod, reduceMod, toOctets } from "./scalar";
import { buildPowers, power, powerSpread, powersScratch } from "./pfp";
import { buildScratch, buildTable, rowsOf, tableBytes, windowWidthOf } from "./tables";
import { inverseMod } from "./inverse";
import { MASKS_BYTES, isInfinity, masksOf, rowsFor, spreadScratch, sumFixed, sumScratch, sumSpread, sumsOf, toIntegers,
    writeOctets } from "./fixedbase";
import { Master, PowerOut, Receiver, Scalar, claim, release, slot } from "./scratch";
import { hasOrderQ } from "./order";
import { checkReceiverKey, linesBytes, linesScratch, pairDirect, pairPrepared, prepareLines } from "./pairing";
import { FIXED_BYTES, wipe, workspace } from "./memory/workspace";

const N: i32 = 32;
const SCALAR: usize = 128;
const POINT: usize = 256;

/** Bits of q, and so of every scalar. */
const ORDER_BITS: i32 = 1022;

/** Receivers that share inversions; more would only need more memory. */
const CHUNK: i32 = 64;

/** Rows are a multiple of four so that one sum can spread over the lanes of either build. */
function paddedRows(width: i32): i32 {
  return ((ORDER_BITS + width - 1) / width + 3) & ~3;
}

/** Octets of a table of multiples of a point with windows of `width` bits. */
export function sakkeTableBytes(width: i32): usize {
  return tableBytes<Fp>(paddedRows(width), width, 2);
}

/** Octets of scratch for sakkeTable. */
export function sakkeTableScratch(width: i32): usize {
  return buildScratch<Fp>(paddedRows(width)) + 2 * POINT;
}

/**
 * Checks that `point` is on the curve y^2 = x^3 - 3x with coordinates below p, and decodes it to words.
 * 0 if so, 1 otherwise.
 */
export function decodePoint(words: usize, point: usize): u32 {
  fromOctets(words, point, 128, N);
  fromOctets(words + SCALAR, point + SCALAR, 128, N);
  const value = SAKKE_P + 16, left = workspace + 1024, right = left + SCALAR, x = words, y = words + SCALAR;
  if ((isLess(x, value, N) & isLess(y, value, N)) == 0) return 1;
  // x (x^2 - 3) against y^2; whether they agree is no secret, but the point may be an RSK.
  mulMod(left, x, x, SAKKE_P);
  memory.fill(right, 0, SCALAR);
  store<u32>(right, load<u32>(value) - 3);
  memory.copy(right + 4, value + 4, SCALAR - 4);
  addMod(left, left, right, SAKKE_P);
  mulMod(left, left, x, SAKKE_P);
  mulMod(right, y, y, SAKKE_P);
  const off = 1 ^ isEqual(left, right, N);
  wipe(workspace, 1024 + 2 * SCALAR);
  return off;
}

/** Builds the table of the point at `point` (256 octets, 0 for the generator P). 0, or 1 for a point off the curve. */
export function sakkeTable(table: usize, width: i32, point: usize, scratch: usize): u32 {
  let base: usize = SAKKE_CURVE;
  if (point != 0) {
    base = scratch;
    if (decodePoint(base, point) != 0) return 1;
  }
  const built = buildTable<Fp>(table, paddedRows(width), width, base, scratch + 2 * POINT);
  wipe(workspace, FIXED_BYTES);
  return built ? 0 : 1;
}

/** Octets of a table of powers of g. */
export function sakkePowersBytes(width: i32): usize {
  return tableBytes<Fp>(paddedRows(width), width, 1);
}

export function sakkePowersScratch(width: i32): usize {
  return powersScratch(paddedRows(width));
}

/** Builds the table of powers of g = <P, P>. */
export function sakkePowers(table: usize, width: i32, scratch: usize): void {
  buildPowers(table, paddedRows(width), width, SAKKE_CURVE + 2 * SCALAR, scratch);
  wipe(workspace, FIXED_BYTES);
}

/** r mod q from 128 octets of hash output (RFC 6508 5.1), and r b mod q for the identifier's octets. */
function scalars(r: usize, rb: usize, input: usize): void {
  const v = workspace + 2048, b = v + SCALAR;
  fromOctets(v, input, 128, N);
  fromOctets(b, input + SCALAR, 128, N);
  reduceMod(r, v, SAKKE_Q);
  mulMod(rb, b, r, SAKKE_Q);
  wipe(v, 2 * SCALAR);
}

@inline function groupsOf(count: i32): i32 {
  return (count + lanes() - 1) / lanes();
}

/** Octets of scratch for sakkeEncapsulate on `n` receivers. */
export function sakkeEncapsulateScratch(tableP: usize, tableZ: usize, n: i32): usize {
  const groups = groupsOf(min(n, CHUNK));
  const count = rowsFor(tableP, ORDER_BITS) + rowsFor(tableZ, ORDER_BITS);
  const sums = max(sumScratch<Fp>(count, groups), spreadScratch<Fp>(tableP, tableZ));
  return <usize>(groups * lanes()) * 2 * RECODED_BYTES + <usize>groups * 3 * bytes<Fp>() + sums;
}

/**
 * For n receivers: input[i] = 128 octets of hash output for r, then the identifier b in 128 octets;
 * output[i] = R = [r]([b]P + Z) = [r b]P + [r]Z in 256 octets, then g^r in 128; status[i] = 1 where R is the neutral
 * element (b = -z).
 */
export function sakkeEncapsulate(tableP: usize, tableZ: usize, tableG: usize, n: i32, input: usize, output: usize,
    status: usize, scratch: usize): void {
  for (let at = 0; at < n; at += CHUNK) {
    const count = min(n - at, CHUNK), groups = groupsOf(count), slots = groups * lanes(), size = bytes<Fp>();
    const r = scratch, rb = r + <usize>slots * RECODED_BYTES, w = rb + <usize>slots * RECODED_BYTES;
    const re = w + <usize>groups * size, prefix = re + <usize>groups * size, sums = prefix + <usize>groups * size;
    claim(Receiver.WORDS, Receiver.END);
    const words = slot(Receiver.WORDS), product = slot(Receiver.PRODUCT);
    for (let i = 0; i < slots; i++) {
      // Spare lanes repeat the last receiver.
      scalars(words, product, input + <usize>(at + min(i, count - 1)) * 2 * SCALAR);
      recode(r + <usize>i * RECODED_BYTES, words, SAKKE_Q, rowsFor(tableZ, ORDER_BITS) * windowWidthOf(tableZ));
      recode(rb + <usize>i * RECODED_BYTES, product, SAKKE_Q, rowsFor(tableP, ORDER_BITS) * windowWidthOf(tableP));
    }
    if (count == 1) {
      // One receiver alone spreads over the lanes, with the digits of all rows of the tables.
      const spread = rb + RECODED_BYTES;
      recode(rb, words, SAKKE_Q, rowsOf(tableG) * windowWidthOf(tableG));
      powerSpread(w, tableG, rb, masksOf(sums));
      recode(rb, product, SAKKE_Q, rowsOf(tableP) * windowWidthOf(tableP));
      recode(spread, words, SAKKE_Q, rowsOf(tableZ) * windowWidthOf(tableZ));
      release(Receiver.WORDS, Receiver.END);
      sumSpread<Fp>(tableP, rb, tableZ, spread, sums);
    } else {
      release(Receiver.WORDS, Receiver.END);
      power(w, re, tableG, rowsFor(tableG, ORDER_BITS), r, groups, masksOf(sums), prefix);
      sumFixed<Fp>(tableP, rowsFor(tableP, ORDER_BITS), rb, tableZ, rowsFor(tableZ, ORDER_BITS), r, groups, sums);
    }
    wipe(words, SCALAR);
    wipe(product, SCALAR);
    const points = sumsOf(sums);
    toIntegers<Fp>(points, 2 * groups);
    toIntegers<Fp>(w, groups);
    for (let i = 0; i < count; i++) {
      const g = <usize>(i / lanes()), lane = i % lanes(), out = output + <usize>(at + i) * 3 * SCALAR;
      writeOctets<Fp>(out, points + g * 2 * size, lane);
      writeOctets<Fp>(out + SCALAR, points + g * 2 * size + size, lane);
      writeOctets<Fp>(out + 2 * SCALAR, w + g * size, lane);
      store<u8>(status + <usize>(at + i), isInfinity(sums, i));
    }
  }
  wipe(workspace, FIXED_BYTES);
}

/** Octets of scratch for sakkePoint. */
export function sakkePointScratch(tableA: usize, tableB: usize): usize {
  return 2 * RECODED_BYTES + spreadScratch<Fp>(tableA, tableB);
}

/** Writes lane 0 of the sum in `sums`; 1 for the neutral element. */
function finishPoint(out: usize, sums: usize): u32 {
  const points = sumsOf(sums), infinity = <u32>isInfinity(sums, 0);
  toIntegers<Fp>(points, 2);
  writeOctets<Fp>(out, points, 0);
  writeOctets<Fp>(out + SCALAR, points + bytes<Fp>(), 0);
  wipe(workspace, FIXED_BYTES);
  return infinity;
}

/**
 * R = [r b]P + [r]Z for one receiver (input as sakkeEncapsulate) or, with tableT instead of the other two, [r]T with
 * T = [b]P + Z. One point, spread over the lanes. 1 for the neutral element.
 */
export function sakkePoint(out: usize, tableP: usize, tableZ: usize, tableT: usize, input: usize, scratch: usize): u32 {
  const r = scratch, rb = r + RECODED_BYTES, sums = rb + RECODED_BYTES, words = slot(Receiver.WORDS),
      product = slot(Receiver.PRODUCT);
  claim(Receiver.WORDS, Receiver.END);
  const first = tableT == 0 ? tableP : tableT, second = tableT == 0 ? tableZ : 0;
  scalars(words, product, input);
  if (tableT != 0) {
    recode(r, words, SAKKE_Q, rowsOf(tableT) * windowWidthOf(tableT));
    release(Receiver.WORDS, Receiver.END);
    sumSpread<Fp>(tableT, r, 0, 0, sums);
  } else {
    recode(r, words, SAKKE_Q, rowsOf(tableZ) * windowWidthOf(tableZ));
    recode(rb, product, SAKKE_Q, rowsOf(tableP) * windowWidthOf(tableP));
    release(Receiver.WORDS, Receiver.END);
    sumSpread<Fp>(tableP, rb, tableZ, r, sums);
  }
  return finishPoint(out, sums);
}

/** Octets of scratch for sakkePower. */
export function sakkePowerScratch(): usize {
  return RECODED_BYTES + MASKS_BYTES;
}

/** g^r to 128 octets, for r of 128 octets, reduced mod q. */
export function sakkePower(out: usize, tableG: usize, scalar: usize, scratch: usize): void {
  claim(Scalar.WORDS, Scalar.END);
  claim(PowerOut.W, PowerOut.END);
  const words = slot(Scalar.WORDS), w = slot(PowerOut.W);
  fromOctets(slot(Scalar.OCTETS), scalar, 128, N);
  reduceMod(words, slot(Scalar.OCTETS), SAKKE_Q);
  recode(scratch, words, SAKKE_Q, rowsOf(tableG) * windowWidthOf(tableG));
  powerSpread(w, tableG, scratch, scratch + RECODED_BYTES);
  toIntegers<Fp>(w, 1);
  writeOctets<Fp>(out, w, 0);
  release(PowerOut.W, PowerOut.END);
  release(Scalar.WORDS, Scalar.END);
  wipe(workspace, FIXED_BYTES);
}

/** [k]P for a scalar of 128 octets, reduced mod q: the KMS public key, or the public point [b]P of an identifier. */
export function sakkeMultiplyBase(out: usize, tableP: usize, scalar: usize, scratch: usize): u32 {
  const recoded = scratch, sums = scratch + 2 * RECODED_BYTES, words = slot(Scalar.WORDS);
  claim(Scalar.WORDS, Scalar.END);
  fromOctets(slot(Scalar.OCTETS), scalar, 128, N);
  reduceMod(words, slot(Scalar.OCTETS), SAKKE_Q);
  recode(recoded, words, SAKKE_Q, rowsOf(tableP) * windowWidthOf(tableP));
  release(Scalar.WORDS, Scalar.END);
  sumSpread<Fp>(tableP, recoded, 0, 0, sums);
  return finishPoint(out, sums);
}

/** Octets of scratch for sakkeIssue on `n` identifiers. */
export function sakkeIssueScratch(tableP: usize, n: i32): usize {
  const groups = groupsOf(min(n, CHUNK));
  return <usize>(groups * lanes()) * RECODED_BYTES + sumScratch<Fp>(rowsFor(tableP, ORDER_BITS), groups);
}

/**
 * RSK = [1/(a + z) mod q]P (RFC 6508 6.1.1) for n identifiers of 128 octets and the master secret z of 128 octets.
 * output[i] = 256 octets; status[i] = 1 where a + z = 0 mod q and there is no key.
 */
export function sakkeIssue(tableP: usize, n: i32, identifiers: usize, master: usize, output: usize, status: usize,
    scratch: usize): void {
  claim(Master.Z, Master.END);
  const z = slot(Master.Z), a = slot(Scalar.WORDS), t = slot(Scalar.OCTETS), bits = rowsFor(tableP,
      ORDER_BITS) * windowWidthOf(tableP);
  fromOctets(t, master, 128, N);
  reduceMod(z, t, SAKKE_Q);
  for (let at = 0; at < n; at += CHUNK) {
    const count = min(n - at, CHUNK), groups = groupsOf(count), slots = groups * lanes();
    const recoded = scratch, sums = recoded + <usize>slots * RECODED_BYTES, points = sumsOf(sums), size = bytes<Fp>();
    claim(Scalar.WORDS, Scalar.END);
    for (let i = 0; i < slots; i++) {
      const from = min(i, count - 1);
      fromOctets(t, identifiers + <usize>(at + from) * SCALAR, 128, N);
      reduceMod(a, t, SAKKE_Q);
      addMod(a, a, z, SAKKE_Q);
      store<u8>(status + <usize>(at + from), <u8>isZero(a, N));
      inverseMod(a, a, SAKKE_Q);
      recode(recoded + <usize>i * RECODED_BYTES, a, SAKKE_Q, bits);
    }
    release(Scalar.WORDS, Scalar.END);
    sumFixed<Fp>(tableP, rowsFor(tableP, ORDER_BITS), recoded, 0, 0, 0, groups, sums);
    toIntegers<Fp>(points, 2 * groups);
    for (let i = 0; i < count; i++) {
      const point = points + <usize>(i / lanes()) * 2 * size, out = output + <usize>(at + i) * POINT;
      writeOctets<Fp>(out, point, i % lanes());
      writeOctets<Fp>(out + SCALAR, point + size, i % lanes());
    }
  }
  release(Master.Z, Master.END);
  wipe(workspace, FIXED_BYTES);
}

/** Octets of the stored lines of a receiver's key, and of the scratch to make them. */
export function sakkeLinesBytes(): usize {
  return linesBytes();
}

export function sakkeLinesScratch(): usize {
  return linesScratch() + 2 * POINT;
}

/** Stores the lines of an RSK (256 octets). 0; 1 if it is off the curve; 2 if it is not of order q. */
export function sakkeLines(lines: usize, rsk: usize, scratch: usize): u32 {
  if (decodePoint(scratch, rsk) != 0) return 1;
  const result = prepareLines(lines, scratch, scratch + 2 * POINT) == 0 ? 0 : 2;
  wipe(workspace, FIXED_BYTES);
  return result;
}

/** Stores the lines of the generator P. */
export function sakkeGeneratorLines(lines: usize, scratch: usize): void {
  prepareLines(lines, SAKKE_CURVE, scratch + 2 * POINT);
  wipe(workspace, FIXED_BYTES);
}

/** 0 if the 256 octets are a point of order q; 1 if they are off the curve; 2 for another order. */
export function sakkeOrder(point: usize, scratch: usize): u32 {
  if (decodePoint(scratch, point) != 0) return 1;
  const result = hasOrderQ(scratch) == 1 ? 0 : 2;
  wipe(workspace, FIXED_BYTES);
  return result;
}

/**
 * Checks an RSK of 256 octets for an identifier of 128 octets, from the stored lines of P and Z (RFC 6508 6.1.2). 0;
 * 1 if it is off the curve; 2 if it is not of order q; 3 if it does not belong to the identifier.
 */
export function sakkeCheckKey(linesP: usize, linesZ: usize, identifier: usize, rsk: usize, scratch: usize): u32 {
  let result: u32 = 0;
  if (decodePoint(scratch, rsk) != 0) {
    result = 1;
  } else if (hasOrderQ(scratch) == 0) {
    result = 2;
  } else {
    // The pairing has order q, so the identifier counts mod q.
    fromOctets(scratch + POINT + SCALAR, identifier, 128, N);
    reduceMod(scratch + POINT, scratch + POINT + SCALAR, SAKKE_Q);
    if (checkReceiverKey(linesP, linesZ, scratch + POINT, scratch) == 0) result = 3;
  }
  wipe(workspace, FIXED_BYTES);
  return result;
}

/**
 * w = <rsk, point> = <point, rsk> to 128 octets, for both in 256 octets. 0; 1 if one of them is off the curve; 2 if the
 * point is not of order q.
 */
export function sakkePair(out: usize, rsk: usize, point: usize, scratch: usize): u32 {
  let result: u32 = 0;
  if ((decodePoint(scratch, point) | decodePoint(scratch + POINT, rsk)) != 0) result = 1;
  else if (pairDirect(out, scratch, scratch + POINT) != 0) result = 2;
  wipe(workspace, FIXED_BYTES);
  return result;
}

/** w = <rsk, point> from the stored lines of the RSK. 0, or 1 if the point is off the curve. */
export function sakkePairPrepared(out: usize, lines: usize, point: usize, scratch: usize): u32 {
  if (decodePoint(scratch, point) != 0) return 1;
  pairPrepared(out, lines, scratch);
  wipe(workspace, FIXED_BYTES);
  return 0;
}

/** 1 if the 128 octets at `w` are the representative of g = <P, P>, else 0. */
export function sakkeIsGenerator(w: usize): u32 {
  fromOctets(workspace, w, 128, N);
  const same = isEqual(workspace, SAKKE_CURVE + 2 * SCALAR, N);
  wipe(workspace, SCALAR);
  return same;
}

/** 1 if the 128 octets at `z` are a KMS Master Secret, 2 <= z < q (RFC 6508 6.1.1), else 0. */
export function sakkeIsMasterSecret(z: usize): u32 {
  const words = workspace, one = workspace + SCALAR;
  fromOctets(words, z, 128, N);
  const below = isLess(words, SAKKE_Q + 16, N);
  memory.fill(one, 0, SCALAR);
  store<u32>(one, 1);
  const above = isLess(one, words, N);
  wipe(words, 2 * SCALAR);
  return below & above;
}
