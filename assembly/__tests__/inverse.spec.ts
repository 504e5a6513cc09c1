import { P256_N, P256_P, SAKKE_P, SAKKE_Q } from "../generated/moduli";
import { inverseMod } from "../inverse";
import { isZero } from "../scalar";
import { valueOf, wordsOf } from "../modulus";
import { EDGES, clear, clearWorkspace, leavesTraces, less, mulNaive, number, operand, same } from "./naive";

const A = number(0), OUT = number(1), PRODUCT = number(2), ONE = number(3);
const MODULI: StaticArray<usize> = [SAKKE_P, SAKKE_Q, P256_P, P256_N];

describe("inverses", () => {
  it("times the operand are one", () => {
    clear(ONE);
    store<u32>(ONE, 1);
    for (let m = 0; m < MODULI.length; m++) {
      const modulus = MODULI[m], n = wordsOf(modulus);
      for (let i = 1; i < EDGES + 20; i++) {
        operand(A, i, modulus);
        inverseMod(OUT, A, modulus);
        expect<bool>(less(OUT, valueOf(modulus), n)).toBe(true, "reduced");
        mulNaive(PRODUCT, OUT, A, modulus);
        expect<bool>(same(PRODUCT, ONE, n)).toBe(true, "product");
      }
    }
  });

  it("of powers of two are right at every length", () => {
    clear(ONE);
    store<u32>(ONE, 1);
    for (let m = 0; m < MODULI.length; m++) {
      const modulus = MODULI[m], n = wordsOf(modulus);
      for (let bit = 0; bit < 32 * n - 3; bit += 29) {
        clear(A);
        store<u32>(A + (<usize>(bit >> 5) << 2), 1 << (bit & 31));
        inverseMod(OUT, A, modulus);
        mulNaive(PRODUCT, OUT, A, modulus);
        expect<bool>(same(PRODUCT, ONE, n)).toBe(true);
      }
    }
  });

  it("of zero are zero", () => {
    for (let m = 0; m < MODULI.length; m++) {
      clear(A);
      memory.fill(OUT, 0xff, 128);
      inverseMod(OUT, A, MODULI[m]);
      expect<u32>(isZero(OUT, wordsOf(MODULI[m]))).toBe(1);
    }
  });

  it("may be written over the operand", () => {
    for (let m = 0; m < MODULI.length; m++) {
      operand(A, EDGES, MODULI[m]);
      inverseMod(OUT, A, MODULI[m]);
      inverseMod(A, A, MODULI[m]);
      expect<bool>(same(A, OUT, wordsOf(MODULI[m]))).toBe(true);
    }
  });

  it("leave nothing in the workspace", () => {
    for (let m = 0; m < MODULI.length; m++) {
      clearWorkspace();
      operand(A, EDGES, MODULI[m]);
      inverseMod(OUT, A, MODULI[m]);
      expect<bool>(leavesTraces()).toBe(false);
    }
  });
});
