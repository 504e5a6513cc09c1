// Table look-ups of assembly/fma/field.ts at secret places: a whole row is read, for the two lanes at once or for one of
// them, which takes half as many products.

const ENTRY_BYTES: usize = 160;

/** Octets of one selection mask. */
export const MASK_BYTES: usize = 32;

/**
 * Writes `entries` masks for the two lanes whose wanted entry numbers (u32) are at `indices`: for the first lane 1 in both
 * halves where the entry is wanted, else 0; for the second lane all ones, else 0.
 */
export function selectionMasks(masks: usize, indices: usize, entries: i32): void {
  const first = i64x2.splat(<i64>load<u32>(indices)), second = i64x2.splat(<i64>load<u32>(indices, 4));
  const one = f64x2.splat(1);
  for (let e = 0; e < entries; e++) {
    const number = i64x2.splat(<i64>e);
    v128.store(masks, v128.and(i64x2.eq(first, number), one));
    v128.store(masks, i64x2.eq(second, number), 16);
    masks += MASK_BYTES;
  }
}

/**
 * Adds to `out`, which is zero, the wanted entries of a whole row, so every entry is read whatever the index. For the first
 * lane an entry is multiplied by its mask of 0 or 1, for the second it is masked and joined by bits: at most one of a lane
 * is wanted, so both are the entry itself or 0. A processor has other units for one than for the other. Accumulators hold
 * two limbs of one lane each; eight of them, a limb pair and two masks stay in registers (ten accumulators spill and
 * halve the speed).
 */
export function scanRow(out: usize, row: usize, entries: i32, elements: i32, masks: usize): void {
  const stride = ENTRY_BYTES * <usize>elements;
  // Eight limbs a group; a single element leaves four.
  for (let left = 5 * elements; left > 0; left -= 2) {
    if (left == 1) {
      scanTail(out, row, entries, stride, masks);
      return;
    }
    let x = v128.load(out), y = v128.load(out, 16);
    let a0 = i64x2.shuffle(x, y, 0, 2), b0 = i64x2.shuffle(x, y, 1, 3);
    x = v128.load(out, 32);
    y = v128.load(out, 48);
    let a1 = i64x2.shuffle(x, y, 0, 2), b1 = i64x2.shuffle(x, y, 1, 3);
    x = v128.load(out, 64);
    y = v128.load(out, 80);
    let a2 = i64x2.shuffle(x, y, 0, 2), b2 = i64x2.shuffle(x, y, 1, 3);
    x = v128.load(out, 96);
    y = v128.load(out, 112);
    let a3 = i64x2.shuffle(x, y, 0, 2), b3 = i64x2.shuffle(x, y, 1, 3);
    let entry = row, mask = masks;
    for (let e = 0; e < entries; e++) {
      const m = v128.load(mask), n = v128.load(mask, 16);
      x = v128.load(entry);
      a0 = f64x2.relaxed_madd(x, m, a0);
      b0 = v128.or(b0, v128.and(x, n));
      x = v128.load(entry, 16);
      a1 = f64x2.relaxed_madd(x, m, a1);
      b1 = v128.or(b1, v128.and(x, n));
      x = v128.load(entry, 32);
      a2 = f64x2.relaxed_madd(x, m, a2);
      b2 = v128.or(b2, v128.and(x, n));
      x = v128.load(entry, 48);
      a3 = f64x2.relaxed_madd(x, m, a3);
      b3 = v128.or(b3, v128.and(x, n));
      entry += stride;
      mask += MASK_BYTES;
    }
    v128.store(out, i64x2.shuffle(a0, b0, 0, 2));
    v128.store(out, i64x2.shuffle(a0, b0, 1, 3), 16);
    v128.store(out, i64x2.shuffle(a1, b1, 0, 2), 32);
    v128.store(out, i64x2.shuffle(a1, b1, 1, 3), 48);
    v128.store(out, i64x2.shuffle(a2, b2, 0, 2), 64);
    v128.store(out, i64x2.shuffle(a2, b2, 1, 3), 80);
    v128.store(out, i64x2.shuffle(a3, b3, 0, 2), 96);
    v128.store(out, i64x2.shuffle(a3, b3, 1, 3), 112);
    out += 128;
    row += 64;
  }
}

/** The last four limbs of an element, as scanRow. */
function scanTail(out: usize, row: usize, entries: i32, stride: usize, masks: usize): void {
  let x = v128.load(out), y = v128.load(out, 16);
  let a0 = i64x2.shuffle(x, y, 0, 2), b0 = i64x2.shuffle(x, y, 1, 3);
  x = v128.load(out, 32);
  y = v128.load(out, 48);
  let a1 = i64x2.shuffle(x, y, 0, 2), b1 = i64x2.shuffle(x, y, 1, 3);
  for (let e = 0; e < entries; e++) {
    const m = v128.load(masks), n = v128.load(masks, 16);
    x = v128.load(row);
    a0 = f64x2.relaxed_madd(x, m, a0);
    b0 = v128.or(b0, v128.and(x, n));
    x = v128.load(row, 16);
    a1 = f64x2.relaxed_madd(x, m, a1);
    b1 = v128.or(b1, v128.and(x, n));
    row += stride;
    masks += MASK_BYTES;
  }
  v128.store(out, i64x2.shuffle(a0, b0, 0, 2));
  v128.store(out, i64x2.shuffle(a0, b0, 1, 3), 16);
  v128.store(out, i64x2.shuffle(a1, b1, 0, 2), 32);
  v128.store(out, i64x2.shuffle(a1, b1, 1, 3), 48);
}

/** Writes `entries` masks of 16 octets for one wanted entry: 1 in both halves where it is, else 0. */
export function entryMasks(masks: usize, index: u32, entries: i32): void {
  const wanted = i64x2.splat(<i64>index), one = f64x2.splat(1);
  for (let e = 0; e < entries; e++) {
    v128.store(masks, v128.and(i64x2.eq(wanted, i64x2.splat(<i64>e)), one));
    masks += 16;
  }
}

/** As scanRow for one lane with the masks of entryMasks: writes the wanted entry to it and leaves the other. */
export function scanLane(out: usize, lane: i32, row: usize, entries: i32, elements: i32, masks: usize): void {
  const stride = ENTRY_BYTES * <usize>elements;
  out += <usize>lane << 3;
  for (let element = 0; element < elements; element++) {
    const zero = f64x2.splat(0);
    let a0 = zero, a1 = zero, a2 = zero, a3 = zero, a4 = zero, a5 = zero, a6 = zero, a7 = zero, a8 = zero, a9 = zero;
    let entry = row, mask = masks;
    for (let e = 0; e < entries; e++) {
      const m = v128.load(mask);
      a0 = f64x2.relaxed_madd(v128.load(entry, 0), m, a0);
      a1 = f64x2.relaxed_madd(v128.load(entry, 16), m, a1);
      a2 = f64x2.relaxed_madd(v128.load(entry, 32), m, a2);
      a3 = f64x2.relaxed_madd(v128.load(entry, 48), m, a3);
      a4 = f64x2.relaxed_madd(v128.load(entry, 64), m, a4);
      a5 = f64x2.relaxed_madd(v128.load(entry, 80), m, a5);
      a6 = f64x2.relaxed_madd(v128.load(entry, 96), m, a6);
      a7 = f64x2.relaxed_madd(v128.load(entry, 112), m, a7);
      a8 = f64x2.relaxed_madd(v128.load(entry, 128), m, a8);
      a9 = f64x2.relaxed_madd(v128.load(entry, 144), m, a9);
      entry += stride;
      mask += 16;
    }
    store<f64>(out, f64x2.extract_lane(a0, 0), 0);
    store<f64>(out, f64x2.extract_lane(a0, 1), 16);
    store<f64>(out, f64x2.extract_lane(a1, 0), 32);
    store<f64>(out, f64x2.extract_lane(a1, 1), 48);
    store<f64>(out, f64x2.extract_lane(a2, 0), 64);
    store<f64>(out, f64x2.extract_lane(a2, 1), 80);
    store<f64>(out, f64x2.extract_lane(a3, 0), 96);
    store<f64>(out, f64x2.extract_lane(a3, 1), 112);
    store<f64>(out, f64x2.extract_lane(a4, 0), 128);
    store<f64>(out, f64x2.extract_lane(a4, 1), 144);
    store<f64>(out, f64x2.extract_lane(a5, 0), 160);
    store<f64>(out, f64x2.extract_lane(a5, 1), 176);
    store<f64>(out, f64x2.extract_lane(a6, 0), 192);
    store<f64>(out, f64x2.extract_lane(a6, 1), 208);
    store<f64>(out, f64x2.extract_lane(a7, 0), 224);
    store<f64>(out, f64x2.extract_lane(a7, 1), 240);
    store<f64>(out, f64x2.extract_lane(a8, 0), 256);
    store<f64>(out, f64x2.extract_lane(a8, 1), 272);
    store<f64>(out, f64x2.extract_lane(a9, 0), 288);
    store<f64>(out, f64x2.extract_lane(a9, 1), 304);
    out += 2 * ENTRY_BYTES;
    row += ENTRY_BYTES;
  }
}
