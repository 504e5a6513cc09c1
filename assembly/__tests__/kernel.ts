// What every field kernel must do, as far as integers show it. Raw limbs and bounds are tested from outside, in
// test/crypto/assembly.

import { EDGES, addNaive, clear, mulNaive, number, operand, same, subtract } from "./naive";
import { valueOf, wordsOf } from "../modulus";

type Unary = (out: usize, a: usize) => void;
type Binary = (out: usize, a: usize, b: usize) => void;

/** The exports of a kernel, and the descriptor of its prime. */
export class Kernel {
  modulus: usize;
  lanes: i32;
  bytes: usize;
  entryBytes: usize;
  one: usize;
  rSquared: usize;
  mul: Binary;
  sqr: Unary;
  mulAddMul: (out: usize, a: usize, b: usize, c: usize, d: usize) => void;
  add: Binary;
  sub: (out: usize, a: usize, b: usize, level: i32) => void;
  swapPairs: Unary;
  select: (out: usize, a: usize, b: usize, mask: usize) => void;
  setWords: (out: usize, lane: i32, words: usize) => void;
  getWords: (words: usize, a: usize, lane: i32) => void;
  storeEntry: (entry: usize, a: usize, lane: i32) => void;
  loadEntry: (out: usize, lane: i32, entry: usize) => void;
  selectionMasks: (masks: usize, indices: usize, entries: i32) => void;
  scanRow: (out: usize, row: usize, entries: i32, elements: i32, masks: usize) => void;
}

const VECTORS = memory.data(8192, 64);
const ROW = memory.data(8192, 64);
const MASKS = memory.data(1024, 64);
const VECTOR_BYTES: usize = 1024;

/** Vectors for operands and results. */
const A = VECTORS, B = A + VECTOR_BYTES, C = B + VECTOR_BYTES, D = C + VECTOR_BYTES, OUT = D + VECTOR_BYTES, T = OUT + VECTOR_BYTES, SPARE = T + VECTOR_BYTES;

/** Numbers: the integers of A, B, C, D lane by lane, then temporaries. */
const INTEGERS: i32 = 0, TEMPORARY: i32 = 16;

const ROUNDS: i32 = (EDGES + 1) * (EDGES + 1);

let kernel!: Kernel;

/** The integer of lane `lane` of vector A, B, C or D. */
function integer(vector: usize, lane: i32): usize {
  return number(INTEGERS + <i32>((vector - VECTORS) / VECTOR_BYTES) * 4 + lane);
}

/**
 * Fills a vector with integers below p, other ones in every lane, not in Montgomery form. Over all rounds every edge
 * meets every edge, and an arbitrary number, in A and B and in C and D.
 */
function fill(vector: usize, round: i32): void {
  memory.fill(vector, 0, kernel.bytes);
  for (let lane = 0; lane < kernel.lanes; lane++) {
    const edge = vector == A || vector == D ? round : round / (EDGES + 1);
    operand(integer(vector, lane), (edge + lane) % (EDGES + 1), kernel.modulus);
    kernel.setWords(vector, lane, integer(vector, lane));
  }
}

/** Whether lane `lane` of `a` is the integer at `expected` mod p. */
function is(a: usize, lane: i32, expected: usize): bool {
  const words = number(TEMPORARY);
  clear(words);
  kernel.mul(T, a, kernel.one);
  kernel.getWords(words, T, lane);
  return same(words, expected, wordsOf(kernel.modulus));
}

function expectLanes(a: usize, expected: (lane: i32, out: usize) => void, what: string): void {
  for (let lane = 0; lane < kernel.lanes; lane++) {
    clear(number(TEMPORARY + 1));
    expected(lane, number(TEMPORARY + 1));
    expect<bool>(is(a, lane, number(TEMPORARY + 1))).toBe(true, what);
  }
}

function product(lane: i32, out: usize): void {
  mulNaive(out, integer(A, lane), integer(B, lane), kernel.modulus);
}

function square(lane: i32, out: usize): void {
  mulNaive(out, integer(A, lane), integer(A, lane), kernel.modulus);
}

function sumOfProducts(lane: i32, out: usize): void {
  mulNaive(number(TEMPORARY + 2), integer(C, lane), integer(D, lane), kernel.modulus);
  product(lane, out);
  addNaive(out, number(TEMPORARY + 2), kernel.modulus);
}

function sum(lane: i32, out: usize): void {
  memory.copy(out, integer(A, lane), 128);
  addNaive(out, integer(B, lane), kernel.modulus);
}

function difference(lane: i32, out: usize): void {
  const n = wordsOf(kernel.modulus), negative = number(TEMPORARY + 2), zero = number(TEMPORARY + 3);
  memory.copy(out, integer(A, lane), 128);
  memory.copy(negative, valueOf(kernel.modulus), <usize>n << 2);
  subtract(negative, integer(B, lane), n);
  clear(zero);
  // p - 0 is not below p.
  if (!same(integer(B, lane), zero, n)) addNaive(out, negative, kernel.modulus);
}

function swapped(lane: i32, out: usize): void {
  memory.copy(out, integer(A, lane ^ 1), 128);
}

/** Brings a vector of integers into Montgomery form. */
function montgomery(a: usize): void {
  kernel.mul(a, a, kernel.rSquared);
}

export function describeKernel(name: string, k: Kernel): void {
  kernel = k;
  describe(name, () => {
    it("keeps the integers of all lanes apart", () => {
      for (let round = 0; round < ROUNDS; round++) {
        fill(A, round);
        for (let lane = 0; lane < kernel.lanes; lane++) {
          const words = number(TEMPORARY);
          kernel.getWords(words, A, lane);
          expect<bool>(same(words, integer(A, lane), wordsOf(kernel.modulus))).toBe(true);
        }
      }
    });

    it("multiplies and squares", () => {
      for (let round = 0; round < ROUNDS; round++) {
        fill(A, round);
        fill(B, round);
        montgomery(A);
        kernel.mul(OUT, A, B);
        expectLanes(OUT, product, "a b");
        kernel.mul(B, A, B);
        expectLanes(B, product, "a b over b");
        kernel.sqr(OUT, A);
        // Of two Montgomery factors one is left.
        memory.fill(SPARE, 0, kernel.bytes);
        clear(number(TEMPORARY));
        store<u32>(number(TEMPORARY), 1);
        for (let lane = 0; lane < kernel.lanes; lane++) kernel.setWords(SPARE, lane, number(TEMPORARY));
        kernel.mul(OUT, OUT, SPARE);
        expectLanes(OUT, square, "a a");
      }
    });

    it("adds two products", () => {
      for (let round = 0; round < ROUNDS; round++) {
        fill(A, round);
        fill(B, round);
        fill(C, round);
        fill(D, round);
        montgomery(A);
        montgomery(C);
        kernel.mulAddMul(OUT, A, B, C, D);
        expectLanes(OUT, sumOfProducts, "a b + c d");
        kernel.mulAddMul(D, A, B, C, D);
        expectLanes(D, sumOfProducts, "a b + c d over d");
      }
    });

    it("adds and subtracts", () => {
      for (let round = 0; round < ROUNDS; round++) {
        fill(A, round);
        fill(B, round);
        kernel.add(OUT, A, B);
        expectLanes(OUT, sum, "a + b");
        for (let level = 0; level < 9; level++) {
          kernel.sub(OUT, A, B, level);
          expectLanes(OUT, difference, "a - b");
        }
        kernel.sub(B, A, B, 0);
        expectLanes(B, difference, "a - b over b");
      }
    });

    it("swaps the lanes of a pair", () => {
      fill(A, EDGES);
      kernel.swapPairs(OUT, A);
      expectLanes(OUT, swapped, "swapped");
      kernel.swapPairs(A, A);
      expectLanes(A, swapped, "swapped in place");
    });

    it("selects lanes by a mask", () => {
      const laneBytes = <usize>(16 / kernel.lanes);
      fill(A, EDGES);
      fill(B, EDGES);
      for (let bits = 0; bits < 1 << kernel.lanes; bits++) {
        for (let lane = 0; lane < kernel.lanes; lane++) {
          memory.fill(MASKS + <usize>lane * laneBytes, (bits >> lane) & 1 ? 0xff : 0, laneBytes);
        }
        kernel.select(OUT, A, B, MASKS);
        for (let lane = 0; lane < kernel.lanes; lane++) {
          const chosen = (bits >> lane) & 1 ? A : B;
          expect<bool>(is(OUT, lane, integer(chosen, lane))).toBe(true);
        }
      }
    });

    it("finds each lane's entry in a row", () => {
      const entries = 4, elements = 2;
      for (let e = 0; e < entries; e++) {
        fill(A, EDGES);
        // The numbers of B, C, D keep what went into the row.
        for (let n = 0; n < elements; n++) {
          const lane = (e + n) % kernel.lanes, at = e * elements + n;
          kernel.storeEntry(ROW + <usize>at * kernel.entryBytes, A, lane);
          memory.copy(number(4 + at), integer(A, lane), 128);
          for (let l = 0; l < kernel.lanes; l++) kernel.loadEntry(OUT, l, ROW + <usize>at * kernel.entryBytes);
          for (let l = 0; l < kernel.lanes; l++) expect<bool>(is(OUT, l, number(4 + at))).toBe(true, "entry");
        }
      }
      for (let first = 0; first < entries; first++) {
        for (let lane = 0; lane < 4; lane++) store<u32>(SPARE + (<usize>lane << 2), (first + lane) % entries);
        kernel.selectionMasks(MASKS, SPARE, entries);
        memory.fill(C, 0, <usize>elements * kernel.bytes);
        kernel.scanRow(C, ROW, entries, elements, MASKS);
        for (let n = 0; n < elements; n++) {
          for (let lane = 0; lane < kernel.lanes; lane++) {
            const at = ((first + lane) % entries) * elements + n;
            expect<bool>(is(C + <usize>n * kernel.bytes, lane, number(4 + at))).toBe(true, "chosen");
          }
        }
      }
    });
  });
}
