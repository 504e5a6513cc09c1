/**
 * KMS Master Secrets made up so that a sum over fixed-base tables meets equal or opposite points on its way. The core
 * adds affine points, whose law has no case for these, so such a sum must take another way and come out the same.
 * No honest KMS gets there: r would have to be known before z.
 *
 * R = [r b]P + [r]Z is a sum of table entries. An entry is a multiple of P or of Z = [z]P, so every partial sum is
 * [a + e z]P with a and e known, and two partial sums are equal for one z and opposite for another.
 */
import { bitLength, invert, mod } from "../crypto/reference/field.ts";
import { SAKKE } from "../crypto/reference/params.ts";

const { q } = SAKKE;

/** The partial sum [a + e z]P. */
interface Form {
  readonly a: bigint;
  readonly e: bigint;
}

export interface MadeUp {
  readonly name: string;
  readonly z: bigint;
}

const plus = (s: Form, t: Form): Form => ({ a: s.a + t.a, e: s.e + t.e });

/** Table entries of [k]B as multiples of B: odd signed digits of `width` bits (assembly/digits.ts). */
export function entries(k: bigint, width: number, rows: number): bigint[] {
  const even = k % 2n === 0n;
  const odd = even ? q - k : k;
  const shifted = (odd >> 1n) + (1n << BigInt(width * rows - 1));
  return Array.from({ length: rows }, (_, i) => {
    const window = (shifted >> BigInt(width * i)) & ((1n << BigInt(width)) - 1n);
    const digit = 2n * window - ((1n << BigInt(width)) - 1n);
    return (even ? -digit : digit) << BigInt(width * i);
  });
}

/** The pairs that meet when neighbours are added level by level, and the whole sum. */
function tree(forms: readonly Form[]): { joins: [Form, Form][]; sum: Form } {
  const joins: [Form, Form][] = [];
  let level = forms;
  while (level.length > 1) {
    const next: Form[] = [];
    for (let i = 0; i + 1 < level.length; i += 2) {
      joins.push([level[i]!, level[i + 1]!]);
      next.push(plus(level[i]!, level[i + 1]!));
    }
    if (level.length % 2 === 1) next.push(level.at(-1)!);
    level = next;
  }
  return { joins, sum: level[0]! };
}

/** The z with [s]P = ±[t]P; undefined if it makes no difference, or is no master secret. */
function meeting([s, t]: [Form, Form], sign: bigint): bigint | undefined {
  const e = mod(s.e - sign * t.e, q);
  if (e === 0n) return undefined;
  const z = mod((sign * t.a - s.a) * invert(e, q), q);
  return z >= 2n ? z : undefined;
}

function solve(name: string, joins: readonly [Form, Form][]): MadeUp[] {
  return joins.flatMap((join, i) =>
    ([1n, -1n] as const).flatMap((sign) => {
      const z = meeting(join, sign);
      const how = sign === 1n ? "equal" : "opposite";
      return z === undefined ? [] : [{ name: `${name} ${i}: ${how} points`, z }];
    }),
  );
}

function formsOf(r: bigint, rb: bigint, width: number, rows: number): { p: Form[]; z: Form[] } {
  return {
    p: entries(rb, width, rows).map((a) => ({ a, e: 0n })),
    z: entries(r, width, rows).map((e) => ({ a: 0n, e })),
  };
}

/** For sums of many receivers side by side: a tree over the rows of P, then those of Z (sumFixed). */
export function treeCollisions(r: bigint, b: bigint, width: number): MadeUp[] {
  const rows = Math.ceil(bitLength(q) / width);
  const { p, z } = formsOf(r, mod(r * b, q), width, rows);
  return solve("join", tree([...p, ...z]).joins);
}

/** For one sum spread over `lanes` lanes (sumSpread): trees in every lane, then the sums of the lanes are folded. */
export function laneCollisions(r: bigint, b: bigint, width: number, lanes: number): MadeUp[] {
  const rows = Math.ceil(Math.ceil(bitLength(q) / width) / 4) * 4;
  const { p, z } = formsOf(r, mod(r * b, q), width, rows);
  const inLanes = Array.from({ length: lanes }, (_, lane) => {
    const own = (_: Form, i: number) => i % lanes === lane;
    return tree([...p.filter(own), ...z.filter(own)]);
  });
  const folds = tree(inLanes.map(({ sum }) => sum)).joins;
  return [...solve("join of lane 0", inLanes[0]!.joins), ...solve("fold", folds)];
}
