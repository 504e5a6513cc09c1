// The bounds that comments promise, asserted in a build with assertions (targets debug-fma and debug-simd); in the builds
// of the package, nothing is left of them. A broken bound is a trap. Multiples of p are compared as doubles, whose rounding
// SLACK covers.

import "./kernels";
import { bytes, isFp, lanes, words } from "./tags";

/** p / 2^1024, and p / 2^256 of P-256. */
const FP_TOP: f64 = 0.5995289755613492;
const P256_TOP: f64 = 0.9999999997671694;
const SLACK: f64 = 1 + 1e-12;
/** K p of a subtraction, and zero. */
const MULTIPLE: usize = ASC_NO_ASSERT ? 0 : memory.data(640, 16);
const ZERO: usize = ASC_NO_ASSERT ? 0 : memory.data(640, 16);

/** Asserts that all lanes are below `multiple` p. */
@inline export function below<F>(a: usize, multiple: f64): void {
  if (!ASC_NO_ASSERT) belowEach<F>(a, multiple, multiple);
}

/** Asserts that the even lanes are below `even` p, and the odd lanes below `odd` p. */
@inline export function evenOddBelow<F>(a: usize, even: f64, odd: f64): void {
  if (!ASC_NO_ASSERT) belowEach<F>(a, even, odd);
}

/** Asserts that a b + c d may be reduced; c = 0 stands for no second product. */
@inline export function factors<F>(a: usize, b: usize, c: usize, d: usize): void {
  if (!ASC_NO_ASSERT) mayMultiply<F>(a, b, c, d);
}

/** Asserts that `times` a + b is legal; b = 0 stands for no summand. */
@inline export function summands<F>(a: usize, times: i32, b: usize): void {
  if (!ASC_NO_ASSERT) mayAdd<F>(a, times, b);
}

/** Asserts that a - b + K p is neither negative nor too large. */
@inline export function difference<F>(a: usize, b: usize, level: i32): void {
  if (!ASC_NO_ASSERT) maySubtract<F>(a, b, level);
}

/** Asserts that a + b is below the K p of `level`; b = 0 stands for no second one. */
@inline export function subtrahends<F>(a: usize, b: usize, level: i32): void {
  if (!ASC_NO_ASSERT) maySubtractBoth<F>(a, b, level);
}

/** Asserts that all lanes can be reduced to an integer below p. */
@inline export function reducible<F>(a: usize): void {
  if (!ASC_NO_ASSERT) belowEach<F>(a, kernel.fp.REDUCIBLE, kernel.fp.REDUCIBLE);
}

/** Asserts that an element vector has legal limbs, and values that any operation takes. */
@inline export function legal<F>(a: usize): void {
  if (!ASC_NO_ASSERT) belowEach<F>(a, limit<F>(), limit<F>());
}

/** Asserts that all pairs of lanes are the same, in both element vectors. */
@inline export function repeated<F>(a: usize, b: usize): void {
  if (!ASC_NO_ASSERT) {
    repeatedLanes<F>(a);
    repeatedLanes<F>(b);
  }
}

function repeatedLanes<F>(a: usize): void {
  for (let i: usize = 0; i < bytes<F>(); i += 16) {
    for (let k: usize = 8; k < <usize>lanes() * kernel.LANE_BYTES; k += 8) {
      assert(load<u64>(a + i) == load<u64>(a + i + k), "pairs of lanes that differ");
    }
  }
}

/** Multiples of p that a value stays below: R / p for F_p, and 2^257 / p for P-256. */
@inline function limit<F>(): f64 {
  return isFp<F>() ? kernel.fp.LIMIT : 2.00000001;
}

function belowEach<F>(a: usize, even: f64, odd: f64): void {
  for (let lane = 0; lane < lanes(); lane++) {
    assert(multiples<F>(a, lane) <= (lane & 1 ? odd : even) * SLACK, "a value above its bound");
  }
}

function mayMultiply<F>(a: usize, b: usize, c: usize, d: usize): void {
  for (let lane = 0; lane < lanes(); lane++) {
    let sum = multiples<F>(a, lane) * multiples<F>(b, lane);
    if (c != 0) sum += multiples<F>(c, lane) * multiples<F>(d, lane);
    assert(!isFp<F>() || sum <= kernel.fp.PRODUCTS * SLACK, "factors above their bound");
  }
}

function mayAdd<F>(a: usize, times: i32, b: usize): void {
  for (let lane = 0; lane < lanes(); lane++) {
    const sum = multiples<F>(a, lane) * times + (b == 0 ? 0 : multiples<F>(b, lane));
    assert(!isFp<F>() || sum <= limit<F>() * SLACK, "a sum above its bound");
  }
}

function maySubtract<F>(a: usize, b: usize, level: i32): void {
  if (!isFp<F>()) {
    legal<F>(a);
    legal<F>(b);
    return;
  }
  maySubtractBoth<F>(b, 0, level);
  for (let lane = 0; lane < lanes(); lane++) {
    const multiple = multiples<F>(MULTIPLE, lane);
    assert(multiples<F>(a, lane) + multiple <= limit<F>() * SLACK, "a difference above its bound");
  }
}

/** Leaves the K p of `level` at MULTIPLE. */
function maySubtractBoth<F>(a: usize, b: usize, level: i32): void {
  kernel.fp.sub(MULTIPLE, ZERO, ZERO, level);
  for (let lane = 0; lane < lanes(); lane++) {
    const sum = multiples<F>(a, lane) + (b == 0 ? 0 : multiples<F>(b, lane));
    assert(sum <= multiples<F>(MULTIPLE, lane) * SLACK, "a subtrahend above the multiple of p");
  }
}

/** The value of a lane over p. A trap if a limb is out of range, or the value is above `limit`. */
function multiples<F>(a: usize, lane: i32): f64 {
  const top = 32 * words<F>();
  let value: f64 = 0;
  a += <usize>lane * kernel.LANE_BYTES;
  for (let i: usize = 0; i < bytes<F>(); i += 16) {
    const limb = load<kernel.Limb>(a + i);
    assert(kernel.isLimb(limb), "a limb out of range");
    value += scaled(<f64>limb, kernel.LIMB_BITS * <i32>(i >> 4) - top);
  }
  value /= isFp<F>() ? FP_TOP : P256_TOP;
  assert(value <= limit<F>() * SLACK, "a value that is not legal");
  return value;
}

/** x 2^exponent, where that counts beside 1. */
function scaled(x: f64, exponent: i32): f64 {
  return exponent < -900 ? 0 : x * reinterpret<f64>(<u64>(exponent + 1023) << 52);
}
