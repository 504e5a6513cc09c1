// [k]B, or [k]B + [l]C, for bases with tables: all summands of all receivers are chosen first, then added as trees.

import { bytes, copy, getWords, lanes, mul, one, pointBytes, setWords, words as wordCount, zero } from "./field";
import { RECODED_BYTES } from "./digits";
import { broadcast } from "./lanes";
import { foldLanes, foldProjective, sumComplete, sumLevels, sumTree } from "./points";
import { rowsOf, selectPoints, selectPointsUnsafe, selectSpread, selectSpreadUnsafe, windowWidthOf } from "./tables";
import { Conversion, claim, release, slot } from "./scratch";
import { toOctets } from "./scalar";
import { wipe } from "./memory/workspace";

/** Summands a lane at which a spread sum goes over to complete additions. */
const FEW: i32 = 13;

/** Octets of masks for the widest row, 2^7 entries. */
export const MASKS_BYTES: usize = 4096;

/** Octets of scratch for `groups` sums of `count` points. */
export function sumScratch<F>(count: i32, groups: i32): usize {
  return MASKS_BYTES + 512 + <usize>(count * groups) * pointBytes<F>() + <usize>((count / 2 + 1) * groups) * bytes<F>();
}

/** The first of the scratch: the affine sums, when sumFixed is done. */
@inline export function sumsOf(scratch: usize): usize {
  return scratch + MASKS_BYTES + 512;
}

@inline export function masksOf(scratch: usize): usize {
  return scratch;
}

/** 1 at lane `index` counted over all groups where the sum is the neutral element. */
@inline export function isInfinity(scratch: usize, index: i32): u8 {
  return load<u8>(scratch + MASKS_BYTES + <usize>index);
}

/**
 * sum = [a]A + [b]B for each lane of `groups` groups (at most 512 lanes), affine in Montgomery form, at
 * sumsOf(scratch). Scalars are recoded for rowsA and rowsB rows; tableB = 0 leaves the second product out.
 */
export function sumFixed<F>(tableA: usize, rowsA: i32, a: usize, tableB: usize, rowsB: i32, b: usize, groups: i32,
    scratch: usize): void {
  sumSelected<F>(tableA, rowsA, a, tableB, rowsB, b, groups, scratch, false);
}

/** As sumFixed for public scalars. "Unsafe": the addresses depend on the scalars. */
export function sumFixedUnsafe<F>(tableA: usize, rowsA: i32, a: usize, tableB: usize, rowsB: i32, b: usize, groups: i32,
    scratch: usize): void {
  sumSelected<F>(tableA, rowsA, a, tableB, rowsB, b, groups, scratch, true);
}

@inline function sumSelected<F>(tableA: usize, rowsA: i32, a: usize, tableB: usize, rowsB: i32, b: usize, groups: i32,
    scratch: usize, isPublic: bool): void {
  const points = sumsOf(scratch), masks = masksOf(scratch), point = pointBytes<F>();
  const count = rowsA + rowsB, prefix = points + <usize>(count * groups) * point,
      others = points + <usize>(rowsA * groups) * point;
  memory.fill(scratch + MASKS_BYTES, 0, 512);
  for (let attempt = 0; attempt < 2; attempt++) {
    if (isPublic) {
      selectPointsUnsafe<F>(points, tableA, rowsA, a, groups);
      selectPointsUnsafe<F>(others, tableB, rowsB, b, groups);
    } else {
      selectPoints<F>(points, tableA, rowsA, a, groups, masks);
      if (rowsB > 0) selectPoints<F>(others, tableB, rowsB, b, groups, masks);
    }
    if (attempt == 1) sumComplete<F>(points, count, groups, scratch + MASKS_BYTES);
    else if (sumTree<F>(points, count, groups, prefix)) break;
  }
}

/**
 * One sum, as sumFixed, with its summands spread over the lanes; rows of both tables are a multiple of the number of
 * lanes and the scalars are recoded for all of them. The sum is in lane 0.
 */
export function sumSpread<F>(tableA: usize, a: usize, tableB: usize, b: usize, scratch: usize): void {
  const points = sumsOf(scratch), masks = masksOf(scratch), size = bytes<F>(), point = pointBytes<F>();
  const rowsA = rowsOf(tableA), rowsB = tableB == 0 ? 0 : rowsOf(tableB), count = (rowsA + rowsB) / lanes();
  const prefix = points + <usize>count * point;
  selectSpread<F>(points, tableA, a, masks);
  if (rowsB > 0) selectSpread<F>(points + <usize>(rowsA / lanes()) * point, tableB, b, masks);
  // Few summands are folded faster one by one than with another inversion for each level.
  const left = sumLevels<F>(points, count, 1, prefix, FEW);
  if (left > 0) {
    for (let k: usize = 0; k < <usize>left * point; k += size) mul<F>(points + k, points + k, one<F>());
    foldLanes<F>(points, left, scratch + MASKS_BYTES);
    return;
  }
  // Exceptional case: the plain way in all lanes, with the same scalars in each.
  const copyA = scratch + sumScratch<F>(rowsA + rowsB, 1), copyB = copyA + <usize>lanes() * RECODED_BYTES;
  for (let lane: usize = 0; lane < <usize>lanes(); lane++) {
    memory.copy(copyA + lane * RECODED_BYTES, a, RECODED_BYTES);
    if (rowsB > 0) memory.copy(copyB + lane * RECODED_BYTES, b, RECODED_BYTES);
  }
  sumFixed<F>(tableA, rowsA, copyA, tableB, rowsB, copyB, 1, scratch);
  wipe(copyA, 2 * <usize>lanes() * RECODED_BYTES);
}

/**
 * (X:Y:Z) = [a]A + [b]B for public scalars recoded as for sumSpread, in every lane; Z = 0 for the neutral element.
 * "Unsafe": the addresses depend on the scalars. X is none of the slots 0 to 21.
 */
export function sumPublicUnsafe<F>(X: usize, tableA: usize, a: usize, tableB: usize, b: usize, scratch: usize): void {
  const points = sumsOf(scratch), size = bytes<F>(), point = pointBytes<F>();
  const groupsA = rowsOf(tableA) / lanes(), count = groupsA + rowsOf(tableB) / lanes();
  selectSpreadUnsafe<F>(points, tableA, a);
  selectSpreadUnsafe<F>(points + <usize>groupsA * point, tableB, b);
  const left = sumLevels<F>(points, count, 1, points + <usize>count * point, FEW);
  if (left > 0) {
    for (let k: usize = 0; k < <usize>left * point; k += size) mul<F>(points + k, points + k, one<F>());
    foldProjective<F>(X, points, left);
    return;
  }
  // Exceptional case: as for secret scalars, with complete additions.
  sumSpread<F>(tableA, a, tableB, b, scratch);
  for (let k: usize = 0; k < point; k += size) broadcast<F>(X + k, points + k, 0);
  if (isInfinity(scratch, 0) != 0) zero<F>(X + point);
  else copy<F>(X + point, one<F>());
}

/** Octets of scratch for sumSpread and sumPublicUnsafe. */
export function spreadScratch<F>(tableA: usize, tableB: usize): usize {
  const rows = rowsOf(tableA) + (tableB == 0 ? 0 : rowsOf(tableB));
  return sumScratch<F>(rows, 1) + 2 * <usize>lanes() * RECODED_BYTES;
}

/** Rows that a scalar below 2^bits needs in a table. */
@inline export function rowsFor(table: usize, bits: i32): i32 {
  return (bits + windowWidthOf(table) - 1) / windowWidthOf(table);
}

/** Takes `count` vectors out of Montgomery form; then writeOctets may read them. */
export function toIntegers<F>(a: usize, count: i32): void {
  claim(Conversion.UNIT, Conversion.END);
  const unit = slot(Conversion.UNIT), word = slot(Conversion.WORDS);
  memory.fill(word, 0, <usize>wordCount<F>() << 2);
  store<u32>(word, 1);
  zero<F>(unit);
  for (let lane = 0; lane < lanes(); lane++) setWords<F>(unit, lane, word);
  for (let k: usize = 0; k < <usize>count; k++) mul<F>(a + k * bytes<F>(), a + k * bytes<F>(), unit);
  release(Conversion.UNIT, Conversion.END);
}

/** Writes one lane of a vector that is out of Montgomery form, most significant octet first. */
export function writeOctets<F>(out: usize, a: usize, lane: i32): void {
  claim(Conversion.WORDS, Conversion.END);
  const word = slot(Conversion.WORDS);
  getWords<F>(word, a, lane);
  toOctets(out, word, wordCount<F>());
  release(Conversion.WORDS, Conversion.END);
}
