// PF_p = F_p2* / F_p*: the class of a + i b is written b/a. Powers of a fixed class from a table of classes (1, t):
// (a, b)(1, t) = (a - b t, b + a t), 2M a digit; a negative digit is the class -t.

import { below } from "./bounds";
import { Fp, add, bytes, copy, lanes, mul, mulAddMul, one, sub } from "./field";
import { RECODED_BYTES } from "./digits";
import { entryAt, rowsOf, selectEntry, selectRowsSpread, writeHeader } from "./tables";
import { invertLanes, invertMany, loadInteger } from "./points";
import { broadcast, moveLane, storeEntry, swapPairs } from "./lanes";
import { Power, PowerSpread, PowersTable, claim, release, slot } from "./scratch";

/** Octets of scratch that buildPowers needs. */
export function powersScratch(rows: i32): usize {
  return <usize>((rows + lanes() - 1) / lanes()) * bytes<Fp>() * 6;
}

/** Fills a table of powers of the class whose representative is at `base` (canonical words). */
export function buildPowers(table: usize, rows: i32, width: i32, base: usize, scratch: usize): bool {
  writeHeader(table, rows, width);
  const size = bytes<Fp>(), groups = (rows + lanes() - 1) / lanes(), span = <usize>groups * size;
  const row = scratch, step = row + span, re = step + span, prefix = re + 2 * span;
  claim(PowersTable.A, PowersTable.END);
  const a = slot(PowersTable.A), b = slot(PowersTable.B), t = slot(PowersTable.T);
  copy<Fp>(a, one<Fp>());
  loadInteger<Fp>(b, base);
  for (let i = 0; i < groups * lanes(); i++) {
    const g = <usize>(i / lanes()) * size, lane = i % lanes();
    for (let d = 0; d < width; d++) {
      if (d < 2) {
        moveLane<Fp>((d == 0 ? row : step) + g, lane, b, 0);
        moveLane<Fp>(re + (d == 0 ? 0 : span) + g, lane, a, 0);
      }
      // (a, b)^2 = ((a + b)(a - b), 2 a b)
      mul<Fp>(t, a, b);
      add<Fp>(slot(PowersTable.SUM), a, b);
      sub<Fp>(a, a, b, 1);
      mul<Fp>(a, a, slot(PowersTable.SUM));
      add<Fp>(b, t, t);
    }
  }
  if (!invertMany<Fp>(re, 2 * groups, prefix)) {
    release(PowersTable.A, PowersTable.END);
    return false;
  }
  for (let k: usize = 0; k < 2 * span; k += size) mul<Fp>(row + k, row + k, re + k);
  const entries = 1 << (width - 1);
  for (let e = 0; e < entries; e++) {
    for (let i = 0; i < rows; i++) {
      storeEntry<Fp>(entryAt<Fp>(table, i, e, 1), row + <usize>(i / lanes()) * size, i % lanes());
    }
    if (e == entries - 1) break;
    // (1, t)(1, s) = (1 - t s, t + s)
    for (let k: usize = 0; k < span; k += size) {
      mul<Fp>(t, row + k, step + k);
      sub<Fp>(re + k, one<Fp>(), t, 0);
      add<Fp>(row + k, row + k, step + k);
    }
    if (!invertMany<Fp>(re, groups, prefix)) {
      release(PowersTable.A, PowersTable.END);
      return false;
    }
    for (let k: usize = 0; k < span; k += size) mul<Fp>(row + k, row + k, re + k);
  }
  release(PowersTable.A, PowersTable.END);
  return true;
}

/**
 * Powers of the table's class for `groups` groups of recoded scalars; their representatives go to out[g]. `re` and
 * `prefix` have room for `groups` vectors each. The coordinates grow by less than 3 p a row: 450 p at the end.
 */
export function power(out: usize, re: usize, table: usize, rows: i32, recoded: usize, groups: i32, masks: usize,
    prefix: usize): bool {
  const size = bytes<Fp>(), member = slot(Power.MEMBER), t = slot(Power.T), u = slot(Power.U);
  claim(Power.MEMBER, Power.END);
  for (let row = 0; row < rows; row++) {
    for (let g: usize = 0; g < <usize>groups; g++) {
      const a = re + g * size, b = out + g * size;
      selectEntry<Fp>(member, table, row, 1, recoded + g * <usize>lanes() * RECODED_BYTES, masks);
      if (row == 0) {
        copy<Fp>(a, one<Fp>());
        copy<Fp>(b, member);
        continue;
      }
      mul<Fp>(t, b, member);
      mul<Fp>(u, a, member);
      sub<Fp>(a, a, t, 0);
      add<Fp>(b, b, u);
      below<Fp>(a, 450);
      below<Fp>(b, 450);
    }
  }
  release(Power.MEMBER, Power.END);
  if (!invertMany<Fp>(re, groups, prefix)) return false;
  for (let g: usize = 0; g < <usize>groups; g++) mul<Fp>(out + g * size, out + g * size, re + g * size);
  return true;
}

/**
 * The power for one scalar recoded for all rows of the table, which are spread over the lanes; its representative goes to
 * lane 0 of out, in none of the slots of Inversion and PowerSpread. `masks` has room for the masks of a row.
 */
export function powerSpread(out: usize, table: usize, recoded: usize, masks: usize): void {
  claim(PowerSpread.MEMBER, PowerSpread.END);
  const member = slot(PowerSpread.MEMBER), t = slot(PowerSpread.T), a = slot(PowerSpread.A), u = slot(PowerSpread.U);
  for (let row = 0; row < rowsOf(table); row += lanes()) {
    selectRowsSpread<Fp>(member, table, row, 1, recoded, masks);
    if (row == 0) {
      copy<Fp>(a, one<Fp>());
      copy<Fp>(out, member);
      continue;
    }
    mul<Fp>(t, out, member);
    mul<Fp>(u, a, member);
    sub<Fp>(a, a, t, 0);
    add<Fp>(out, out, u);
  }
  // The coordinates have grown by less than 6 p a row; products with one are below 2.5 p again.
  mul<Fp>(a, a, one<Fp>());
  mul<Fp>(out, out, one<Fp>());
  below<Fp>(a, 2.5);
  below<Fp>(out, 2.5);
  for (let distance = 1; distance < lanes(); distance <<= 1) {
    if (distance == 1) {
      swapPairs<Fp>(t, a);
      swapPairs<Fp>(u, out);
    } else {
      broadcast<Fp>(t, a, 2);
      broadcast<Fp>(u, out, 2);
    }
    // (a, b)(c, d) = (a c - b d, a d + b c)
    mulAddMul<Fp>(member, a, u, t, out);
    mul<Fp>(a, a, t);
    mul<Fp>(u, out, u);
    sub<Fp>(a, a, u, 0);
    copy<Fp>(out, member);
  }
  invertLanes<Fp>(a);
  mul<Fp>(out, out, a);
  release(PowerSpread.MEMBER, PowerSpread.END);
}
