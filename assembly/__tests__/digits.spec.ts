import { P256_N, SAKKE_Q } from "../generated/moduli";
import { RECODED_BYTES, indexOf, isNegative, recode, windowOf } from "../digits";
import { valueOf, wordsOf } from "../modulus";
import { EDGES, addNaive, clear, clearWorkspace, leavesTraces, number, operand, same, subtract } from "./naive";

const K = number(0), RECODED = number(1), SUM = number(2), DIGIT = number(3);

/** Rows of a table that covers the order with windows of `width` bits, alone or padded to a multiple of four. */
function rows(modulus: usize, width: i32, padded: bool): i32 {
  const bits = modulus == SAKKE_Q ? 1022 : 256, count = (bits + width - 1) / width;
  return padded ? (count + 3) & ~3 : count;
}

/** SUM = the sum of all digits times their powers of two, mod the order; true if every digit is odd and in its row. */
function sumDigits(modulus: usize, count: i32, width: i32): bool {
  let inRow = true;
  clear(SUM);
  for (let row = count - 1; row >= 0; row--) {
    for (let i = 0; i < width; i++) addNaive(SUM, SUM, modulus);
    const window = windowOf(RECODED, row, width), index = indexOf(window, width), sign = isNegative(RECODED, window, width);
    if (index >= <u32>(1 << (width - 1)) || sign > 1) inRow = false;
    clear(DIGIT);
    store<u32>(DIGIT, 2 * index + 1);
    if (sign == 1) {
      // N - digit
      memory.copy(number(4), valueOf(modulus), <usize>wordsOf(modulus) << 2);
      subtract(number(4), DIGIT, wordsOf(modulus));
      memory.copy(DIGIT, number(4), <usize>wordsOf(modulus) << 2);
    }
    addNaive(SUM, DIGIT, modulus);
  }
  return inRow;
}

function checkAll(modulus: usize): void {
  for (let width = 2; width <= 8; width++) {
    for (let padded = 0; padded < 2; padded++) {
      const count = rows(modulus, width, padded == 1);
      for (let i = 1; i < EDGES + 6; i++) {
        operand(K, i, modulus);
        recode(RECODED, K, modulus, count * width);
        expect<bool>(sumDigits(modulus, count, width)).toBe(true, "digits are in their row");
        expect<bool>(same(SUM, K, wordsOf(modulus))).toBe(true, "digits sum up to the scalar");
      }
    }
  }
}

describe("signed odd digits", () => {
  it("sum up to a scalar mod q of SAKKE", () => {
    checkAll(SAKKE_Q);
  });

  it("sum up to a scalar mod the order of P-256", () => {
    checkAll(P256_N);
  });

  it("are those of the negative with every sign turned", () => {
    const width = 6, count = rows(P256_N, width, false);
    operand(K, EDGES, P256_N);
    recode(RECODED, K, P256_N, count * width);
    memory.copy(number(5), RECODED, RECODED_BYTES);
    memory.copy(number(6), valueOf(P256_N), 32);
    subtract(number(6), K, 8);
    recode(RECODED, number(6), P256_N, count * width);
    for (let row = 0; row < count; row++) {
      const a = windowOf(number(5), row, width), b = windowOf(RECODED, row, width);
      expect<u32>(indexOf(a, width)).toBe(indexOf(b, width));
      expect<u32>(isNegative(number(5), a, width) ^ isNegative(RECODED, b, width)).toBe(1);
    }
  });

  it("leave nothing of the scalar in the workspace", () => {
    for (let i = 0; i < 4; i++) {
      clearWorkspace();
      operand(K, EDGES, SAKKE_Q);
      recode(RECODED, K, SAKKE_Q, 1022);
      expect<bool>(leavesTraces()).toBe(false);
    }
  });
});
