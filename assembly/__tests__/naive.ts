// Integers modulo N the slow and obvious way, and operands for the specs: an oracle that shares nothing with the code
// beside it. Numbers are 32-bit words, least significant first.

import { FIXED_BYTES, setWorkspace } from "../memory/workspace";
import { valueOf, wordsOf } from "../modulus";

const WORKSPACE = memory.data(65536, 64);
const NUMBERS = memory.data(8192, 64);
const SUM = memory.data(256, 64);
const BASE = memory.data(256, 64);

assert(FIXED_BYTES <= 65536);
setWorkspace(WORKSPACE);

/** Address of number `index`, 0 <= index < 32, with room for 64 words. */
export function number(index: i32): usize {
  return NUMBERS + <usize>index * 256;
}

export function clear(a: usize): void {
  memory.fill(a, 0, 256);
}

/** 1 if the first 4 kB of the workspace, the part of leaf routines, hold anything. */
export function leavesTraces(): bool {
  for (let i: usize = 0; i < 4096; i += 4) if (load<u32>(WORKSPACE + i) != 0) return true;
  return false;
}

export function clearWorkspace(): void {
  memory.fill(WORKSPACE, 0, 65536);
}

export function same(a: usize, b: usize, n: i32): bool {
  for (let i: usize = 0; i < <usize>n << 2; i += 4) if (load<u32>(a + i) != load<u32>(b + i)) return false;
  return true;
}

export function less(a: usize, b: usize, n: i32): bool {
  for (let i = n - 1; i >= 0; i--) {
    const x = load<u32>(a + (<usize>i << 2)), y = load<u32>(b + (<usize>i << 2));
    if (x != y) return x < y;
  }
  return false;
}

/** a = a - b. */
export function subtract(a: usize, b: usize, n: i32): void {
  let borrow: u64 = 0;
  for (let i: usize = 0; i < <usize>n << 2; i += 4) {
    const d = <u64>load<u32>(a + i) - <u64>load<u32>(b + i) - borrow;
    store<u32>(a + i, <u32>d);
    borrow = d >> 63;
  }
}

/** a = a + b mod N, for a, b < N. */
export function addNaive(a: usize, b: usize, modulus: usize): void {
  const n = wordsOf(modulus);
  let carry: u64 = 0;
  for (let i: usize = 0; i < <usize>n << 2; i += 4) {
    carry += <u64>load<u32>(a + i) + <u64>load<u32>(b + i);
    store<u32>(a + i, <u32>carry);
    carry >>= 32;
  }
  if (carry != 0 || !less(a, valueOf(modulus), n)) subtract(a, valueOf(modulus), n);
}

/** out = a b mod N, for any a of n words and b < N; bit by bit from the top. */
export function mulNaive(out: usize, a: usize, b: usize, modulus: usize): void {
  const n = wordsOf(modulus);
  clear(SUM);
  memory.copy(BASE, b, <usize>n << 2);
  for (let i = 32 * n - 1; i >= 0; i--) {
    addNaive(SUM, SUM, modulus);
    if ((load<u32>(a + (<usize>(i >> 5) << 2)) >> (i & 31)) & 1) addNaive(SUM, BASE, modulus);
  }
  memory.copy(out, SUM, <usize>n << 2);
}

let state: u64 = 0x9e3779b97f4a7c15;

/** The next of a fixed sequence of words. */
export function word(): u32 {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return <u32>(state >> 32);
}

/** Number of operands of `operand` that are not arbitrary. */
export const EDGES: i32 = 7;

/** 0, 1, 2, N - 1, N - 2, (N - 1)/2, (N + 1)/2, and after these arbitrary numbers below N. */
export function operand(out: usize, index: i32, modulus: usize): void {
  const n = wordsOf(modulus), value = valueOf(modulus), size = <usize>n << 2, t = out + 128;
  clear(out);
  if (index < 3) {
    store<u32>(out, index);
  } else if (index < 5) {
    memory.copy(out, value, size);
    store<u32>(t, index - 2);
    subtract(out, t, n);
    store<u32>(t, 0);
  } else if (index < 7) {
    for (let i: usize = 0; i < size; i += 4) {
      const above = i + 4 < size ? load<u32>(value + i, 4) : 0;
      store<u32>(out + i, (load<u32>(value + i) >> 1) | (above << 31));
    }
    // N is odd, and neither half ends in a full word.
    store<u32>(out, load<u32>(out) + <u32>(index - 5));
  } else {
    for (let i: usize = 0; i < size; i += 4) store<u32>(out + i, word());
    while (!less(out, value, n)) subtract(out, value, n);
  }
}
