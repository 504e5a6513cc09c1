// Inversion modulo an odd prime by constant-time divsteps (Bernstein, Yang: "Fast constant-time gcd computation and
// modular inversion", TCHES 2019), started at delta = 1/2, which needs fewer steps than their delta = 1. f = N, g = x;
// with d = 2 delta, from 1 on, a divstep is
//   d > 0 and g odd:  (d, f, g) -> (2 - d, g, (g - f)/2)
//   otherwise:        (d, f, g) -> (2 + d, f, (g + (g mod 2) f)/2)
// (45907 b + 26313)/19929 steps are known to suffice for b-bit operands: 2361 for 1024 bits, 592 for 256. The code
// does not rest on that bound: it goes on until g is 0, which only takes longer if the bound were wrong.
// Thirty steps look at the low 30 bits only and give a 2x2 matrix with entries up to 2^30, which is then applied to
// f, g and, modulo N, to d, e with f = d x, g = e x (mod N). Numbers are signed limbs of 30 bits, |d|, |e| < 2 N.

import { inverse30, limbs30Of, limbsOf, wordsOf } from "./modulus";
import { isZero } from "./scalar";
import { workspace } from "./memory/workspace";

const MASK30: i32 = 0x3fffffff;

/** n words to m limbs of 30 bits. */
function toLimbs(limbs: usize, words: usize, n: i32, m: i32): void {
  let bits: u64 = 0, have = 0, next = 0;
  for (let i = 0; i < m; i++) {
    if (have < 30 && next < n) {
      bits |= <u64>load<u32>(words + (<usize>next << 2)) << have;
      have += 32;
      next++;
    }
    store<i32>(limbs + (<usize>i << 2), <i32>bits & MASK30);
    bits >>= 30;
    have -= min(have, 30);
  }
}

/** m limbs of 30 bits, not negative, to n words. */
function toWords(words: usize, limbs: usize, n: i32): void {
  let bits: u64 = 0, have = 0, next = 0;
  for (let i = 0; i < n; i++) {
    while (have < 32) {
      bits |= <u64>load<u32>(limbs + (<usize>next << 2)) << have;
      have += 30;
      next++;
    }
    store<u32>(words + (<usize>i << 2), <u32>bits);
    bits >>= 32;
    have -= 32;
  }
}

/** Thirty divsteps on the low words of f and g. Stores the matrix (u v; q r), scaled by 2^30, and returns delta. */
function divsteps30(delta: i32, f: i32, g: i32, matrix: usize): i32 {
  let u = 1, v = 0, q = 0, r = 1;
  for (let i = 0; i < 30; i++) {
    const odd = -(g & 1);
    // All ones when delta (twice that of the paper) > 0 and g is odd.
    const swap = odd & ((-delta) >> 31);
    // (g - f) or (g + f), both with the rows of the matrix.
    g += ((f ^ swap) - swap) & odd;
    q += ((u ^ swap) - swap) & odd;
    r += ((v ^ swap) - swap) & odd;
    // With a swap the new f is the old g = (g - f) + f.
    f += g & swap;
    u += q & swap;
    v += r & swap;
    delta = 2 + ((delta ^ swap) - swap);
    g >>= 1;
    u <<= 1;
    v <<= 1;
  }
  store<i32>(matrix, u);
  store<i32>(matrix, v, 4);
  store<i32>(matrix, q, 8);
  store<i32>(matrix, r, 12);
  return delta;
}

/** (f, g) = matrix (f, g) / 2^30, exact. */
function updateFG(f: usize, g: usize, m: i32, matrix: usize): void {
  const u = <i64>load<i32>(matrix), v = <i64>load<i32>(matrix, 4);
  const q = <i64>load<i32>(matrix, 8), r = <i64>load<i32>(matrix, 12);
  let x = <i64>load<i32>(f), y = <i64>load<i32>(g);
  let cf = (u * x + v * y) >> 30, cg = (q * x + r * y) >> 30;
  const end = <usize>m << 2;
  for (let i: usize = 4; i < end; i += 4) {
    x = <i64>load<i32>(f + i);
    y = <i64>load<i32>(g + i);
    cf += u * x + v * y;
    cg += q * x + r * y;
    store<i32>(f + i - 4, <i32>cf & MASK30);
    store<i32>(g + i - 4, <i32>cg & MASK30);
    cf >>= 30;
    cg >>= 30;
  }
  store<i32>(f + end - 4, <i32>cf);
  store<i32>(g + end - 4, <i32>cg);
}

/** (d, e) = matrix (d, e) / 2^30 mod N; both stay in (-2 N, N). */
function updateDE(d: usize, e: usize, m: i32, matrix: usize, modulus: usize): void {
  const u = <i64>load<i32>(matrix), v = <i64>load<i32>(matrix, 4);
  const q = <i64>load<i32>(matrix, 8), r = <i64>load<i32>(matrix, 12);
  const end = <usize>m << 2, N = limbs30Of(modulus), inverse = inverse30(modulus);
  // A negative operand counts as itself plus N; then the multiple of N that clears the low 30 bits is taken off.
  const sd = load<i32>(d + end - 4) >> 31, se = load<i32>(e + end - 4) >> 31;
  let md = (<i32>u & sd) + (<i32>v & se), me = (<i32>q & sd) + (<i32>r & se);
  let x = <i64>load<i32>(d), y = <i64>load<i32>(e);
  let cd = u * x + v * y, ce = q * x + r * y;
  md -= (inverse * <i32>cd + md) & MASK30;
  me -= (inverse * <i32>ce + me) & MASK30;
  let n = <i64>load<i32>(N);
  cd = (cd + n * <i64>md) >> 30;
  ce = (ce + n * <i64>me) >> 30;
  for (let i: usize = 4; i < end; i += 4) {
    x = <i64>load<i32>(d + i);
    y = <i64>load<i32>(e + i);
    n = <i64>load<i32>(N + i);
    cd += u * x + v * y + n * <i64>md;
    ce += q * x + r * y + n * <i64>me;
    store<i32>(d + i - 4, <i32>cd & MASK30);
    store<i32>(e + i - 4, <i32>ce & MASK30);
    cd >>= 30;
    ce >>= 30;
  }
  store<i32>(d + end - 4, <i32>cd);
  store<i32>(e + end - 4, <i32>ce);
}

/** a = (sign a) + (N & addMask) with carries, for sign 0 or -1 (negate). */
function signedAdd(a: usize, m: i32, negate: i32, N: usize, addMask: i32): void {
  let carry = 0;
  const end = <usize>m << 2;
  for (let i: usize = 0; i < end; i += 4) {
    carry += ((load<i32>(a + i) + (load<i32>(N + i) & addMask)) ^ negate) - negate;
    // The top limb keeps its sign.
    store<i32>(a + i, i < end - 4 ? carry & MASK30 : carry);
    carry >>= 30;
  }
}

/** out = 1/a mod N in [0, N), 0 for a = 0. a < N. Constant time. */
export function inverseMod(out: usize, a: usize, modulus: usize): void {
  const m = limbsOf(modulus), size = <usize>m << 2, N = limbs30Of(modulus);
  const f = workspace, g = f + size, d = g + size, e = d + size, matrix = e + size;
  memory.fill(f, 0, 4 * size + 16);
  memory.copy(f, N, size);
  toLimbs(g, a, wordsOf(modulus), m);
  store<i32>(e, 1);
  const rounds = wordsOf(modulus) == 32 ? 79 : 20;
  let delta = 1;
  for (let i = 0; i < rounds || isZero(g, m) == 0; i++) {
    delta = divsteps30(delta, load<i32>(f), load<i32>(g), matrix);
    updateFG(f, g, m, matrix);
    updateDE(d, e, m, matrix, modulus);
  }
  // Now f = +-1 (N for a = 0, with d = 0) and 1/a = sign(f) d. Bring d from (-2 N, N) to [0, N).
  signedAdd(d, m, 0, N, load<i32>(d + size - 4) >> 31);
  signedAdd(d, m, load<i32>(f + size - 4) >> 31, N, 0);
  signedAdd(d, m, 0, N, load<i32>(d + size - 4) >> 31);
  toWords(out, d, wordsOf(modulus));
  memory.fill(f, 0, 4 * size + 16);
}
