import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat } from "../../../base/bytes.ts";
import { systemRandom } from "../../../base/random.ts";
import { errorCode, flip } from "../../support/error-code.ts";
import { type Affine, INFINITY } from "./curve.ts";
import * as eccsi from "./eccsi.ts";
import { mod, squareRoot } from "./field.ts";
import { P256, SAKKE } from "./params.ts";
import * as sakke from "./sakke.ts";

describe.each([
  { name: "E", curve: sakke.curve, base: sakke.P, order: SAKKE.q },
  { name: "P-256", curve: eccsi.curve, base: eccsi.G, order: P256.q },
])("curve $name", ({ curve, base, order }) => {
  const B = curve.fromAffine(base);
  /** [k]B by the definition. */
  const repeated = (k: number) =>
    Array.from({ length: k }).reduce((sum: typeof B) => curve.add(sum, B), INFINITY);

  it("multiplies by small scalars as repeated addition does", () => {
    for (let k = 0; k <= 40; k++) {
      const product = curve.multiply(BigInt(k), base);
      expect(curve.equals(product, repeated(k))).toBe(true);
      if (k > 0) expect(curve.contains(curve.toAffine(product))).toBe(true);
    }
  });

  it("is a group with the generator's order", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: order - 1n }),
        fc.bigInt({ min: 1n, max: order - 1n }),
        (a, b) => {
          const [A, C] = [curve.multiply(a, B), curve.multiply(b, B)];
          expect(curve.equals(curve.add(A, C), curve.multiply(a + b, B))).toBe(true);
          expect(curve.equals(curve.addAffine(A, curve.toAffine(C)), curve.add(C, A))).toBe(true);
          expect(
            curve.equals(
              curve.multiplySum([
                [b, A],
                [order - a, C],
              ]),
              INFINITY,
            ),
          ).toBe(true); // prettier-ignore
          expect(curve.equals(curve.multiply(order - a, B), curve.negate(A))).toBe(true);
          expect(curve.equals(A, curve.negate(A))).toBe(false);
        },
      ),
      { numRuns: 4 },
    );
  });

  it("adds equal, opposite and neutral points", () => {
    const twice = curve.double(B);
    expect(curve.equals(curve.add(twice, twice), curve.double(twice))).toBe(true);
    expect(curve.equals(curve.addAffine(B, base), twice)).toBe(true);
    expect(curve.add(twice, curve.negate(twice))).toBe(INFINITY);
    expect(curve.addAffine(B, curve.negate(base))).toBe(INFINITY);
    expect(curve.equals(curve.add(INFINITY, B), curve.add(B, INFINITY))).toBe(true);
    expect(curve.equals(curve.addAffine(INFINITY, base), B)).toBe(true);
    expect(curve.double(INFINITY).z).toBe(0n);
    expect(curve.multiply(5n, INFINITY).z).toBe(0n);
    expect(() => curve.toAffine(INFINITY)).toThrow(new RangeError("not invertible"));
  });

  it("decodes its own encoding and nothing else", () => {
    const point = curve.randomPoint(systemRandom);
    const encoded = curve.encode(point);
    const n = curve.fieldBytes;
    expect(curve.decode(encoded)).toEqual(point);
    const malformed = [
      encoded.subarray(0, -1),
      concat(encoded, Uint8Array.of(0)),
      new Uint8Array(0),
      Uint8Array.of(0),
      concat(Uint8Array.of(3), encoded.subarray(1)),
      flip(encoded, 8 * n),
      flip(encoded, 8 * 2 * n),
      concat(Uint8Array.of(4), new Uint8Array(2 * n).fill(255)),
    ];
    for (const bad of malformed) expect(errorCode(() => curve.decode(bad))).toBe("validation/BAD_POINT");
  });

  it("refuses a coordinate of a point written with p added", () => {
    let small: Affine | undefined;
    for (let x = 1n; small === undefined; x++) {
      const y = squareRoot(mod(x ** 3n - 3n * x + curve.b, curve.p), curve.p);
      if (y !== undefined) small = { x, y };
    }
    expect(curve.decode(curve.encode(small))).toEqual(small);
    const shifted = curve.encode({ x: small.x + curve.p, y: small.y });
    expect(errorCode(() => curve.decode(shifted))).toBe("validation/BAD_POINT");
  });
});
