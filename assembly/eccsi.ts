// ECCSI (RFC 6507) on P-256: the arithmetic of a KMS, signers and verifiers. Octet strings are most significant first:
// scalars 32 octets, points x then y 64 octets. Hashing is the caller's. Every function clears the workspace before
// it returns; the blocks it was given, scratch among them, are cleared by their owner.

import { P256, bytes, lanes, mul, pointBytes, sub } from "./field";
import { FIXED_BYTES, wipe, workspace } from "./memory/workspace";
import { P256_CURVE } from "./generated/curves";
import { P256_N, P256_P } from "./generated/moduli";
import { RECODED_BYTES, recode } from "./digits";
import { addProjective, loadInteger, sumComplete, vanishes } from "./points";
import { addMod, fromOctets, isEqual, isLess, isZero, mulMod, reduceMod, toOctets } from "./scalar";
import { buildScratch, buildTable, rowsOf, tableBytes, windowWidthOf } from "./tables";
import { inverseMod } from "./inverse";
import { isInfinity, rowsFor, spreadScratch, sumFixed, sumPublicUnsafe, sumScratch, sumsOf, toIntegers,
    writeOctets } from "./fixedbase";
import { multiplyPublicProjectiveUnsafe, multiplyPublicUnsafe, multiplyScratch } from "./multiply";
import { Abscissa, Issue, Scalar, Signature, claim, release, slot } from "./scratch";

const N: i32 = 8;
const SCALAR: usize = 32;
const POINT: usize = 64;
const ORDER_BITS: i32 = 256;
/** Vectors of a point (X:Y:Z). */
const PROJECTIVE: usize = 3;

/** Operations that share inversions. */
const CHUNK: i32 = 64;

/** Rows are a multiple of four so that one sum can spread over the lanes of either build. */
function paddedRows(width: i32): i32 {
  return ((ORDER_BITS + width - 1) / width + 3) & ~3;
}

export function eccsiTableBytes(width: i32): usize {
  return tableBytes<P256>(paddedRows(width), width, 2);
}

export function eccsiTableScratch(width: i32): usize {
  return buildScratch<P256>(paddedRows(width)) + 2 * POINT;
}

/** Checks that `point` is on P-256 with coordinates below p, and decodes it to words. 0 if so, 1 otherwise. */
function decodePoint(words: usize, point: usize): u32 {
  fromOctets(words, point, 32, N);
  fromOctets(words + SCALAR, point + SCALAR, 32, N);
  const value = P256_P + 16, left = workspace + 1024, right = left + SCALAR, x = words, y = words + SCALAR;
  if ((isLess(x, value, N) & isLess(y, value, N)) == 0) return 1;
  // x (x^2 - 3) + b against y^2; points are public.
  mulMod(left, x, x, P256_P);
  memory.copy(right, value, SCALAR);
  store<u32>(right, load<u32>(value) - 3);
  addMod(left, left, right, P256_P);
  mulMod(left, left, x, P256_P);
  addMod(left, left, P256_CURVE + 2 * SCALAR, P256_P);
  mulMod(right, y, y, P256_P);
  const off = 1 ^ isEqual(left, right, N);
  wipe(workspace, 1024 + 2 * SCALAR);
  return off;
}

/** Builds the table of the point at `point` (64 octets, 0 for the generator G). 0, or 1 for a point off the curve. */
export function eccsiTable(table: usize, width: i32, point: usize, scratch: usize): u32 {
  let base: usize = P256_CURVE;
  if (point != 0) {
    base = scratch;
    if (decodePoint(base, point) != 0) return 1;
  }
  const built = buildTable<P256>(table, paddedRows(width), width, base, scratch + 2 * POINT);
  wipe(workspace, FIXED_BYTES);
  return built ? 0 : 1;
}

@inline function groupsOf(count: i32): i32 {
  return (count + lanes() - 1) / lanes();
}

/** A scalar of 32 octets mod the order, recoded for the table. */
function recodeOctets(out: usize, octets: usize, table: usize): void {
  claim(Scalar.WORDS, Scalar.END);
  const words = slot(Scalar.WORDS);
  fromOctets(words, octets, 32, N);
  reduceMod(words, words, P256_N);
  recode(out, words, P256_N, rowsFor(table, ORDER_BITS) * windowWidthOf(table));
  release(Scalar.WORDS, Scalar.END);
}

/** Octets of scratch for eccsiMultiplyBase on n scalars. */
export function eccsiMultiplyBaseScratch(tableG: usize, n: i32): usize {
  const groups = groupsOf(min(n, CHUNK));
  return <usize>(groups * lanes()) * RECODED_BYTES + sumScratch<P256>(rowsFor(tableG, ORDER_BITS), groups);
}

/** output[i] = [k_i]G, 64 octets, for n scalars of 32 octets; status[i] = 1 where k_i = 0 mod the order. */
export function eccsiMultiplyBase(tableG: usize, n: i32, scalars: usize, output: usize, status: usize, scratch: usize): void {
  for (let at = 0; at < n; at += CHUNK) {
    const count = min(n - at, CHUNK), groups = groupsOf(count), slots = groups * lanes(), size = bytes<P256>();
    const sums = scratch + <usize>slots * RECODED_BYTES, points = sumsOf(sums);
    for (let i = 0; i < slots; i++) {
      recodeOctets(scratch + <usize>i * RECODED_BYTES, scalars + <usize>(at + min(i, count - 1)) * SCALAR, tableG);
    }
    sumFixed<P256>(tableG, rowsFor(tableG, ORDER_BITS), scratch, 0, 0, 0, groups, sums);
    toIntegers<P256>(points, 2 * groups);
    for (let i = 0; i < count; i++) {
      const point = points + <usize>(i / lanes()) * pointBytes<P256>(), out = output + <usize>(at + i) * POINT;
      writeOctets<P256>(out, point, i % lanes());
      writeOctets<P256>(out + SCALAR, point + size, i % lanes());
      store<u8>(status + <usize>(at + i), isInfinity(sums, i));
    }
  }
  wipe(workspace, FIXED_BYTES);
}

/** Loads a scalar of 32 octets mod the order. */
@inline function scalar(out: usize, octets: usize): void {
  fromOctets(out, octets, 32, N);
  reduceMod(out, out, P256_N);
}

/**
 * s = (HE + r SSK)^-1 j (RFC 6507 5.2.1) for n signatures: input[i] = HE, r, j of 32 octets each; output[i] = s.
 * status[i] = 1 where HE + r SSK = 0 and another j is needed.
 */
export function eccsiSign(n: i32, ssk: usize, input: usize, output: usize, status: usize): void {
  claim(Signature.KEY, Signature.END);
  const key = slot(Signature.KEY), he = slot(Signature.HE), r = slot(Signature.R), j = slot(Signature.J);
  scalar(key, ssk);
  for (let i: usize = 0; i < <usize>n; i++) {
    scalar(he, input + i * 3 * SCALAR);
    scalar(r, input + i * 3 * SCALAR + SCALAR);
    scalar(j, input + i * 3 * SCALAR + 2 * SCALAR);
    mulMod(r, r, key, P256_N);
    addMod(he, he, r, P256_N);
    store<u8>(status + i, <u8>isZero(he, N));
    inverseMod(he, he, P256_N);
    mulMod(he, he, j, P256_N);
    toOctets(output + i * SCALAR, he, N);
  }
  release(Signature.KEY, Signature.END);
  wipe(workspace, FIXED_BYTES);
}

/**
 * SSK = KSAK + HS v (RFC 6507 5.1.1) for n users: input[i] = HS, v of 32 octets each; output[i] = SSK. status[i] = 1
 * where SSK or HS is 0 mod the order and another v is needed.
 */
export function eccsiIssue(n: i32, ksak: usize, input: usize, output: usize, status: usize): void {
  claim(Issue.MASTER, Issue.END);
  const master = slot(Issue.MASTER), hs = slot(Issue.HS), v = slot(Issue.V);
  scalar(master, ksak);
  for (let i: usize = 0; i < <usize>n; i++) {
    scalar(hs, input + i * 2 * SCALAR);
    scalar(v, input + i * 2 * SCALAR + SCALAR);
    const none = isZero(hs, N);
    mulMod(v, v, hs, P256_N);
    addMod(v, v, master, P256_N);
    store<u8>(status + i, <u8>(none | isZero(v, N)));
    toOctets(output + i * SCALAR, v, N);
  }
  release(Issue.MASTER, Issue.END);
  wipe(workspace, FIXED_BYTES);
}

/** Octets of scratch for eccsiSignerPoint. */
export function eccsiSignerPointScratch(): usize {
  return 4 * POINT + multiplyScratch<P256>() + sumScratch<P256>(3, 1);
}

/**
 * Y = [HS]PVT + KPAK (RFC 6507 5.2.2) to 64 octets, for PVT and KPAK of 64 octets and HS of 32, all public. 0; 1 if PVT or
 * KPAK is off the curve; 2 if Y is the neutral element or PVT was made up to meet an exceptional case.
 */
export function eccsiSignerPoint(out: usize, pvt: usize, kpak: usize, hs: usize, scratch: usize): u32 {
  const result = signerPoint(out, pvt, kpak, hs, scratch);
  wipe(workspace, FIXED_BYTES);
  return result;
}

function signerPoint(out: usize, pvt: usize, kpak: usize, hs: usize, scratch: usize): u32 {
  const a = scratch, b = a + POINT, k = b + POINT, infinity = k + SCALAR, work = scratch + 4 * POINT;
  const points = work + multiplyScratch<P256>(), size = bytes<P256>(), point = pointBytes<P256>();
  if ((decodePoint(a, pvt) | decodePoint(b, kpak)) != 0) return 1;
  scalar(k, hs);
  if (isZero(k, N) == 1 || !multiplyPublicUnsafe<P256>(points, k, N, a, work)) return 2;
  loadInteger<P256>(points + point, b);
  loadInteger<P256>(points + point + size, b + SCALAR);
  sumComplete<P256>(points, 2, 1, infinity);
  toIntegers<P256>(points, 2);
  writeOctets<P256>(out, points, 0);
  writeOctets<P256>(out + SCALAR, points + size, 0);
  return load<u8>(infinity) == 0 ? 0 : 2;
}

/** Octets of scratch for eccsiVerify. */
export function eccsiVerifyScratch(tableG: usize, tableB: usize): usize {
  const fixed = POINT + 2 * RECODED_BYTES + 5 * SCALAR + 2 * PROJECTIVE * bytes<P256>();
  return fixed + multiplyScratch<P256>() + spreadScratch<P256>(tableG, tableB);
}

/** Recodes u for all rows of the table. */
@inline function recodePadded(out: usize, u: usize, table: usize): void {
  recode(out, u, P256_N, rowsOf(table) * windowWidthOf(table));
}

/**
 * Verifies one signature (RFC 6507 5.2.2): J = [s]([HE]G + [r]Y), accepted iff J is not neutral and J.x = r, not 0.
 * With tableY, the table of Y, J is one sum over two tables. With tableY = 0 it is [s HE]G + [s r]KPAK + [s r HS]PVT over the
 * tables of G and KPAK and one product with PVT. `input` = HE, r, s, HS of 32 octets each, then PVT of 64; everything
 * is public. 1 for a good signature; 0 otherwise; 2 if PVT met an exceptional case and a table of Y has to decide.
 */
export function eccsiVerify(tableG: usize, tableKpak: usize, tableY: usize, input: usize, scratch: usize): u32 {
  const result = verify(tableG, tableKpak, tableY, input, scratch);
  wipe(workspace, FIXED_BYTES);
  return result;
}

function verify(tableG: usize, tableKpak: usize, tableY: usize, input: usize, scratch: usize): u32 {
  const u1 = scratch, u2 = u1 + SCALAR, u3 = u2 + SCALAR, r = u3 + SCALAR, s = r + SCALAR, pvt = s + SCALAR;
  const a = pvt + POINT, b = a + RECODED_BYTES, sum = b + RECODED_BYTES, product = sum + PROJECTIVE * bytes<P256>();
  const work = product + PROJECTIVE * bytes<P256>(), sums = work + multiplyScratch<P256>();
  const table = tableY != 0 ? tableY : tableKpak;
  scalar(u1, input);
  scalar(r, input + SCALAR);
  scalar(s, input + 2 * SCALAR);
  if (isZero(s, N) == 1) return 0;
  mulMod(u1, u1, s, P256_N);
  mulMod(u2, r, s, P256_N);
  if (tableY == 0) {
    if (decodePoint(pvt, input + 4 * SCALAR) != 0) return 0;
    scalar(u3, input + 3 * SCALAR);
    mulMod(u3, u3, u2, P256_N);
    if (isZero(u3, N) == 1 || !multiplyPublicProjectiveUnsafe<P256>(product, u3, N, pvt, work)) return 2;
  }
  recodePadded(a, u1, tableG);
  recodePadded(b, u2, table);
  sumPublicUnsafe<P256>(sum, tableG, a, table, b, sums);
  if (tableY == 0) addProjective<P256>(sum, product);
  // r was read as 32 octets, below 2^256 < 2 p.
  fromOctets(r, input + SCALAR, 32, N);
  reduceMod(r, r, P256_P);
  return hasAbscissa(sum, r) & (1 ^ isZero(r, N));
}

/** 1 if (X:Y:Z) is not neutral and its affine x is the integer at `words`: X = x Z, Z not 0. No inversion is needed. */
function hasAbscissa(X: usize, words: usize): u32 {
  claim(Abscissa.DIFFERENCE, Abscissa.END);
  const difference = slot(Abscissa.DIFFERENCE), Z = X + 2 * bytes<P256>();
  loadInteger<P256>(difference, words);
  mul<P256>(difference, difference, Z);
  sub<P256>(difference, X, difference, 0);
  const equal = vanishes<P256>(difference) & (1 ^ vanishes<P256>(Z));
  release(Abscissa.DIFFERENCE, Abscissa.END);
  return equal;
}
