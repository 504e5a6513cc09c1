// What the two FMA kernels share: fused products of limbs, and element vectors of any number of limbs, each an exact
// non-negative double, two lanes of 64 bits.

export const LANES: i32 = 2;
/** Octets of one selection mask. */
export const MASK_BYTES: usize = 16;

/** 2^104 + m for a b = m 2^52 + lo, with c1 = 2^104. */
@inline export function high(a: v128, b: v128, c1: v128): v128 {
  return f64x2.relaxed_madd(a, b, c1);
}

/** lo - 1.5 2^52, with h = high(a, b) and c2 = 2^104 - 1.5 2^52. */
@inline export function low(a: v128, b: v128, h: v128, c2: v128): v128 {
  return f64x2.relaxed_madd(a, b, f64x2.sub(c2, h));
}

/** The low 52 bits of each lane as a double. */
@inline export function toDouble(x: v128, mask: v128, e52: v128): v128 {
  return f64x2.sub(v128.or(v128.and(x, mask), e52), e52);
}

/** A limb as an integer. */
@inline export function toInteger(limb: f64): u64 {
  return reinterpret<u64>(limb + 4503599627370496) & 0xfffffffffffff;
}

@inline export function swapLanes(out: usize, a: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = v128.load(a + i);
    v128.store(out + i, i64x2.shuffle(x, x, 1, 0));
  }
}

@inline export function selectLanes(out: usize, a: usize, b: usize, mask: usize, bytes: usize): void {
  const m = v128.load(mask);
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(out + i, v128.bitselect(v128.load(a + i), v128.load(b + i), m));
  }
}

@inline export function broadcastLane(out: usize, a: usize, from: i32, bytes: usize): void {
  a += <usize>from << 3;
  for (let i: usize = 0; i < bytes; i += 16) v128.store(out + i, v128.load64_splat(a + i));
}

@inline export function packLane(entry: usize, a: usize, lane: i32, entryBytes: usize): void {
  a += <usize>lane << 3;
  for (let i: usize = 0; i < entryBytes; i += 8) store<f64>(entry + i, load<f64>(a + 2 * i));
}

@inline export function unpackLane(out: usize, lane: i32, entry: usize, entryBytes: usize): void {
  out += <usize>lane << 3;
  for (let i: usize = 0; i < entryBytes; i += 8) store<f64>(out + 2 * i, load<f64>(entry + i));
}

/** Writes `entries` masks that are 1 in the lanes whose index (u32 at `indices`) is the entry's number, else 0. */
export function selectionMasks(masks: usize, indices: usize, entries: i32): void {
  const wanted = i64x2.extend_low_i32x4_u(v128.load64_zero(indices));
  const one = f64x2.splat(1);
  for (let e = 0; e < entries; e++) {
    v128.store(masks + (<usize>e << 4), v128.and(i64x2.eq(wanted, i64x2.splat(e)), one));
  }
}
