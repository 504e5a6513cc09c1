// Fixed-base tables: for every window i of w bits a row of the odd multiples 1, 3, ..., 2^w - 1 of 2^(w i) B.
// A table starts with its number of rows and its window (4 octets each) at 16 octets before the rows.

import { below } from "./bounds";
import { bytes, entryBytes, lanes, mul, pointBytes, scanRow, scanRowForLane, selectionMasks, sqr, sub,
    words as wordCount, zero } from "./field";
import { RECODED_BYTES, indexOf, isNegative, windowOf } from "./digits";
import { X, ZY, baseX, baseY, disownMultiple, double, ownMultiple, start } from "./jacobian";
import { addMany, invertMany, loadInteger } from "./points";
import { loadEntryUnsafe, moveLane, select, setMask, storeEntry } from "./lanes";
import { Choice, Normal, claim, release, slot } from "./scratch";

const HEADER_BYTES: usize = 16;

@inline export function rowsOf(table: usize): i32 {
  return load<i32>(table);
}

@inline export function windowWidthOf(table: usize): i32 {
  return load<i32>(table, 4);
}

@inline export function writeHeader(table: usize, rows: i32, width: i32): void {
  store<i32>(table, rows);
  store<i32>(table, width, 4);
}

/** Address of entry `index` of row `row`; `elements` is 2 for points and 1 for members of PF_p. */
@inline export function entryAt<F>(table: usize, row: i32, index: i32, elements: i32): usize {
  const entries = 1 << (windowWidthOf(table) - 1);
  return table + HEADER_BYTES + <usize>((row * entries + index) * elements) * entryBytes<F>();
}

/** Octets of a table. */
export function tableBytes<F>(rows: i32, width: i32, elements: i32): usize {
  return HEADER_BYTES + <usize>((rows << (width - 1)) * elements) * entryBytes<F>();
}

/** Octets of scratch that buildTable needs. */
export function buildScratch<F>(rows: i32): usize {
  const groups = <usize>((rows + lanes() - 1) / lanes());
  return groups * bytes<F>() * 8;
}

/**
 * Fills a table for the affine point at `base` (x then y, canonical words). Variable time is harmless here except
 * for a secret base; the operations do not depend on the base either. False if the base has small order.
 */
export function buildTable<F>(table: usize, rows: i32, width: i32, base: usize, scratch: usize): bool {
  writeHeader(table, rows, width);
  const size = bytes<F>(), point = pointBytes<F>(), groups = (rows + lanes() - 1) / lanes();
  const row = scratch, step = row + <usize>groups * point, third = step + <usize>groups * point,
      prefix = third + <usize>groups * point;
  ownMultiple();
  loadInteger<F>(baseX(), base);
  loadInteger<F>(baseY(), base + (<usize>wordCount<F>() << 2));
  start<F>();
  // Row i starts at 2^(w i) B, its step is twice that; both fall off the chain of doublings. Z goes to `third`.
  for (let i = 0; i < groups * lanes(); i++) {
    const g = <usize>(i / lanes()), lane = i % lanes();
    for (let d = 0; d < width; d++) {
      if (d < 2) {
        const to = (d == 0 ? row : step) + g * point, z = third + g * point + (d == 0 ? 0 : size);
        moveLane<F>(to, lane, X(), 0);
        moveLane<F>(to + size, lane, ZY(), 1);
        moveLane<F>(z, lane, ZY(), 0);
      }
      double<F>(false);
    }
  }
  disownMultiple();
  if (!invertMany<F>(third, 2 * groups, prefix)) return false;
  for (let g = 0; g < groups; g++) {
    normalise<F>(row + <usize>g * point, third + <usize>g * point);
    normalise<F>(step + <usize>g * point, third + <usize>g * point + size);
  }
  const entries = 1 << (width - 1);
  for (let e = 0; e < entries; e++) {
    for (let i = 0; i < rows; i++) {
      const from = row + <usize>(i / lanes()) * point, entry = entryAt<F>(table, i, e, 2);
      below<F>(from, 2.25);
      below<F>(from + size, 2.25);
      storeEntry<F>(entry, from, i % lanes());
      storeEntry<F>(entry + entryBytes<F>(), from + size, i % lanes());
    }
    if (e == entries - 1) break;
    if (!addMany<F>(row, row, step, groups, prefix)) return false;
  }
  return true;
}

/** Jacobian (X, Y) with 1/Z at `inverse` to affine. */
function normalise<F>(xy: usize, inverse: usize): void {
  claim(Normal.T, Normal.END);
  const t = slot(Normal.T);
  sqr<F>(t, inverse);
  mul<F>(xy, xy, t);
  mul<F>(t, t, inverse);
  mul<F>(xy + bytes<F>(), xy + bytes<F>(), t);
  release(Normal.T, Normal.END);
}

/** Picks place and sign of window `row` for one lane. */
@inline function digit(lane: i32, scalar: usize, row: i32, width: i32): void {
  const window = windowOf(scalar, row, width);
  store<u32>(slot(Choice.DIGITS) + (<usize>lane << 2), indexOf(window, width));
  setMask(slot(Choice.DIGITS) + 16, lane, isNegative(scalar, window, width));
}

/** Negates the last of `elements` vectors at `out` in the lanes whose digit is negative. */
@inline function applySigns<F>(out: usize, elements: i32): void {
  const last = out + <usize>(elements - 1) * bytes<F>(), negative = slot(Choice.NEGATIVE);
  zero<F>(negative);
  sub<F>(negative, negative, last, 0);
  select<F>(last, negative, last, slot(Choice.DIGITS) + 16);
}

/**
 * Reads one row for the lanes of a group and leaves the chosen entry of `elements` vectors at `out`; the digits are
 * secret, so the whole row is read. The last element (y, or the member of PF_p) is negated where the digit is.
 */
export function selectEntry<F>(out: usize, table: usize, row: i32, elements: i32, recoded: usize, masks: usize): void {
  claim(Choice.DIGITS, Choice.END);
  const width = windowWidthOf(table);
  for (let lane = 0; lane < lanes(); lane++) digit(lane, recoded + <usize>lane * RECODED_BYTES, row, width);
  selectionMasks<F>(masks, slot(Choice.DIGITS), 1 << (width - 1));
  for (let i = 0; i < elements; i++) zero<F>(out + <usize>i * bytes<F>());
  scanRow<F>(out, entryAt<F>(table, row, 0, elements), 1 << (width - 1), elements, masks);
  applySigns<F>(out, elements);
  release(Choice.DIGITS, Choice.END);
}

/**
 * The summands of [k]B for `groups` groups of recoded scalars: points[row * groups + g], for the first `rows` rows.
 * `masks` has room for the masks of a row. Row by row, so that a row stays in the cache for all groups.
 */
export function selectPoints<F>(points: usize, table: usize, rows: i32, recoded: usize, groups: i32, masks: usize): void {
  for (let row = 0; row < rows; row++) {
    for (let g = 0; g < groups; g++) {
      selectEntry<F>(points, table, row, 2, recoded + <usize>(g * lanes()) * RECODED_BYTES, masks);
      points += pointBytes<F>();
    }
  }
}

/** As selectPoints for public scalars: only the chosen entries are read. "Unsafe": the addresses depend on the scalars. */
export function selectPointsUnsafe<F>(points: usize, table: usize, rows: i32, recoded: usize, groups: i32): void {
  claim(Choice.DIGITS, Choice.END);
  const width = windowWidthOf(table);
  for (let row = 0; row < rows; row++) {
    for (let g = 0; g < groups; g++) {
      for (let lane = 0; lane < lanes(); lane++) {
        loadPointUnsafe<F>(points, lane, table, row, recoded + <usize>(g * lanes() + lane) * RECODED_BYTES, width);
      }
      applySigns<F>(points, 2);
      points += pointBytes<F>();
    }
  }
  release(Choice.DIGITS, Choice.END);
}

/** Reads the entry of one lane in row `row`, and sets the sign that applySigns applies. */
@inline function loadPointUnsafe<F>(point: usize, lane: i32, table: usize, row: i32, scalar: usize, width: i32): void {
  digit(lane, scalar, row, width);
  const entry = entryAt<F>(table, row, load<u32>(slot(Choice.DIGITS) + (<usize>lane << 2)), 2);
  loadEntryUnsafe<F>(point, lane, entry);
  loadEntryUnsafe<F>(point + bytes<F>(), lane, entry + entryBytes<F>());
}

/**
 * Entries for one recoded scalar, spread over the lanes: lane l of `elements` vectors at `out` gets that of row `row` + l.
 * The digits are secret, so whole rows are read. The last element is negated where the digit is negative.
 */
export function selectRowsSpread<F>(out: usize, table: usize, row: i32, elements: i32, recoded: usize, masks: usize): void {
  claim(Choice.DIGITS, Choice.END);
  const width = windowWidthOf(table), entries = 1 << (width - 1);
  for (let i = 0; i < elements; i++) zero<F>(out + <usize>i * bytes<F>());
  for (let lane = 0; lane < lanes(); lane++) {
    digit(lane, recoded, row + lane, width);
    const index = load<u32>(slot(Choice.DIGITS) + (<usize>lane << 2));
    scanRowForLane<F>(out, lane, index, entryAt<F>(table, row + lane, 0, elements), entries, elements, masks);
  }
  applySigns<F>(out, elements);
  release(Choice.DIGITS, Choice.END);
}

/**
 * The summands of [k]B for one recoded scalar, spread over the lanes: lane l of points[i] is that of row
 * lanes * i + l. The number of rows is a multiple of the number of lanes.
 */
export function selectSpread<F>(points: usize, table: usize, recoded: usize, masks: usize): void {
  for (let row = 0; row < rowsOf(table); row += lanes()) {
    selectRowsSpread<F>(points, table, row, 2, recoded, masks);
    points += pointBytes<F>();
  }
}

/** As selectSpread for a public scalar: only the chosen entries are read. "Unsafe": the addresses depend on the scalar. */
export function selectSpreadUnsafe<F>(points: usize, table: usize, recoded: usize): void {
  claim(Choice.DIGITS, Choice.END);
  const width = windowWidthOf(table);
  for (let row = 0; row < rowsOf(table); row += lanes()) {
    for (let lane = 0; lane < lanes(); lane++) {
      loadPointUnsafe<F>(points, lane, table, row + lane, recoded, width);
    }
    applySigns<F>(points, 2);
    points += pointBytes<F>();
  }
  release(Choice.DIGITS, Choice.END);
}
