// ECCSI (RFC 6507) on P-256: the arithmetic of a KMS, signers and verifiers. Octet strings are most significant first:
// scalars 32 octets, points x then y 64 octets. Hashing is the caller's. Every function clears the workspace before
// it returns; the blocks it was given, scratch among them, are cleared by their owner.

import { P256, bytes, getWords, lanes, mul, pointBytes, rSquared, setWords, sqr, sub } from "./field";
import { FIXED_BYTES, wipe, workspace } from "./memory/workspace";
import { P256_CURVE } from "./generated/curves";
import { P256_N, P256_P } from "./generated/moduli";
import { RECODED_BYTES, recode } from "./digits";
import { addProjective, loadInteger, sumComplete, vanishes } from "./points";
import { MULTIPLE_BITS, addToMultiple, multipleBytes, multiplyLanesScratch, multiplyLanesUnsafe } from "./multiples";
import { addMod, fromOctets, isEqual, isLess, isZero, montgomeryMul, mulMod, reduceMod, toOctets } from "./scalar";
import { buildScratch, buildTable, rowsOf, tableBytes, windowWidthOf } from "./tables";
import { inverseMod } from "./inverse";
import { isInfinity, rowsFor, spreadScratch, sumFixed, sumFixedUnsafe, sumPublicUnsafe, sumScratch, sumsOf, toIntegers,
    writeOctets } from "./fixedbase";
import { multiplyPublicProjectiveUnsafe, multiplyPublicUnsafe, multiplyScratch } from "./multiply";
import { Abscissa, Issue, Multipliers, Scalar, Signature, claim, release, slot } from "./scratch";
import { rSquaredOf } from "./modulus";

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

/** Octets of what is verified: HE, r, s, HS of 32 each, then PVT of 64. */
const VERIFICATION: usize = 4 * SCALAR + POINT;

/**
 * The multipliers u1 = s HE of G and u2 = s r of KPAK or Y, mod the order, for the octets at `input`. A factor of a product
 * is any integer of 256 bits, so only s is reduced. `t` is a temporary. Both are 0 for an s of 0 mod the order.
 */
function multipliers(u1: usize, u2: usize, input: usize, t: usize): void {
  fromOctets(t, input + 2 * SCALAR, 32, N);
  montgomeryMul(t, t, rSquaredOf(P256_N), P256_N);
  fromOctets(u1, input, 32, N);
  montgomeryMul(u1, u1, t, P256_N);
  fromOctets(u2, input + SCALAR, 32, N);
  montgomeryMul(u2, u2, t, P256_N);
}

/** The multiplier u3 = u2 HS of PVT. */
function multiplierOfPvt(u3: usize, u2: usize, input: usize, t: usize): void {
  montgomeryMul(t, u2, rSquaredOf(P256_N), P256_N);
  fromOctets(u3, input + 3 * SCALAR, 32, N);
  montgomeryMul(u3, u3, t, P256_N);
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
  multipliers(u1, u2, input, s);
  if (isZero(s, N) == 1) return 0;
  if (tableY == 0) {
    if (decodePoint(pvt, input + 4 * SCALAR) != 0) return 0;
    multiplierOfPvt(u3, u2, input, s);
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

/** Octets of scratch for eccsiVerifyBatch of n signatures. */
export function eccsiVerifyBatchScratch(tableG: usize, tableKpak: usize, n: i32): usize {
  const groups = groupsOf(min(n, CHUNK)), slots = <usize>(groups * lanes());
  const sums = sumScratch<P256>(rowsFor(tableG, ORDER_BITS) + rowsFor(tableKpak, ORDER_BITS), groups);
  return slots * (3 * RECODED_BYTES + POINT) + <usize>groups * multipleBytes() + max(sums, multiplyLanesScratch(groups));
}

/**
 * Verifies n signatures by signers without tables as eccsiVerify does, a signature in each lane: status[i] is its result
 * for input[i]. Everything is public.
 */
export function eccsiVerifyBatch(tableG: usize, tableKpak: usize, n: i32, input: usize, status: usize, scratch: usize): void {
  for (let at = 0; at < n; at += CHUNK) {
    verifyChunk(tableG, tableKpak, min(n - at, CHUNK), input + <usize>at * VERIFICATION, status + <usize>at, scratch);
  }
  wipe(workspace, FIXED_BYTES);
}

function verifyChunk(tableG: usize, tableKpak: usize, count: i32, input: usize, status: usize, scratch: usize): void {
  const groups = groupsOf(count), slots = <usize>(groups * lanes()), rowsG = rowsFor(tableG, ORDER_BITS),
      rowsKpak = rowsFor(tableKpak, ORDER_BITS);
  const a = scratch, b = a + slots * RECODED_BYTES, c = b + slots * RECODED_BYTES, pvts = c + slots * RECODED_BYTES;
  const multiples = pvts + slots * POINT, work = multiples + <usize>groups * multipleBytes();
  // Lanes that get no other signature repeat the last one.
  for (let i = 0; i < <i32>slots; i++) {
    const from = <usize>min(i, count - 1), to = <usize>i * RECODED_BYTES;
    store<u8>(status + from, loadVerification(a + to, b + to, c + to, pvts + <usize>i * POINT, input + from * VERIFICATION,
        rowsG * windowWidthOf(tableG), rowsKpak * windowWidthOf(tableKpak)));
  }
  multiplyLanesUnsafe(multiples, c, pvts, groups, work);
  sumFixedUnsafe<P256>(tableG, rowsG, a, tableKpak, rowsKpak, b, groups, work);
  for (let g = 0; g < groups; g++) {
    const first = g * lanes(), multiple = multiples + <usize>g * multipleBytes();
    addToMultiple(multiple, sumsOf(work) + <usize>g * pointBytes<P256>());
    haveAbscissas(multiple, work, first, count, input, status);
  }
}

/**
 * Recodes the multipliers of G, KPAK and PVT, and decodes PVT. Returns 1; 0 if the signature is refused, 2 if eccsiVerify has
 * to decide because a multiplier is 0. In both cases the lane gets G and multipliers of 1, which are no exceptional case.
 */
function loadVerification(a: usize, b: usize, c: usize, pvt: usize, input: usize, bitsG: i32, bitsKpak: i32): u8 {
  claim(Multipliers.G, Multipliers.END);
  const u1 = slot(Multipliers.G), u2 = slot(Multipliers.KPAK), u3 = slot(Multipliers.PVT), t = slot(Multipliers.T);
  multipliers(u1, u2, input, t);
  let verdict: u8 = isZero(t, N) == 1 ? 0 : 1;
  multiplierOfPvt(u3, u2, input, t);
  if (decodePoint(pvt, input + 4 * SCALAR) != 0) verdict = 0;
  else if (verdict == 1 && (isZero(u1, N) | isZero(u2, N) | isZero(u3, N)) == 1) verdict = 2;
  if (verdict != 1) {
    memory.copy(pvt, P256_CURVE, POINT);
    memory.fill(u1, 0, SCALAR);
    store<u32>(u1, 1);
    memory.copy(u2, u1, SCALAR);
    memory.copy(u3, u1, SCALAR);
  }
  recode(a, u1, P256_N, bitsG);
  recode(b, u2, P256_N, bitsKpak);
  recode(c, u3, P256_N, MULTIPLE_BITS);
  release(Multipliers.G, Multipliers.END);
  return verdict;
}

/**
 * Completes the status of the signatures whose J is in the lanes of `multiple`: 1 becomes 0 where the affine x of J is not
 * r, or r is 0, and 2 where a step met an exceptional case. `sums` is the scratch of the sums of both tables.
 */
function haveAbscissas(multiple: usize, sums: usize, first: i32, count: i32, input: usize, status: usize): void {
  claim(Abscissa.DIFFERENCE, Abscissa.END);
  const difference = slot(Abscissa.DIFFERENCE), r = slot(Abscissa.R), words = slot(Abscissa.WORDS),
      Z = multiple + 2 * bytes<P256>();
  for (let lane = 0; lane < lanes(); lane++) {
    // 32 octets are below 2^256 < 2 p.
    fromOctets(words, input + <usize>min(first + lane, count - 1) * VERIFICATION + SCALAR, 32, N);
    setWords<P256>(r, lane, words);
  }
  mul<P256>(r, r, rSquared<P256>());
  sqr<P256>(difference, Z);
  mul<P256>(difference, difference, r);
  sub<P256>(difference, multiple, difference, 0);
  for (let lane = 0; lane < lanes() && first + lane < count; lane++) {
    const at = status + <usize>(first + lane);
    if (load<u8>(at) != 1) continue;
    if (isInfinity(sums, first + lane) | isZeroLane(Z, lane, words)) store<u8>(at, 2);
    else store<u8>(at, <u8>(isZeroLane(difference, lane, words) & (1 ^ isZeroLane(r, lane, words))));
  }
  release(Abscissa.DIFFERENCE, Abscissa.END);
}

/** 1 if the lane is 0 mod p. */
function isZeroLane(a: usize, lane: i32, words: usize): u32 {
  getWords<P256>(words, a, lane);
  return isZero(words, N);
}
