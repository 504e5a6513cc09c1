// [k]B for a public scalar and a base without a table: signature verification only. The course depends on the scalar.

import { bytes, copy, mulPair, one, sqrPair, sub, zero } from "./field";
import { X, ZY, addBase, baseX, baseY, disownMultiple, double, ownMultiple, start } from "./jacobian";
import { duplicateEven, duplicateOdd } from "./lanes";
import { invertLanes, invertMany, loadInteger, vanishes } from "./points";
import { isZero } from "./scalar";
import { Digits, Doubled, MultipleOut, OddMultiples, claim, release, slot } from "./scratch";

const WIDTH: i32 = 4;
const ODD_MULTIPLES: i32 = 8;

/** Octets of scratch for multiplyPublicUnsafe. */
export function multiplyScratch<F>(): usize {
  return <usize>ODD_MULTIPLES * 4 * bytes<F>() + 512;
}

/** Writes affine coordinates of the running point over its z. False at the neutral element. */
function toAffine<F>(x: usize, y: usize): bool {
  claim(MultipleOut.Z, MultipleOut.END);
  const inverse = slot(MultipleOut.Z), t = slot(MultipleOut.T);
  duplicateEven<F>(inverse, ZY());
  if (!invertLanes<F>(inverse)) {
    release(MultipleOut.Z, MultipleOut.END);
    return false;
  }
  duplicateOdd<F>(y, ZY());
  sqrPair<F>(t, inverse);
  mulPair<F>(x, X(), t);
  mulPair<F>(t, t, inverse);
  mulPair<F>(y, y, t);
  release(MultipleOut.Z, MultipleOut.END);
  return true;
}

/**
 * out = [k]B, an affine point vector with the same value in all lanes, for 0 < k < 2^(32 n) public and B at `base` in
 * words. "Unsafe": time and addresses depend on k. False if the Jacobian steps met an exceptional case or the result is the
 * neutral element; the caller then takes a fixed-base table, whose sums have a complete fallback.
 */
export function multiplyPublicUnsafe<F>(out: usize, k: usize, n: i32, base: usize, scratch: usize): bool {
  ownMultiple();
  const found: bool = multiply<F>(k, n, base, scratch) && toAffine<F>(out, out + bytes<F>());
  disownMultiple();
  return found;
}

/** As multiplyPublicUnsafe, to (X:Y:Z) in three vectors, which saves an inversion. */
export function multiplyPublicProjectiveUnsafe<F>(out: usize, k: usize, n: i32, base: usize, scratch: usize): bool {
  ownMultiple();
  if (!multiply<F>(k, n, base, scratch)) {
    disownMultiple();
    return false;
  }
  claim(MultipleOut.Z, MultipleOut.END);
  // Jacobian (X, Y, Z) stands for X/Z^2 and Y/Z^3, and so for (X Z : Y : Z^3).
  const size = bytes<F>(), z = slot(MultipleOut.Z), square = slot(MultipleOut.T);
  duplicateEven<F>(z, ZY());
  duplicateOdd<F>(out + size, ZY());
  mulPair<F>(out, X(), z);
  sqrPair<F>(square, z);
  mulPair<F>(out + 2 * size, square, z);
  const found: bool = vanishes<F>(z) == 0;
  release(MultipleOut.Z, MultipleOut.END);
  disownMultiple();
  return found;
}

/** Leaves [k]B at X() and ZY(). False if the odd multiples of B cannot be made; other exceptional cases end at Z = 0. */
function multiply<F>(k: usize, n: i32, base: usize, scratch: usize): bool {
  const size = bytes<F>(), x = scratch, y = x + <usize>ODD_MULTIPLES * size, z = y + <usize>ODD_MULTIPLES * size;
  const prefix = z + <usize>ODD_MULTIPLES * size, digits = prefix + <usize>ODD_MULTIPLES * size;
  loadInteger<F>(baseX(), base);
  loadInteger<F>(baseY(), base + (<usize>n << 2));
  copy<F>(x, baseX());
  copy<F>(y, baseY());
  copy<F>(z, one<F>());
  // 1, 3, ..., 15 times B: add 2B = (X : Y : Z) again and again. On the curve with a Z^4 and b Z^6 for a and b, on which
  // additions are the same, (X, Y) is an affine point, B is (x Z^2, y Z^3), and what has z there has z Z here.
  start<F>();
  double<F>(false);
  claim(Doubled.Z, Doubled.END);
  const doubledZ = slot(Doubled.Z), power = slot(Doubled.POWER), doubledX = slot(Doubled.X), doubledY = slot(Doubled.Y);
  copy<F>(doubledX, X());
  duplicateOdd<F>(doubledY, ZY());
  duplicateEven<F>(doubledZ, ZY());
  sqrPair<F>(power, doubledZ);
  mulPair<F>(baseX(), x, power);
  mulPair<F>(power, power, doubledZ);
  mulPair<F>(baseY(), y, power);
  start<F>();
  copy<F>(baseX(), doubledX);
  copy<F>(baseY(), doubledY);
  for (let i: usize = 1; i < <usize>ODD_MULTIPLES; i++) {
    addBase<F>(false);
    copy<F>(x + i * size, X());
    duplicateOdd<F>(y + i * size, ZY());
    duplicateEven<F>(z + i * size, ZY());
    mulPair<F>(z + i * size, z + i * size, doubledZ);
  }
  release(Doubled.Z, Doubled.END);
  if (!invertMany<F>(z, ODD_MULTIPLES, prefix)) return false;
  for (let i: usize = 0; i < <usize>ODD_MULTIPLES * size; i += size) {
    claim(OddMultiples.T, OddMultiples.END);
    const t = slot(OddMultiples.T);
    sqrPair<F>(t, z + i);
    mulPair<F>(x + i, x + i, t);
    mulPair<F>(t, t, z + i);
    mulPair<F>(y + i, y + i, t);
    release(OddMultiples.T, OddMultiples.END);
  }
  const length = nonAdjacent(digits, k, n);
  let at = length - 1;
  pick<F>(load<i8>(digits + <usize>at), x, y);
  start<F>();
  while (--at >= 0) {
    double<F>(false);
    const digit = load<i8>(digits + <usize>at);
    if (digit == 0) continue;
    pick<F>(digit, x, y);
    addBase<F>(false);
  }
  return true;
}

/** Makes the odd multiple `digit` the base of additions. */
function pick<F>(digit: i32, x: usize, y: usize): void {
  const at = <usize>(abs(digit) >> 1) * bytes<F>();
  copy<F>(baseX(), x + at);
  if (digit > 0) {
    copy<F>(baseY(), y + at);
  } else {
    claim(OddMultiples.T, OddMultiples.END);
    zero<F>(slot(OddMultiples.T));
    sub<F>(baseY(), slot(OddMultiples.T), y + at, 0);
    release(OddMultiples.T, OddMultiples.END);
  }
}

/** Odd digits of k below 2^WIDTH with at least WIDTH zeros in between, least significant first; returns their number. */
function nonAdjacent(digits: usize, k: usize, n: i32): i32 {
  claim(Digits.REST, Digits.END);
  const rest = slot(Digits.REST), size = <usize>n << 2;
  memory.copy(rest, k, size);
  store<u32>(rest + size, 0);
  let length = 0;
  while (isZero(rest, n + 1) == 0) {
    let digit: i32 = 0;
    if (load<u32>(rest) & 1) {
      digit = load<u32>(rest) & ((2 << WIDTH) - 1);
      if (digit >= 1 << WIDTH) digit -= 2 << WIDTH;
      // rest -= digit
      let carry = -(<i64>digit);
      for (let i: usize = 0; i <= size; i += 4) {
        carry += <i64>load<u32>(rest + i);
        store<u32>(rest + i, <u32>carry);
        carry >>= 32;
      }
    }
    store<i8>(digits + <usize>length, <i8>digit);
    length++;
    for (let i: usize = 0; i < size; i += 4) {
      store<u32>(rest + i, (load<u32>(rest + i) >> 1) | (load<u32>(rest + i, 4) << 31));
    }
    store<u32>(rest + size, load<u32>(rest + size) >> 1);
  }
  release(Digits.REST, Digits.END);
  return length;
}
