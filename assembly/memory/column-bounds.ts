// The bounds of the columns of a product, asserted in a build with assertions as in ../bounds.ts, which stands on the kernels.

/** Asserts that both lanes are in [2^low, 2^high), or in [0, 2^high) for a low of 0. */
@inline export function column(x: v128, low: i32, high: i32): void {
  if (!ASC_NO_ASSERT) {
    inRange(i64x2.extract_lane(x, 0), low, high);
    inRange(i64x2.extract_lane(x, 1), low, high);
  }
}

/** The same for four lanes, each below 2^high. Callers leave it out themselves: inlined, it would change the code around it. */
export function columns(a: v128, b: v128, high: i32): void {
  column(a, 0, high);
  column(b, 0, high);
}

function inRange(x: u64, low: i32, high: i32): void {
  assert(x >> high == 0 && (low == 0 || x >> low != 0), "a column above its bound");
}
