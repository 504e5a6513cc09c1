/** Short Weierstrass curves y² = x³ − 3x + b over F_p in Jacobian coordinates: E of RFC 6508 and P-256 of RFC 6507. */
import { concat } from "../../../base/bytes.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import type { RandomSource } from "../../../base/random.ts";
import { invert, invertAll, mod, randomBelow, squareRoot, toInteger, toOctets, wnaf } from "./field.ts";

export interface Affine {
  readonly x: bigint;
  readonly y: bigint;
}

/** (x/z², y/z³); the point at infinity has z = 0. Coordinates are residues in [0, p). */
export interface Jacobian extends Affine {
  readonly z: bigint;
}

export const INFINITY: Jacobian = { x: 1n, y: 1n, z: 0n };

/** Window of the scalar multiplication: eight odd multiples in the table. */
const WIDTH = 5;

export class Curve {
  readonly p: bigint;
  readonly b: bigint;
  readonly fieldBytes: number;

  constructor(p: bigint, b: bigint, fieldBytes: number) {
    this.p = p;
    this.b = b;
    this.fieldBytes = fieldBytes;
  }

  contains({ x, y }: Affine): boolean {
    const { p, b } = this;
    return mod(y * y - (x * x - 3n) * x - b, p) === 0n;
  }

  fromAffine({ x, y }: Affine): Jacobian {
    return { x, y, z: 1n };
  }

  /** Throws a crypto error for the point at infinity. */
  toAffine(point: Jacobian): Affine {
    return this.scale(point, invert(point.z, this.p));
  }

  /** All of them with one inversion; none may be the point at infinity. */
  toAffineAll(points: readonly Jacobian[]): Affine[] {
    const inverses = invertAll(
      points.map((point) => point.z),
      this.p,
    );
    return points.map((point, i) => this.scale(point, inverses[i]!));
  }

  private scale({ x, y }: Jacobian, zInverse: bigint): Affine {
    const { p } = this;
    const zz = mod(zInverse * zInverse, p);
    return { x: mod(x * zz, p), y: mod(y * mod(zz * zInverse, p), p) };
  }

  equals(a: Jacobian, b: Jacobian): boolean {
    if (a.z === 0n || b.z === 0n) return a.z === b.z;
    return this.add(a, this.negate(b)).z === 0n;
  }

  negate<P extends Affine>(point: P): P {
    return { ...point, y: mod(-point.y, this.p) };
  }

  /** 4M + 4S. */
  double({ x, y, z }: Jacobian): Jacobian {
    const { p } = this;
    const delta = mod(z * z, p);
    const gamma = mod(y * y, p);
    const beta = mod(x * gamma, p);
    const alpha = mod(3n * (x - delta) * (x + delta), p);
    const x3 = mod(alpha * alpha - 8n * beta, p);
    const y3 = mod(alpha * (4n * beta - x3) - 8n * gamma * gamma, p);
    return { x: x3, y: y3, z: mod(2n * y * z, p) };
  }

  /** Adds an affine point: 8M + 3S. */
  addAffine(a: Jacobian, b: Affine): Jacobian {
    if (a.z === 0n) return this.fromAffine(b);
    const { p } = this;
    const zz = mod(a.z * a.z, p);
    const h = mod(b.x * zz, p) - a.x;
    const r = mod(b.y * mod(a.z * zz, p), p) - a.y;
    return this.finishAdd(a, a.x, a.y, h, r, a.z);
  }

  /** 12M + 4S. */
  add(a: Jacobian, b: Jacobian): Jacobian {
    if (a.z === 0n) return b;
    if (b.z === 0n) return a;
    const { p } = this;
    const aa = mod(a.z * a.z, p);
    const bb = mod(b.z * b.z, p);
    const x1 = mod(a.x * bb, p);
    const y1 = mod(a.y * mod(bb * b.z, p), p);
    const h = mod(b.x * aa, p) - x1;
    const r = mod(b.y * mod(aa * a.z, p), p) - y1;
    return this.finishAdd(a, x1, y1, h, r, mod(a.z * b.z, p));
  }

  /** Both points brought to the denominators of `zz`: (x1, y1) and (x1 + h, y1 + r). */
  private finishAdd(a: Jacobian, x1: bigint, y1: bigint, h: bigint, r: bigint, zz: bigint): Jacobian {
    if (h === 0n) return r === 0n ? this.double(a) : INFINITY;
    const { p } = this;
    const hh = mod(h * h, p);
    const hhh = mod(h * hh, p);
    const v = mod(x1 * hh, p);
    const x3 = mod(r * r - hhh - 2n * v, p);
    const y3 = mod(r * (v - x3) - y1 * hhh, p);
    return { x: x3, y: y3, z: mod(zz * h, p) };
  }

  /** [k]P for k ≥ 0. k is not reduced: the base may have any order. */
  multiply(k: bigint, base: Jacobian | Affine): Jacobian {
    return this.multiplySum([[k, base]]);
  }

  /** Σ [k]P with one chain of doublings for all terms (Strauss) and wNAF digits. */
  multiplySum(terms: readonly (readonly [bigint, Jacobian | Affine])[]): Jacobian {
    const bases = terms.map(([k, base]) => [k, "z" in base ? base : this.fromAffine(base)] as const);
    const present = bases.filter(([k, base]) => k !== 0n && base.z !== 0n);
    // Odd multiples of a point of E or P-256 other than O are never O: no order is odd and small.
    const odd = this.toAffineAll(present.flatMap(([, base]) => this.oddMultiples(base)));
    const digits = present.map(([k]) => wnaf(k, WIDTH));
    const perTerm = 1 << (WIDTH - 2);

    let sum = INFINITY;
    for (let i = Math.max(0, ...digits.map((d) => d.length)) - 1; i >= 0; i--) {
      sum = this.double(sum);
      for (let term = 0; term < digits.length; term++) {
        const digit = digits[term]![i] ?? 0;
        if (digit === 0) continue;
        const multiple = odd[term * perTerm + (Math.abs(digit) >> 1)]!;
        sum = this.addAffine(sum, digit > 0 ? multiple : this.negate(multiple));
      }
    }
    return sum;
  }

  private oddMultiples(base: Jacobian): Jacobian[] {
    const twice = this.double(base);
    const out = [base];
    while (out.length < 1 << (WIDTH - 2)) out.push(this.add(out[out.length - 1]!, twice));
    return out;
  }

  /** `04 || x || y` with coordinates of fixed width (RFC 6507 4.1, RFC 6508 2.1). */
  encode({ x, y }: Affine): Uint8Array {
    return concat(Uint8Array.of(4), toOctets(x, this.fieldBytes), toOctets(y, this.fieldBytes));
  }

  /** Throws a validation error unless the octets are an uncompressed point of the curve. */
  decode(octets: Uint8Array): Affine {
    const n = this.fieldBytes;
    const point = { x: toInteger(octets.subarray(1, 1 + n)), y: toInteger(octets.subarray(1 + n)) };
    const wellFormed = octets.length === 1 + 2 * n && octets[0] === 4 && point.x < this.p && point.y < this.p;
    if (!wellFormed || !this.contains(point)) {
      throw new MikeySakkeError("validation", "BAD_POINT", "not an uncompressed point of the curve");
    }
    return point;
  }

  /** A point of any order: on E, times 4 for the subgroup of order q. */
  randomPoint(random: RandomSource): Affine {
    for (;;) {
      const x = randomBelow(this.p, random);
      const y = squareRoot(mod(x * x * x - 3n * x + this.b, this.p), this.p);
      if (y !== undefined) return { x, y: random(1)[0]! & 1 ? y : mod(-y, this.p) };
    }
  }
}
