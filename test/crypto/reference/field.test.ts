import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { systemRandom } from "../../../base/random.ts";
import {
  edgeElements,
  fromLimbs,
  invert,
  invertAll,
  mod,
  randomBelow,
  squareRoot,
  toInteger,
  toLimbs,
  toOctets,
  wnaf,
} from "./field.ts";
import { SAKKE } from "./params.ts";

const fieldElement = fc.bigInt({ min: 0n, max: SAKKE.p - 1n });
const scalar = fc.bigInt({ min: 1n, max: SAKKE.q - 1n });

describe("the reference of field arithmetic", () => {
  it("inverts elements singly and together", () => {
    fc.assert(
      fc.property(
        fc.array(fc.bigInt({ min: 1n, max: SAKKE.p - 1n }), { minLength: 1, maxLength: 5 }),
        (values) => {
          const inverses = values.map((v) => invert(v, SAKKE.p));
          for (const [i, v] of values.entries()) expect(mod(v * inverses[i]!, SAKKE.p)).toBe(1n);
          expect(invertAll(values, SAKKE.p)).toEqual(inverses);
        },
      ),
    );
    expect(() => invert(0n, SAKKE.p)).toThrow(new RangeError("not invertible"));
    expect(() => invert(SAKKE.p, SAKKE.p)).toThrow(new RangeError("not invertible"));
  });

  it("finds square roots of squares only", () => {
    fc.assert(
      fc.property(fieldElement, (a) => {
        const square = mod(a * a, SAKKE.p);
        expect([a, mod(-a, SAKKE.p)]).toContain(squareRoot(square, SAKKE.p));
      }),
      { numRuns: 10 },
    );
    // RFC 6508 3.1 needs −1 to be a non-residue; so is 3.
    expect(squareRoot(SAKKE.p - 1n, SAKKE.p)).toBeUndefined();
    expect(squareRoot(3n, SAKKE.p)).toBeUndefined();
    expect(squareRoot(SAKKE.p - 3n, SAKKE.p)).toBeDefined();
  });

  it("recodes scalars in non-adjacent forms", () => {
    fc.assert(
      fc.property(scalar, fc.integer({ min: 2, max: 7 }), (k, w) => {
        const digits = wnaf(k, w);
        expect(fromLimbs(digits.map(BigInt), 1)).toBe(k);
        const legal = digits.every(
          (digit, i) =>
            digit === 0 ||
            (digit % 2 !== 0 &&
              Math.abs(digit) < 1 << (w - 1) &&
              digits.slice(i + 1, i + w).every((next) => next === 0)),
        );
        expect(legal).toBe(true);
      }),
    );
    const weights = [3, 4, 5, 6].map((w) => wnaf(SAKKE.q, w).filter((digit) => digit !== 0).length);
    expect(weights).toEqual([253, 200, 171, 145]);
  });

  it("converts to limbs and octets and back", () => {
    fc.assert(
      fc.property(fieldElement, fc.constantFrom([28, 37], [32, 32], [52, 20]), (a, [width, count]) => {
        const limbs = toLimbs(a, width!, count!);
        expect(limbs.every((limb) => limb >= 0n && limb >> BigInt(width!) === 0n)).toBe(true);
        expect(fromLimbs(limbs, width!)).toBe(a);
        expect(toInteger(toOctets(a, 128))).toBe(a);
        expect(toOctets(a, 128)).toHaveLength(128);
      }),
    );
    expect(toInteger(new Uint8Array())).toBe(0n);
  });

  it("draws elements in range", () => {
    for (let i = 0; i < 20; i++) expect(randomBelow(SAKKE.q, systemRandom)).toBeLessThan(SAKKE.q);
    expect(randomBelow(7n, (length) => new Uint8Array(length).fill(255))).toBe((2n ** 136n - 1n) % 7n);
    expect(edgeElements(SAKKE.p).every((e) => e >= 0n && e < SAKKE.p)).toBe(true);
  });
});
