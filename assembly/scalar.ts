// Integers modulo the group orders: 32-bit words, least significant first, in memory. All loops run over the whole
// length, so nothing depends on the values.

import { negInverse32, rSquaredOf, valueOf, wordsOf } from "./modulus";
import { workspace } from "./memory/workspace";

/** out = value, from `length` octets, most significant first; the rest of the n words is 0. length <= 4 n. */
export function fromOctets(out: usize, octets: usize, length: i32, n: i32): void {
  memory.fill(out, 0, <usize>n << 2);
  for (let i = 0; i < length; i++) store<u8>(out + <usize>i, load<u8>(octets + <usize>(length - 1 - i)));
}

/** Writes n words as 4 n octets, most significant first. */
export function toOctets(octets: usize, a: usize, n: i32): void {
  const length = n << 2;
  for (let i = 0; i < length; i++) store<u8>(octets + <usize>i, load<u8>(a + <usize>(length - 1 - i)));
}

/** 1 if all n words are zero, else 0. */
export function isZero(a: usize, n: i32): u32 {
  let or: u32 = 0;
  for (let i: usize = 0; i < <usize>n << 2; i += 4) or |= load<u32>(a + i);
  return 1 ^ ((or | (0 - or)) >> 31);
}

/** 1 if all n words agree, else 0. */
export function isEqual(a: usize, b: usize, n: i32): u32 {
  let or: u32 = 0;
  for (let i: usize = 0; i < <usize>n << 2; i += 4) or |= load<u32>(a + i) ^ load<u32>(b + i);
  return 1 ^ ((or | (0 - or)) >> 31);
}

/** 1 if a < b, else 0. */
export function isLess(a: usize, b: usize, n: i32): u32 {
  let borrow: i64 = 0;
  for (let i: usize = 0; i < <usize>n << 2; i += 4) {
    borrow = (<i64>load<u32>(a + i) - <i64>load<u32>(b + i) + borrow) >> 32;
  }
  return <u32>borrow & 1;
}

/** out = a where bit is 1, b where it is 0. */
export function choose(out: usize, a: usize, b: usize, bit: u32, n: i32): void {
  const mask = 0 - bit;
  for (let i: usize = 0; i < <usize>n << 2; i += 4) {
    const y = load<u32>(b + i);
    store<u32>(out + i, y ^ ((y ^ load<u32>(a + i)) & mask));
  }
}

/** out = a - N if that is not negative, else a; `carry` is a word above a. */
function reduceOnce(out: usize, a: usize, carry: u32, modulus: usize): void {
  const n = wordsOf(modulus), value = valueOf(modulus);
  let borrow: i64 = 0;
  for (let i: usize = 0; i < <usize>n << 2; i += 4) {
    borrow = (<i64>load<u32>(a + i) - <i64>load<u32>(value + i) + borrow) >> 32;
  }
  const mask = ~<u32>((<i64>carry + borrow) >> 32);
  borrow = 0;
  for (let i: usize = 0; i < <usize>n << 2; i += 4) {
    const d = <i64>load<u32>(a + i) - <i64>(load<u32>(value + i) & mask) + borrow;
    store<u32>(out + i, <u32>d);
    borrow = d >> 32;
  }
}

/** out = a + b mod N, for a, b < N. */
export function addMod(out: usize, a: usize, b: usize, modulus: usize): void {
  let carry: u64 = 0;
  for (let i: usize = 0; i < <usize>wordsOf(modulus) << 2; i += 4) {
    carry += <u64>load<u32>(a + i) + <u64>load<u32>(b + i);
    store<u32>(out + i, <u32>carry);
    carry >>= 32;
  }
  reduceOnce(out, out, <u32>carry, modulus);
}

/** out = N - a, for 0 < a < N. */
export function negateMod(out: usize, a: usize, modulus: usize): void {
  const value = valueOf(modulus);
  let borrow: i64 = 0;
  for (let i: usize = 0; i < <usize>wordsOf(modulus) << 2; i += 4) {
    const d = <i64>load<u32>(value + i) - <i64>load<u32>(a + i) + borrow;
    store<u32>(out + i, <u32>d);
    borrow = d >> 32;
  }
}

/** out = a b / 2^(32 n) mod N, for any a < 2^(32 n) and b < N; fully reduced. */
export function montgomeryMul(out: usize, a: usize, b: usize, modulus: usize): void {
  const size = <usize>wordsOf(modulus) << 2, value = valueOf(modulus), t = workspace, k = negInverse32(modulus);
  memory.fill(t, 0, size + 8);
  for (let i: usize = 0; i < size; i += 4) {
    const x = <u64>load<u32>(a + i);
    let carry: u64 = 0;
    for (let j: usize = 0; j < size; j += 4) {
      carry += <u64>load<u32>(t + j) + x * <u64>load<u32>(b + j);
      store<u32>(t + j, <u32>carry);
      carry >>= 32;
    }
    carry += <u64>load<u32>(t + size);
    store<u64>(t + size, carry);
    const q = (<u64>load<u32>(t) * <u64>k) & 0xffffffff;
    carry = (<u64>load<u32>(t) + q * <u64>load<u32>(value)) >> 32;
    for (let j: usize = 4; j < size; j += 4) {
      carry += <u64>load<u32>(t + j) + q * <u64>load<u32>(value + j);
      store<u32>(t + j - 4, <u32>carry);
      carry >>= 32;
    }
    carry += <u64>load<u32>(t + size);
    store<u32>(t + size - 4, <u32>carry);
    store<u32>(t + size, load<u32>(t + size + 4) + <u32>(carry >> 32));
    store<u32>(t + size + 4, 0);
  }
  reduceOnce(out, t, load<u32>(t + size), modulus);
}

/** out = a b mod N, for any a < 2^(32 n) and b < N. */
export function mulMod(out: usize, a: usize, b: usize, modulus: usize): void {
  montgomeryMul(out, a, b, modulus);
  montgomeryMul(out, out, rSquaredOf(modulus), modulus);
}

/** out = a mod N, for any a < 2^(32 n). */
export function reduceMod(out: usize, a: usize, modulus: usize): void {
  const unit = workspace + 512;
  montgomeryMul(out, a, rSquaredOf(modulus), modulus);
  memory.fill(unit, 0, <usize>wordsOf(modulus) << 2);
  store<u32>(unit, 1);
  montgomeryMul(out, unit, out, modulus);
}
