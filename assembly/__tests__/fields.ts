// These tests say what a field must do on the kernel of the build, as far as integers show it. Raw limbs and bounds are
// tested from outside, in test/crypto/assembly.

import * as field from "../field";
import * as move from "../lanes";
import { EDGES, addNaive, clear, mulNaive, number, operand, same, subtract } from "./naive";
import { valueOf, wordsOf } from "../modulus";

type Unary = (out: usize, a: usize) => void;
type Binary = (out: usize, a: usize, b: usize) => void;

/** The surface of one field, and the descriptor of its prime. */
export class Field {
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
const A = VECTORS, B = A + VECTOR_BYTES, C = B + VECTOR_BYTES, D = C + VECTOR_BYTES, OUT = D + VECTOR_BYTES,
    T = OUT + VECTOR_BYTES, SPARE = T + VECTOR_BYTES;

/** Numbers: the integers of A, B, C, D lane by lane, then temporaries. */
const INTEGERS: i32 = 0, TEMPORARY: i32 = 16;

const ROUNDS: i32 = (EDGES + 1) * (EDGES + 1);

let tested!: Field;

/** The integer of lane `lane` of vector A, B, C or D. */
function integer(vector: usize, lane: i32): usize {
  return number(INTEGERS + <i32>((vector - VECTORS) / VECTOR_BYTES) * 4 + lane);
}

/**
 * Fills a vector with integers below p, other ones in every lane, not in Montgomery form. Over all rounds every edge
 * meets every edge, and an arbitrary number, in A and B and in C and D.
 */
function fill(vector: usize, round: i32): void {
  memory.fill(vector, 0, tested.bytes);
  for (let lane = 0; lane < tested.lanes; lane++) {
    const edge = vector == A || vector == D ? round : round / (EDGES + 1);
    operand(integer(vector, lane), (edge + lane) % (EDGES + 1), tested.modulus);
    tested.setWords(vector, lane, integer(vector, lane));
  }
}

/** Returns whether lane `lane` of `a` is the integer at `expected` mod p. */
function is(a: usize, lane: i32, expected: usize): bool {
  const words = number(TEMPORARY);
  clear(words);
  tested.mul(T, a, tested.one);
  tested.getWords(words, T, lane);
  return same(words, expected, wordsOf(tested.modulus));
}

function expectLanes(a: usize, expected: (lane: i32, out: usize) => void, what: string): void {
  for (let lane = 0; lane < tested.lanes; lane++) {
    clear(number(TEMPORARY + 1));
    expected(lane, number(TEMPORARY + 1));
    expect<bool>(is(a, lane, number(TEMPORARY + 1))).toBe(true, what);
  }
}

function product(lane: i32, out: usize): void {
  mulNaive(out, integer(A, lane), integer(B, lane), tested.modulus);
}

function square(lane: i32, out: usize): void {
  mulNaive(out, integer(A, lane), integer(A, lane), tested.modulus);
}

function sumOfProducts(lane: i32, out: usize): void {
  mulNaive(number(TEMPORARY + 2), integer(C, lane), integer(D, lane), tested.modulus);
  product(lane, out);
  addNaive(out, number(TEMPORARY + 2), tested.modulus);
}

function sum(lane: i32, out: usize): void {
  memory.copy(out, integer(A, lane), 128);
  addNaive(out, integer(B, lane), tested.modulus);
}

function difference(lane: i32, out: usize): void {
  const n = wordsOf(tested.modulus), negative = number(TEMPORARY + 2), zero = number(TEMPORARY + 3);
  memory.copy(out, integer(A, lane), 128);
  memory.copy(negative, valueOf(tested.modulus), <usize>n << 2);
  subtract(negative, integer(B, lane), n);
  clear(zero);
  // p - 0 is not below p.
  if (!same(integer(B, lane), zero, n)) addNaive(out, negative, tested.modulus);
}

function swapped(lane: i32, out: usize): void {
  memory.copy(out, integer(A, lane ^ 1), 128);
}

/** Brings a vector of integers into Montgomery form. */
function montgomery(a: usize): void {
  tested.mul(a, a, tested.rSquared);
}

export function describeField<F>(name: string, modulus: usize): void {
  tested = {
    modulus,
    lanes: field.lanes(),
    bytes: field.bytes<F>(),
    entryBytes: field.entryBytes<F>(),
    one: field.one<F>(),
    rSquared: field.rSquared<F>(),
    mul: (out, a, b) => field.mul<F>(out, a, b),
    sqr: (out, a) => field.sqr<F>(out, a),
    mulAddMul: (out, a, b, c, d) => field.mulAddMul<F>(out, a, b, c, d),
    add: (out, a, b) => field.add<F>(out, a, b),
    sub: (out, a, b, level) => field.sub<F>(out, a, b, level),
    swapPairs: (out, a) => move.swapPairs<F>(out, a),
    select: (out, a, b, mask) => move.select<F>(out, a, b, mask),
    setWords: (out, lane, words) => field.setWords<F>(out, lane, words),
    getWords: (words, a, lane) => field.getWords<F>(words, a, lane),
    storeEntry: (entry, a, lane) => move.storeEntry<F>(entry, a, lane),
    loadEntry: (out, lane, entry) => move.loadEntryUnsafe<F>(out, lane, entry),
    selectionMasks: (masks, indices, entries) => field.selectionMasks<F>(masks, indices, entries),
    scanRow: (out, row, entries, elements, masks) => field.scanRow<F>(out, row, entries, elements, masks),
  };
  describe(name, () => {
    it("keeps the integers of all lanes apart", () => {
      for (let round = 0; round < ROUNDS; round++) {
        fill(A, round);
        for (let lane = 0; lane < tested.lanes; lane++) {
          const words = number(TEMPORARY);
          tested.getWords(words, A, lane);
          expect<bool>(same(words, integer(A, lane), wordsOf(tested.modulus))).toBe(true);
        }
      }
    });

    it("multiplies and squares", () => {
      for (let round = 0; round < ROUNDS; round++) {
        fill(A, round);
        fill(B, round);
        montgomery(A);
        tested.mul(OUT, A, B);
        expectLanes(OUT, product, "a b");
        tested.mul(B, A, B);
        expectLanes(B, product, "a b over b");
        tested.sqr(OUT, A);
        // One of two Montgomery factors is left.
        memory.fill(SPARE, 0, tested.bytes);
        clear(number(TEMPORARY));
        store<u32>(number(TEMPORARY), 1);
        for (let lane = 0; lane < tested.lanes; lane++) tested.setWords(SPARE, lane, number(TEMPORARY));
        tested.mul(OUT, OUT, SPARE);
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
        tested.mulAddMul(OUT, A, B, C, D);
        expectLanes(OUT, sumOfProducts, "a b + c d");
        tested.mulAddMul(D, A, B, C, D);
        expectLanes(D, sumOfProducts, "a b + c d over d");
      }
    });

    it("adds and subtracts", () => {
      for (let round = 0; round < ROUNDS; round++) {
        fill(A, round);
        fill(B, round);
        tested.add(OUT, A, B);
        expectLanes(OUT, sum, "a + b");
        for (let level = 0; level < 9; level++) {
          tested.sub(OUT, A, B, level);
          expectLanes(OUT, difference, "a - b");
        }
        tested.sub(B, A, B, 0);
        expectLanes(B, difference, "a - b over b");
      }
    });

    it("swaps the lanes of a pair", () => {
      fill(A, EDGES);
      tested.swapPairs(OUT, A);
      expectLanes(OUT, swapped, "swapped");
      tested.swapPairs(A, A);
      expectLanes(A, swapped, "swapped in place");
    });

    it("selects lanes by a mask", () => {
      const laneBytes = <usize>(16 / tested.lanes);
      fill(A, EDGES);
      fill(B, EDGES);
      for (let bits = 0; bits < 1 << tested.lanes; bits++) {
        for (let lane = 0; lane < tested.lanes; lane++) {
          memory.fill(MASKS + <usize>lane * laneBytes, (bits >> lane) & 1 ? 0xff : 0, laneBytes);
        }
        tested.select(OUT, A, B, MASKS);
        for (let lane = 0; lane < tested.lanes; lane++) {
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
          const lane = (e + n) % tested.lanes, at = e * elements + n;
          tested.storeEntry(ROW + <usize>at * tested.entryBytes, A, lane);
          memory.copy(number(4 + at), integer(A, lane), 128);
          for (let l = 0; l < tested.lanes; l++) tested.loadEntry(OUT, l, ROW + <usize>at * tested.entryBytes);
          for (let l = 0; l < tested.lanes; l++) expect<bool>(is(OUT, l, number(4 + at))).toBe(true, "entry");
        }
      }
      for (let first = 0; first < entries; first++) {
        for (let lane = 0; lane < 4; lane++) store<u32>(SPARE + (<usize>lane << 2), (first + lane) % entries);
        tested.selectionMasks(MASKS, SPARE, entries);
        memory.fill(C, 0, <usize>elements * tested.bytes);
        tested.scanRow(C, ROW, entries, elements, MASKS);
        for (let n = 0; n < elements; n++) {
          for (let lane = 0; lane < tested.lanes; lane++) {
            const at = ((first + lane) % entries) * elements + n;
            expect<bool>(is(C + <usize>n * tested.bytes, lane, number(4 + at))).toBe(true, "chosen");
          }
        }
      }
    });
  });
}
