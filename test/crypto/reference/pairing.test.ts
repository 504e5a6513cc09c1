import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { systemRandom } from "../../../base/random.ts";
import type { Affine } from "./curve.ts";
import { bits, invert, mod, squareRoot } from "./field.ts";
import { SAKKE } from "./params.ts";
import * as sakke from "./sakke.ts";

const fieldElement = fc.bigInt({ min: 0n, max: SAKKE.p - 1n });
const scalar = fc.bigInt({ min: 1n, max: SAKKE.q - 1n });

describe("the reference of the pairing", () => {
  const { curve, P } = sakke;
  const at = (k: bigint) => curve.toAffine(curve.multiply(k, P));

  it("is bilinear and symmetric on the subgroup of order q", () => {
    fc.assert(
      fc.property(scalar, scalar, (a, b) => {
        const expected = sakke.power(SAKKE.g, mod(a * b, SAKKE.q));
        expect(sakke.pairing(at(a), at(b))).toBe(expected);
        expect(sakke.pairing(at(b), at(a))).toBe(expected);
      }),
      { numRuns: 3 },
    );
  });

  it("has powers of order q and negation as the inverse", () => {
    expect(sakke.power(SAKKE.g, 0n)).toBe(0n);
    expect(sakke.power(SAKKE.g, 1n)).toBe(SAKKE.g);
    expect(sakke.power(SAKKE.g, SAKKE.q)).toBe(0n);
    expect(sakke.power(SAKKE.g, SAKKE.q - 1n)).toBe(SAKKE.p - SAKKE.g);
    expect(() => sakke.representative({ re: 0n, im: 1n })).toThrow(new RangeError("not invertible"));
  });

  it("multiplies in F_p² as the schoolbook does", () => {
    const element = fc.record({ re: fieldElement, im: fieldElement });
    fc.assert(
      fc.property(element, element, (a, b) => {
        const product = {
          re: mod(a.re * b.re - a.im * b.im, SAKKE.p),
          im: mod(a.re * b.im + a.im * b.re, SAKKE.p),
        };
        expect(sakke.fp2Multiply(a, b)).toEqual(product);
        expect(sakke.fp2Square(a)).toEqual(sakke.fp2Multiply(a, a));
      }),
    );
  });

  it("does not detect a point of small order added to its second argument", () => {
    const K = at(123456789n);
    const R = at(987654321n);
    const R2 = curve.toAffine(curve.addAffine(curve.fromAffine(R), { x: 0n, y: 0n }));
    expect(curve.contains(R2)).toBe(true);
    expect(sakke.pairing(K, R2)).toBe(sakke.pairing(K, R));
  });

  it("equals the loop of RFC 6508 3.2 with its divisions, for arguments of every order", () => {
    const full = curve.randomPoint(systemRandom);
    // [2](x, y) = (0, 0) where x² = −3.
    const root = squareRoot(SAKKE.p - 3n, SAKKE.p)!;
    const order4 = [root, SAKKE.p - root]
      .map((x) => ({ x, y: squareRoot(mod(-6n * x, SAKKE.p), SAKKE.p) }))
      .find((point): point is Affine => point.y !== undefined)!;
    expect(curve.contains(order4)).toBe(true);
    expect(curve.double(curve.fromAffine(order4)).x).toBe(0n);
    for (const R of [at(1234567n), full, order4, { x: 0n, y: 0n }]) {
      expect(sakke.pairing(R, full)).toBe(affinePairing(R, full));
    }
  });
});

/** RFC 6508 3.2 literally, in affine coordinates; O as undefined, vertical lines left out. */
function affinePairing(R: Affine, Q: Affine): bigint {
  const { p, q } = SAKKE;
  let v = { re: 1n, im: 0n };
  let C: Affine | undefined = R;
  const step = (slope: bigint, c: Affine, other: Affine): Affine => {
    v = sakke.fp2Multiply(v, { re: mod(slope * (Q.x + c.x) - c.y, p), im: Q.y });
    const x = mod(slope * slope - c.x - other.x, p);
    return { x, y: mod(slope * (c.x - x) - c.y, p) };
  };
  for (const bit of bits(q - 1n).slice(1)) {
    v = sakke.fp2Square(v);
    if (C?.y === 0n) C = undefined;
    if (C !== undefined) C = step((3n * C.x * C.x - 3n) * invert(2n * C.y, p), C, C);
    if (!bit) continue;
    if (C === undefined) C = R;
    else if (C.x === R.x) C = undefined;
    else C = step((C.y - R.y) * invert(C.x - R.x, p), C, R);
  }
  return sakke.representative(sakke.fp2Square(sakke.fp2Square(v)));
}
