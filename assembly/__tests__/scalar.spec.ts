import { P256_N, P256_P, SAKKE_P, SAKKE_Q } from "../generated/moduli";
import { addMod, choose, fromOctets, isEqual, isLess, isZero, mulMod, negateMod, reduceMod, toOctets } from "../scalar";
import { valueOf, wordsOf } from "../modulus";
import { EDGES, addNaive, clear, less, mulNaive, number, operand, same, subtract, word } from "./naive";

const A = number(0), B = number(1), OUT = number(2), EXPECTED = number(3), OCTETS = number(4), ONE = number(5);
const COUNT = EDGES + 8;
const MODULI: StaticArray<usize> = [SAKKE_P, SAKKE_Q, P256_P, P256_N];

/** Runs `check` on A and B for every pair of operands of every modulus. */
function forPairs(check: (modulus: usize) => void): void {
  for (let m = 0; m < MODULI.length; m++) {
    for (let i = 0; i < COUNT; i++) {
      for (let j = 0; j < COUNT; j++) {
        operand(A, i, MODULI[m]);
        operand(B, j, MODULI[m]);
        check(MODULI[m]);
      }
    }
  }
}

describe("scalars", () => {
  it("are read from octets, most significant first", () => {
    for (let i = 0; i < 5; i++) store<u8>(OCTETS + i, i + 1);
    memory.fill(OUT, 0xff, 32);
    fromOctets(OUT, OCTETS, 5, 8);
    expect<u32>(load<u32>(OUT)).toBe(0x02030405);
    expect<u32>(load<u32>(OUT, 4)).toBe(1);
    for (let i: usize = 8; i < 32; i += 4) expect<u32>(load<u32>(OUT + i)).toBe(0);
  });

  it("come back as the same octets", () => {
    for (let i: usize = 0; i < 128; i++) store<u8>(OCTETS + i, <u8>word());
    fromOctets(A, OCTETS, 128, 32);
    toOctets(OUT, A, 32);
    expect<bool>(same(OUT, OCTETS, 32)).toBe(true);
    expect<u32>(load<u8>(OUT)).toBe(load<u8>(A, 127));
  });

  it("are zero only when every word is", () => {
    clear(A);
    expect<u32>(isZero(A, 32)).toBe(1);
    for (let bit = 0; bit < 1024; bit++) {
      const at = A + (<usize>(bit >> 5) << 2);
      store<u32>(at, 1 << (bit & 31));
      expect<u32>(isZero(A, 32)).toBe(0);
      expect<u32>(isZero(A, bit >> 5)).toBe(1);
      store<u32>(at, 0);
    }
  });

  it("compare", () => {
    forPairs((modulus: usize): void => {
      const n = wordsOf(modulus);
      expect<u32>(isEqual(A, B, n)).toBe(same(A, B, n) ? 1 : 0);
      expect<u32>(isLess(A, B, n)).toBe(less(A, B, n) ? 1 : 0);
      expect<u32>(isLess(A, valueOf(modulus), n)).toBe(1);
      expect<u32>(isLess(valueOf(modulus), A, n)).toBe(0);
    });
  });

  it("are chosen by a bit", () => {
    forPairs((modulus: usize): void => {
      const n = wordsOf(modulus);
      choose(OUT, A, B, 1, n);
      expect<bool>(same(OUT, A, n)).toBe(true);
      choose(OUT, A, B, 0, n);
      expect<bool>(same(OUT, B, n)).toBe(true);
    });
  });

  it("add", () => {
    forPairs((modulus: usize): void => {
      const n = wordsOf(modulus);
      memory.copy(EXPECTED, A, 128);
      addNaive(EXPECTED, B, modulus);
      addMod(OUT, A, B, modulus);
      expect<bool>(same(OUT, EXPECTED, n)).toBe(true);
      addMod(A, A, B, modulus);
      expect<bool>(same(A, EXPECTED, n)).toBe(true);
    });
  });

  it("have negatives", () => {
    for (let m = 0; m < MODULI.length; m++) {
      const n = wordsOf(MODULI[m]);
      for (let i = 1; i < COUNT; i++) {
        operand(A, i, MODULI[m]);
        memory.copy(EXPECTED, valueOf(MODULI[m]), <usize>n << 2);
        subtract(EXPECTED, A, n);
        negateMod(OUT, A, MODULI[m]);
        expect<bool>(same(OUT, EXPECTED, n)).toBe(true);
      }
    }
  });

  it("multiply", () => {
    forPairs((modulus: usize): void => {
      const n = wordsOf(modulus);
      mulNaive(EXPECTED, A, B, modulus);
      mulMod(OUT, A, B, modulus);
      expect<bool>(same(OUT, EXPECTED, n)).toBe(true);
      mulMod(B, A, B, modulus);
      expect<bool>(same(B, EXPECTED, n)).toBe(true);
    });
  });

  it("are reduced from any words", () => {
    clear(ONE);
    store<u32>(ONE, 1);
    for (let m = 0; m < MODULI.length; m++) {
      const modulus = MODULI[m], n = wordsOf(modulus), size = <usize>n << 2;
      for (let i = 0; i < 20; i++) {
        // All ones, N itself, then arbitrary words.
        memory.fill(A, 0xff, size);
        if (i == 1) memory.copy(A, valueOf(modulus), size);
        if (i > 1) for (let k: usize = 0; k < size; k += 4) store<u32>(A + k, word());
        mulNaive(EXPECTED, A, ONE, modulus);
        reduceMod(OUT, A, modulus);
        expect<bool>(same(OUT, EXPECTED, n)).toBe(true);
        expect<bool>(less(OUT, valueOf(modulus), n)).toBe(true);
        reduceMod(A, A, modulus);
        expect<bool>(same(A, EXPECTED, n)).toBe(true);
      }
    }
  });
});
