/** The four field kernels against BigInt, on raw limbs: exact values, bounds, every lane with operands of its own. */
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../support/random.ts";
import { invert } from "../reference/field.ts";
import { P256, SAKKE } from "../reference/params.ts";
import { Kernel, type KernelKind } from "./kernel.ts";

interface Case extends KernelKind {
  /** A product of a and b is below (excess / 1000) p + a b / R, see the head of the module. */
  readonly excess: bigint;
  /** Legal operands are below this. */
  readonly limit: bigint;
  /** Sums and differences are exact, with a multiple of p for each level; else reduced below `limit`. */
  readonly levels: number;
}

const SAKKE_FIELD = { field: "Fp", p: SAKKE.p, words: 32, levels: 19 } as const;
const P256_FIELD = { field: "P256", p: P256.p, words: 8, levels: 0, limit: 1n << 257n } as const;
const CASES: readonly Case[] = [
  {
    ...SAKKE_FIELD,
    build: "fma",
    file: "fma/field.ts",
    limbs: 20,
    width: 52,
    limit: 1n << 1040n,
    excess: 1548n,
  },
  {
    ...SAKKE_FIELD,
    build: "simd",
    file: "simd/field.ts",
    limbs: 37,
    width: 28,
    limit: 1n << 1036n,
    excess: 1785n,
  },
  { ...P256_FIELD, build: "fma", file: "fma/p256.ts", limbs: 5, width: 52, excess: 1001n },
  { ...P256_FIELD, build: "simd", file: "simd/p256.ts", limbs: 10, width: 28, excess: 1000n },
];

const random = seededRandom("field kernels");

function randomBelow(limit: bigint): bigint {
  let x = 0n;
  for (const octet of random(144)) x = (x << 8n) + BigInt(octet);
  return x % limit;
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Two operands. */
type Pair = readonly [bigint, bigint];
const left = (group: readonly Pair[]): bigint[] => group.map(([a]) => a);
const right = (group: readonly Pair[]): bigint[] => group.map(([, b]) => b);

/** The items in groups of `lanes`; a second pass is shifted by one lane. */
function grouped<T>(items: readonly T[], lanes: number): T[][] {
  const groups: T[][] = [];
  for (const shift of [0, 1]) {
    for (let i = shift; i < items.length; i += lanes)
      groups.push(range(lanes).map((l) => items[(i + l) % items.length]!));
  }
  return groups;
}

const kernels = await Promise.all(CASES.map(async (c) => ({ ...c, k: await Kernel.load(c) })));

// Where the host rounds fused products twice the FMA build is refused when it is loaded; there is nothing to test then.
describe.each(kernels.filter(({ k }) => k.wasm.isFused() === 1))(
  "the kernel $file",
  ({ k, p, excess, limit, levels, words }) => {
    const { wasm, lanes, bytes, R } = k;
    const [A, B, C, D, OUT] = [k.slot(0), k.slot(1), k.slot(2), k.slot(3), k.slot(4)] as const;
    const [MASKS, WORDS, ROW] = [k.slot(6), k.slot(7), k.slot(8)] as const;
    const exact = levels > 0;
    const zero = range(lanes).map(() => 0n);
    const one = range(lanes).map(() => 1n);

    const edges = [0n, 1n, 2n, p - 1n, p, p + 1n, 2n * p, (1n << BigInt(32 * words)) - 1n];
    /** Pairs of operands whose product stays legal. */
    const pairs: Pair[] = edges.flatMap((a) => edges.map((b): Pair => [a, b]));
    /** All limbs full, so the columns as well. */
    const full: Pair = [limit - 1n, exact ? (limit >> 4n) - 1n : limit - 1n];
    /** Products of limbs halfway between two multiples of a limb's range, which round up and down. */
    const each = (limb: bigint): bigint => (limb * ((R - 1n) / ((1n << BigInt(k.kind.width)) - 1n))) % limit;
    const half = each(1n << BigInt(k.kind.width - 1));
    pairs.push([half, each(1n)], [half, each(3n)], [each(3n), half]);
    pairs.push(full, [limit - 1n, 0n], [1n, limit - 1n], [p - 1n, limit - 1n]);
    for (let i = 0; i < 300; i++) {
      pairs.push([randomBelow(p), randomBelow(p)], [randomBelow(limit), randomBelow(exact ? 2n * p : limit)]);
    }
    const groups = grouped(pairs, lanes);

    const checkProduct = (out: bigint, sum: bigint): void => {
      expect((out * R - sum) % p).toBe(0n);
      expect(out * R * 1000n).toBeLessThan(excess * p * R + sum * 1000n + 1n);
      expect(out).toBeLessThan(limit);
    };

    it("declares its shape", () => {
      expect([bytes / 16, wasm.entryBytes()]).toEqual([k.kind.limbs, (16 / lanes) * k.kind.limbs]);
      expect(lanes).toBe(k.kind.width === 52 ? 2 : 4);
      expect(k.get(wasm.one())).toEqual(range(lanes).map(() => R % p));
      expect(k.get(wasm.rSquared())).toEqual(range(lanes).map(() => (R * R) % p));
    });

    it("multiplies and squares, whatever the output lies over", () => {
      for (const group of groups) {
        const [a, b] = [left(group), right(group)];
        wasm.mul(OUT, k.put(A, a), k.put(B, b));
        const out = k.get(OUT);
        out.forEach((x, l) => {
          checkProduct(x, a[l]! * b[l]!);
        });
        wasm.mul(A, A, B);
        expect(k.get(A)).toEqual(out);
        wasm.mul(B, k.put(A, a), B);
        expect(k.get(B)).toEqual(out);
        expect(k.get(A)).toEqual(a);
        if (a.some((x) => exact && x > limit >> 4n)) continue;
        wasm.sqr(OUT, A);
        const square = k.get(OUT);
        square.forEach((x, l) => {
          checkProduct(x, a[l]! * a[l]!);
        });
        wasm.sqr(A, A);
        expect(k.get(A)).toEqual(square);
        wasm.mul(B, k.put(A, a), k.put(B, a));
        expect(k.get(B)).toEqual(square);
      }
    });

    it.runIf(k.kind.file === "fma/field.ts")("carries right around the tie of the last two rows", () => {
      const unit = 1n << 52n;
      const pair = unit * unit;
      const negInverse = pair - invert(p % pair, pair);
      const quotient = (column: bigint): bigint => (negInverse * column) % unit;
      const rest = R / pair;
      for (let i = 0n; i < 36n; i++) {
        // 1 b = -q p mod R, with random digits in the first 18 rows; the columns of rows 18 and 19 are 2^51 - 1, 2^51
        // or 2^51 + 1.
        const b = range(lanes).map((l) => {
          const near = (k: bigint): bigint => (unit >> 1n) + (k % 3n) - 1n;
          const last = quotient(near(i + BigInt(l))) + quotient(near(i / 3n)) * unit;
          const q = negInverse * randomBelow(rest) + last * rest;
          return R - ((q * p) % R);
        });
        wasm.mul(OUT, k.put(A, one), k.put(B, b));
        k.get(OUT).forEach((x, l) => {
          checkProduct(x, b[l]!);
        });
      }
    });

    it("sums two products with one reduction, whatever the output lies over", () => {
      const all = range(lanes).map(() => full);
      for (const [i, first] of [all, ...groups].entries()) {
        const second = groups[i - 1] ?? all;
        const [a, b, c, d] = [left(first), right(first), left(second), right(second)];
        wasm.mulAddMul(OUT, k.put(A, a), k.put(B, b), k.put(C, c), k.put(D, d));
        const out = k.get(OUT);
        out.forEach((x, l) => {
          checkProduct(x, a[l]! * b[l]! + c[l]! * d[l]!);
        });
        for (const [address, values] of [
          [A, a],
          [B, b],
          [C, c],
          [D, d],
        ] as const) {
          wasm.mulAddMul(address, A, B, C, D);
          expect(k.get(address)).toEqual(out);
          k.put(address, values);
        }
      }
    });

    it("multiplies equal pairs of lanes as it does all lanes, whatever the output lies over", () => {
      const repeat = (x: readonly bigint[]) => range(lanes).map((l) => x[l % 2]!);
      const small = (x: readonly bigint[]) => x.map((v) => (exact ? v % (limit >> 4n) : v));
      for (const group of groups) {
        const [a, b] = [repeat(left(group)), repeat(right(group))];
        wasm.mul(OUT, k.put(A, a), k.put(B, b));
        const product = k.get(OUT);
        wasm.mulPair(OUT, A, B);
        expect(k.get(OUT)).toEqual(product);
        wasm.mulPair(A, A, B);
        expect(k.get(A)).toEqual(product);
        wasm.mulPair(B, k.put(A, a), B);
        expect(k.get(B)).toEqual(product);
        wasm.sqr(OUT, k.put(A, small(a)));
        wasm.sqrPair(A, A);
        expect(k.get(A)).toEqual(k.get(OUT));
        const [c, d] = [small(b), repeat(range(lanes).map(() => randomBelow(p)))];
        wasm.mulAddMul(OUT, k.put(A, a), k.put(B, b), k.put(C, c), k.put(D, d));
        wasm.mulAddMulPair(D, A, B, C, D);
        expect(k.get(D)).toEqual(k.get(OUT));
      }
    });

    it("adds elements", () => {
      for (const group of groups) {
        const [a, b] = [left(group), right(group)].map((x) => x.map((v) => (exact ? v >> 1n : v))) as [
          bigint[],
          bigint[],
        ];
        wasm.add(OUT, k.put(A, a), k.put(B, b));
        const out = k.get(OUT);
        out.forEach((x, l) => {
          if (exact) expect(x).toBe(a[l]! + b[l]!);
          expect((x - a[l]! - b[l]!) % p).toBe(0n);
          expect(x).toBeLessThan(limit);
        });
        wasm.add(A, A, B);
        expect(k.get(A)).toEqual(out);
        wasm.add(B, k.put(A, a), B);
        expect(k.get(B)).toEqual(out);
      }
    });

    it.runIf(exact)("has multiples of p for every depth of a tree of affine additions", () => {
      // At depth l coordinates are below x p: y2 - y1 + K p needs K >= x, slope^2 - (x1 + x2) + K p needs K >= 2 x.
      let x = 2.5;
      for (let depth = 0; depth < 9; depth++) {
        const [single, double] = [0, 1].map((n) => {
          wasm.sub(OUT, k.put(A, zero), k.put(B, zero), 2 * depth + n);
          return Number(k.get(OUT)[0]! / p);
        }) as [number, number];
        expect(single).toBeGreaterThanOrEqual(x);
        expect(double).toBeGreaterThanOrEqual(2 * x);
        x = 2.5 + double;
      }
    });

    it.runIf(exact)("multiplies by 3 and by powers of 2 up to 8", () => {
      // Whatever the multiple is, it has to stay below the limit.
      const edges = [0n, 1n, p - 1n, p, limit - 1n, randomBelow(limit)];
      const multiples: [bigint, (out: number, a: number) => void][] = [
        [3n, (out, a) => wasm.triple(out, a)],
        ...[1, 2, 3].map((n): [bigint, (out: number, a: number) => void] => [
          1n << BigInt(n),
          (out, a) => wasm.shiftLeft(out, a, n),
        ]),
      ];
      for (const [factor, multiply] of multiples) {
        for (const edge of edges) {
          const a = range(lanes).map((l) => (l === 0 ? edge : randomBelow(limit)) / factor);
          multiply(OUT, k.put(A, a));
          expect(k.get(OUT)).toEqual(a.map((x) => factor * x));
        }
      }
    });

    it.runIf(k.kind.field === "P256")(
      "sums small multiples in one pass, whatever the output lies over",
      () => {
        const each = (limb: bigint) =>
          range(k.kind.limbs).reduce((x, i) => x + (limb << BigInt(k.kind.width * i)), 0n);
        const ends = [
          ...edges,
          limit - 1n,
          each((1n << BigInt(k.kind.width)) - 1n) % limit,
          randomBelow(limit),
        ];
        const operands: Pair[] = [...ends.flatMap((a) => ends.map((b): Pair => [a, b])), ...pairs];
        const combinations: [keyof typeof wasm & string, (a: bigint, b: bigint) => bigint][] = [
          ["tripleSum", (a, b) => 3n * (a + b)],
          ["minusTwice", (a, b) => a - 2n * b],
          ["twiceDifference", (a, b) => 2n * (a - b)],
        ];
        for (const [name, value] of combinations) {
          const run = wasm[name] as (out: number, a: number, b: number) => void;
          for (const group of grouped(operands, lanes)) {
            const [a, b] = [left(group), right(group)];
            run(OUT, k.put(A, a), k.put(B, b));
            const out = k.get(OUT);
            out.forEach((x, l) => {
              expect((x - value(a[l]!, b[l]!)) % p, name).toBe(0n);
              expect(x, name).toBeLessThan(limit);
            });
            run(A, A, B);
            expect(k.get(A)).toEqual(out);
            run(B, k.put(A, a), B);
            expect(k.get(B)).toEqual(out);
          }
        }
      },
    );

    it("subtracts at every level", () => {
      for (const level of range(Math.max(levels, 1))) {
        wasm.sub(OUT, k.put(A, zero), k.put(B, zero), level);
        const multiple = k.get(OUT)[0]!;
        expect(multiple % p).toBe(0n);
        // Operands up to the largest legal ones: b <= K p, and a - b + K p < limit.
        const top: Pair[] = exact
          ? [
              [0n, multiple],
              [limit - 1n - multiple, 0n],
              [limit - 1n, multiple],
              [multiple, multiple],
              [p, 1n],
            ]
          : [
              [0n, limit - 1n],
              [limit - 1n, 0n],
              [limit - 1n, limit - 1n],
            ];
        for (let i = 0; i < 10; i++) top.push([randomBelow(p), randomBelow(exact ? multiple : limit)]);
        for (const group of grouped(
          [...top, ...pairs.filter(([a, b]) => !exact || (a <= 2n * p && b <= multiple)).slice(0, 100)],
          lanes,
        )) {
          const [a, b] = [left(group), right(group)];
          wasm.sub(OUT, k.put(A, a), k.put(B, b), level);
          const out = k.get(OUT);
          out.forEach((x, l) => {
            if (exact) expect(x).toBe(a[l]! - b[l]! + multiple);
            expect((x - a[l]! + b[l]!) % p).toBe(0n);
            expect(x).toBeLessThan(limit);
          });
          wasm.sub(A, A, B, level);
          expect(k.get(A)).toEqual(out);
          wasm.sub(B, k.put(A, a), B, level);
          expect(k.get(B)).toEqual(out);
        }
      }
    });

    it.runIf(wasm.fuses() === 1)("subtracts while it reduces, as one step after the other", () => {
      for (const level of range(levels - 1)) {
        const [multiple, next] = [level, level + 1].map((n) => {
          wasm.sub(OUT, k.put(A, zero), k.put(B, zero), n);
          return k.get(OUT)[0]!;
        }) as [bigint, bigint];
        // Subtrahends up to the multiple of p, also with all limbs full, under products of all sizes.
        const fullLimbs = (1n << BigInt(multiple.toString(2).length - 1)) - 1n;
        const taken = [0n, multiple, multiple - 1n, fullLimbs, p, randomBelow(multiple)];
        const factors: Pair[] = [[0n, 0n], [1n, 1n], [p - 1n, limit - 1n], full, ...pairs.slice(-6)];
        const every = factors.flatMap((pair) => taken.map((c) => ({ pair, c })));
        for (const group of grouped(every, lanes)) {
          const [a, b, c] = [group.map((g) => g.pair[0]), group.map((g) => g.pair[1]), group.map((g) => g.c)];
          wasm.mul(OUT, k.put(A, a), k.put(B, b));
          const product = k.get(OUT);
          wasm.mulMinus(OUT, A, B, k.put(C, c), level);
          const out = k.get(OUT);
          expect(out).toEqual(product.map((x, l) => x - c[l]! + multiple));
          for (const [address, values] of [
            [A, a],
            [B, b],
            [C, c],
          ] as const) {
            wasm.mulMinus(address, A, B, C, level);
            expect(k.get(address)).toEqual(out);
            k.put(address, values);
          }
          const s = a.map((x) => x % (limit >> 4n));
          // Halves: their sum is the subtrahend.
          const [u, v] = [c.map((x) => x >> 1n), c.map((x) => x - (x >> 1n))];
          wasm.sqr(OUT, k.put(A, s));
          const square = k.get(OUT);
          const both = square.map((x, l) => x - c[l]! + multiple);
          // The difference is taken where it is below its own multiple, as in a tree of sums.
          if (both.some((x) => x > next)) continue;
          wasm.sqrMinusBoth(OUT, A, k.put(B, u), k.put(C, v), level, D);
          expect(k.get(OUT)).toEqual(both);
          const difference = both.map((x, l) => u[l]! - x + next);
          expect(k.get(D)).toEqual(difference);
          wasm.sqrMinusBoth(B, A, B, C, level, D);
          expect([k.get(B), k.get(D)]).toEqual([both, difference]);
        }
      }
    });

    it("exchanges lanes", () => {
      const [a, b] = [0, 1].map(() => range(lanes).map(() => randomBelow(limit))) as [bigint[], bigint[]];
      for (const out of [OUT, A]) {
        wasm.swapPairs(out, k.put(A, a));
        expect(k.get(out)).toEqual(range(lanes).map((l) => a[l ^ 1]));
      }
      for (const lane of range(lanes)) {
        wasm.broadcast(OUT, k.put(A, a), lane);
        expect(k.get(OUT)).toEqual(range(lanes).map(() => a[lane]));
      }
      for (const lane of range(lanes)) {
        wasm.weave(OUT, k.put(A, a), k.put(B, b), lane);
        expect(k.get(OUT)).toEqual(range(lanes).map((l) => (l % 2 === 0 ? a : b)[lane]));
      }
      for (const bits of range(1 << lanes)) {
        const chosen = range(lanes).map((l) => ((bits >> l) & 1) === 1);
        for (const out of [OUT, A, B]) {
          wasm.select(out, k.put(A, a), k.put(B, b), k.putMask(MASKS, chosen));
          expect(k.get(out)).toEqual(range(lanes).map((l) => (chosen[l] ? a[l] : b[l])));
        }
      }
    });

    it("reads and writes integers lane by lane", () => {
      const integers = [
        0n,
        1n,
        p - 1n,
        p,
        (1n << BigInt(32 * words)) - 1n,
        ...range(20).map(() => randomBelow(p)),
      ];
      for (const group of grouped(integers, lanes)) {
        group.forEach((x, l) => {
          wasm.setWords(OUT, l, k.putWords(WORDS, x));
        });
        expect(k.get(OUT)).toEqual(group);
      }
      const redundant = [...edges, 2n * p - 1n, 2n * p + 1n, exact ? 3n * p - 1n : limit - 1n];
      redundant.push(...range(20).map(() => randomBelow(2n * p)));
      for (const group of grouped(redundant, lanes)) {
        k.put(A, group);
        group.forEach((x, l) => {
          k.putWords(WORDS, 0n);
          wasm.getWords(WORDS, A, l);
          expect(k.getWords(WORDS)).toBe(x % p);
        });
        expect(k.get(A)).toEqual(group);
      }
    });

    it("converts to Montgomery form and back", () => {
      const values = range(lanes).map(() => randomBelow(p));
      values.forEach((x, l) => {
        wasm.setWords(A, l, k.putWords(WORDS, x));
      });
      wasm.mul(A, A, wasm.rSquared());
      k.get(A).forEach((x, l) => {
        expect((x - values[l]! * R) % p).toBe(0n);
      });
      wasm.mul(A, A, k.put(B, one));
      values.forEach((x, l) => {
        wasm.getWords(WORDS, A, l);
        expect(k.getWords(WORDS)).toBe(x);
      });
    });

    it("selects table entries by a scan of the whole row", () => {
      const [entries, elements, entryBytes] = [5, 2, wasm.entryBytes()];
      const table = range(entries).map(() => range(elements).map(() => randomBelow(limit)));
      table.forEach((entry, e) => {
        entry.forEach((x, n) => {
          // Only the stored lane may count.
          const lane = (e + n) % lanes;
          k.put(
            A,
            range(lanes).map((l) => (l === lane ? x : randomBelow(limit))),
          );
          const address = ROW + (e * elements + n) * entryBytes;
          wasm.storeEntry(address, A, lane);
          for (const l of range(lanes)) {
            k.put(OUT, zero);
            wasm.loadEntryUnsafe(OUT, l, address);
            expect(k.get(OUT)).toEqual(range(lanes).map((other) => (other === l ? x : 0n)));
          }
        });
      });
      // Index `entries` and beyond select nothing.
      for (const first of range(entries + 2)) {
        const indices = range(lanes).map((l) => (first + 3 * l) % (entries + 2));
        wasm.selectionMasks(MASKS, k.putIndices(WORDS, indices), entries);
        for (const n of range(elements)) k.put(OUT + n * bytes, zero);
        wasm.scanRow(OUT, ROW, entries, elements, MASKS);
        for (const n of range(elements))
          expect(k.get(OUT + n * bytes)).toEqual(indices.map((i) => table[i]?.[n] ?? 0n));
      }
    });
  },
);
