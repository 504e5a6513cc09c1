/** The four field kernels against BigInt, on raw limbs: exact values, bounds, every lane with operands of its own. */
import { describe, expect, it } from "vitest";
import { P256, SAKKE } from "../reference/params.ts";
import { seededRandom } from "../support/random.ts";
import { Kernel, type KernelKind } from "./kernel.ts";

interface Case extends KernelKind {
  /** A product of a and b is below (excess / 1000) p + a b / R, see the head of the module. */
  readonly excess: bigint;
  /** Legal operands are below this. */
  readonly limit: bigint;
  /** Sums and differences are exact, with a multiple of p for each level; else reduced below `limit`. */
  readonly levels: number;
}

const CASES: readonly Case[] = [
  {
    file: "fma/field.ts",
    p: SAKKE.p,
    limbs: 20,
    width: 52,
    words: 32,
    excess: 2000n,
    limit: 1n << 1040n,
    levels: 19,
  },
  {
    file: "fma/p256.ts",
    p: P256.p,
    limbs: 5,
    width: 52,
    words: 8,
    excess: 1001n,
    limit: 1n << 257n,
    levels: 0,
  },
  {
    file: "simd/field.ts",
    p: SAKKE.p,
    limbs: 37,
    width: 28,
    words: 32,
    excess: 1785n,
    limit: 1n << 1036n,
    levels: 19,
  },
  {
    file: "simd/p256.ts",
    p: P256.p,
    limbs: 10,
    width: 28,
    words: 8,
    excess: 1000n,
    limit: 1n << 257n,
    levels: 0,
  },
];

const random = seededRandom("field kernels");

function randomBelow(limit: bigint): bigint {
  let x = 0n;
  for (const octet of random(144)) x = (x << 8n) + BigInt(octet);
  return x % limit;
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Every pair of lists, in groups of `lanes`; a second pass is shifted by one lane. */
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
  "$file",
  ({ k, p, R = k.R, excess, limit, levels, words }) => {
    const { wasm, lanes, bytes } = k;
    const [A, B, C, D, OUT, MASKS, ROW, WORDS] = range(8).map((i) => k.slot(4 * i)) as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const exact = levels > 0;
    const zero = range(lanes).map(() => 0n);

    const edges = [0n, 1n, 2n, p - 1n, p, p + 1n, 2n * p, (1n << BigInt(32 * words)) - 1n];
    /** Pairs of operands whose product stays legal. */
    const pairs: [bigint, bigint][] = edges.flatMap((a) => edges.map((b): [bigint, bigint] => [a, b]));
    pairs.push(
      [limit - 1n, exact ? (limit >> 4n) - 1n : limit - 1n],
      [limit - 1n, 0n],
      [1n, limit - 1n],
      [p - 1n, limit - 1n],
    );
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
      expect([wasm.LIMBS.value, bytes, wasm.MASK_BYTES.value]).toEqual([k.kind.limbs, 16 * k.kind.limbs, 16]);
      expect(lanes).toBe(k.kind.width === 52 ? 2 : 4);
      expect(k.get(wasm.ONE.value)).toEqual(range(lanes).map(() => R % p));
      expect(k.get(wasm.R_SQUARED.value)).toEqual(range(lanes).map(() => (R * R) % p));
    });

    it("multiplies and squares, whatever the output lies over", () => {
      for (const group of groups) {
        const a = group.map((g) => g[0]);
        const b = group.map((g) => g[1]);
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

    it("sums two products with one reduction, whatever the output lies over", () => {
      for (let i = 0; i + 1 < groups.length; i += 2) {
        const [a, b] = [0, 1].map((n) => groups[i]!.map((g) => g[n]!)) as [bigint[], bigint[]];
        // Without operands at the limit in the second product, so that the sum is legal.
        const [c, d] = [0, 1].map((n) => groups[i + 1]!.map((g) => (exact ? g[n]! % (2n * p) : g[n]!))) as [
          bigint[],
          bigint[],
        ];
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

    it("adds", () => {
      for (const group of groups) {
        const [a, b] = [0, 1].map((n) => group.map((g) => (exact ? g[n]! >> 1n : g[n]!))) as [
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

    it("subtracts at every level", () => {
      for (const level of range(Math.max(levels, 1))) {
        wasm.sub(OUT, k.put(A, zero), k.put(B, zero), level);
        const multiple = k.get(OUT)[0]!;
        expect(multiple % p).toBe(0n);
        // Operands up to the largest legal ones: b <= K p, and a - b + K p < limit.
        const top: [bigint, bigint][] = exact
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
          const [a, b] = [0, 1].map((n) => group.map((g) => g[n]!)) as [bigint[], bigint[]];
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

    it("moves lanes", () => {
      const [a, b] = [0, 1].map(() => range(lanes).map(() => randomBelow(limit))) as [bigint[], bigint[]];
      for (const out of [OUT, A]) {
        wasm.swapPairs(out, k.put(A, a));
        expect(k.get(out)).toEqual(range(lanes).map((l) => a[l ^ 1]));
      }
      for (const lane of range(lanes)) {
        wasm.broadcast(OUT, k.put(A, a), lane);
        expect(k.get(OUT)).toEqual(range(lanes).map(() => a[lane]));
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
      const redundant = [...edges, 2n * p - 1n, 2n * p + 1n, 3n * p - 1n, limit - 1n];
      for (const group of grouped(
        [...redundant.filter((x) => x < 3n * p && x < limit), ...range(20).map(() => randomBelow(2n * p))],
        lanes,
      )) {
        k.put(A, group);
        group.forEach((x, l) => {
          k.putWords(WORDS, 0n);
          wasm.getWords(WORDS, A, l);
          expect(k.getWords(WORDS)).toBe(x % p);
        });
        expect(k.get(A)).toEqual(group);
      }
    });

    it("goes to Montgomery form and back", () => {
      const values = range(lanes).map(() => randomBelow(p));
      values.forEach((x, l) => {
        wasm.setWords(A, l, k.putWords(WORDS, x));
      });
      wasm.mul(A, A, wasm.R_SQUARED.value);
      k.get(A).forEach((x, l) => {
        expect((x - values[l]! * R) % p).toBe(0n);
      });
      wasm.mul(
        A,
        A,
        k.put(
          B,
          zero.map(() => 1n),
        ),
      );
      values.forEach((x, l) => {
        wasm.getWords(WORDS, A, l);
        expect(k.getWords(WORDS)).toBe(x);
      });
    });

    it("selects table entries by a scan of the whole row", () => {
      const [entries, elements, entryBytes] = [5, 2, wasm.ENTRY_BYTES.value];
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
          wasm.loadEntry(OUT, address);
          expect(k.get(OUT)).toEqual(range(lanes).map(() => x));
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
