/**
 * Tests what a build with assertions traps on: broken bounds, and slots with two owners. The builds of the package do
 * not.
 */
import { describe, expect, it } from "vitest";
import { compileAssembly } from "../../../bench/compile.ts";
import { load } from "../../../bindings/core/core.ts";
import { KmsMaster } from "../../../bindings/kms.ts";
import { toOctets } from "../reference/field.ts";
import { P256, SAKKE } from "../reference/params.ts";
import { Kernel, type KernelKind } from "./kernel.ts";

const FP = { field: "Fp", p: SAKKE.p, words: 32 } as const;
const FIELD_256 = { field: "P256", p: P256.p, words: 8 } as const;
const KINDS: readonly (KernelKind & { products: bigint; canonical: bigint })[] = [
  { ...FP, build: "fma", file: "fma/field.ts", limbs: 20, width: 52, products: 76_000n, canonical: 3n },
  { ...FP, build: "simd", file: "simd/field.ts", limbs: 37, width: 28, products: 15_000n, canonical: 4n },
];
const KINDS_256: readonly KernelKind[] = [
  { ...FIELD_256, build: "fma", file: "fma/p256.ts", limbs: 5, width: 52 },
  { ...FIELD_256, build: "simd", file: "simd/p256.ts", limbs: 10, width: 28 },
];

const TRAP = WebAssembly.RuntimeError;

describe.each(KINDS)("$file with assertions", (kind) => {
  const { p, products, canonical } = kind;

  it("accepts operands up to their bounds, and traps on greater ones", async () => {
    const k = await Kernel.load(kind, `debug-${kind.build}`);
    const released = await Kernel.load(kind);
    const [A, B, OUT] = [k.slot(0), k.slot(1), k.slot(2)] as const;
    const all = (x: bigint) => Array.from({ length: k.lanes }, () => x);
    const last = (x: bigint) => all(1n).with(-1, x);
    const cases: [string, good: bigint[], bad: bigint[], run: (k: Kernel) => void][] = [
      [
        "a product",
        last((products / 100n) * p),
        last((products / 100n + 2n) * p),
        (c) => c.wasm.mul(OUT, A, B),
      ],
      ["a sum", all(k.R - 101n * p), last(k.R - 99n * p), (c) => c.wasm.add(OUT, A, B)],
      // Level 0 adds 3 p, and B is the subtrahend.
      ["a minuend", all(k.R - 4n * p), last(k.R - 2n * p), (c) => c.wasm.sub(OUT, A, c.put(B, all(0n)), 0)],
      [
        "a subtrahend",
        all(3n * p),
        last(3n * p + (p >> 20n)),
        (c) => c.wasm.sub(OUT, c.put(B, all(0n)), A, 0),
      ],
      ["three times", all(k.R / 3n - p), last(k.R / 3n + p), (c) => c.wasm.triple(OUT, A)],
      ["eight times", all(k.R / 8n - p), last(k.R / 8n + p), (c) => c.wasm.shiftLeft(OUT, A, 3)],
      [
        "a canonical value",
        all(canonical * p - 1n),
        all(canonical * p + (p >> 20n)),
        (c) => c.wasm.getWords(OUT, A, 0),
      ],
    ];
    for (const [name, good, bad, run] of cases) {
      const set = (c: Kernel, values: bigint[]) => {
        c.put(A, values);
        c.put(B, all(100n * p));
      };
      set(k, good);
      expect(() => run(k), `${name}, at its bound`).not.toThrow();
      set(k, bad);
      expect(() => run(k), `${name}, above its bound`).toThrow(TRAP);
      set(released, bad);
      expect(() => run(released), `${name}, in the package`).not.toThrow();
    }
  });
});

describe("the fused subtractions of fma/field.ts with assertions", () => {
  it("take subtrahends up to their multiples of p, and trap on greater ones", async () => {
    const [kind] = KINDS;
    const { p } = kind!;
    const k = await Kernel.load(kind!, "debug-fma");
    const [A, B, C, D, OUT] = [k.slot(0), k.slot(1), k.slot(2), k.slot(3), k.slot(4)] as const;
    const last = (x: bigint) => [0n, x];
    const over = p >> 20n;
    k.put(A, [0n, 0n]);
    // Level 0 adds 3 p, level 1 adds 5 p.
    const minus = (c: bigint) => () => k.wasm.mulMinus(OUT, A, A, k.put(B, last(c)), 0);
    expect(minus(3n * p)).not.toThrow();
    expect(minus(3n * p + over)).toThrow(TRAP);
    const both = (a: bigint, b: bigint, level: number) => () =>
      k.wasm.sqrMinusBoth(OUT, A, k.put(B, last(a)), k.put(C, last(b)), level, D);
    expect(both(p, 2n * p, 0)).not.toThrow();
    expect(both(p, 2n * p + over, 0)).toThrow(TRAP);
    expect(both(9n * p, 9n * p, 4)).not.toThrow();
    expect(both(9n * p, 9n * p + over, 4)).toThrow(TRAP);
  });
});

it("pairs of lanes that differ are a trap where the SIMD build computes one of them", async () => {
  const k = await Kernel.load(KINDS[1]!, "debug-simd");
  const [A, B, C, OUT] = [k.slot(0), k.slot(1), k.slot(2), k.slot(3)] as const;
  k.put(A, [1n, 2n, 1n, 2n]);
  k.put(C, [3n, 4n, 3n, 4n]);
  for (const [values, trap] of [
    [[5n, 6n, 5n, 6n], false],
    [[5n, 6n, 7n, 6n], true],
    [[5n, 6n, 5n, 7n], true],
  ] as const) {
    k.put(B, values);
    const calls = [
      () => k.wasm.mulPair(OUT, A, B),
      () => k.wasm.sqrPair(OUT, B),
      () => k.wasm.mulAddMulPair(OUT, A, C, B, C),
    ];
    for (const call of calls) {
      if (trap) expect(call).toThrow(TRAP);
      else expect(call).not.toThrow();
    }
  }
});

describe.each([...KINDS, ...KINDS_256])("the input checks of $file with assertions", (kind) => {
  it("trap on a limb out of range, and on a value that is not legal", async () => {
    const k = await Kernel.load(kind, `debug-${kind.build}`);
    const [A, OUT] = [k.slot(0), k.slot(2)] as const;
    const ones = Array.from({ length: k.lanes }, () => 1n);
    k.put(A, ones);
    expect(() => k.wasm.mul(OUT, A, A)).not.toThrow();
    for (const limb of kind.width === 52 ? [2 ** 52, -1, 0.5, -0, Number.NaN] : [2 ** 28, 2 ** 31]) {
      k.put(A, ones);
      k.putLimb(A, 1, k.lanes - 1, limb);
      expect(() => k.wasm.mul(OUT, A, A), String(limb)).toThrow(TRAP);
    }
    if (kind.field === "P256") {
      expect(() => k.wasm.add(OUT, k.put(A, ones.with(0, (1n << 257n) + (1n << 240n))), A)).toThrow(TRAP);
    }
  });
});

/** Makes the master key of a KMS, whose public key is a sum of points of a table. */
async function sumsPoints(
  target: "fma" | "debug-fma" | "debug-simd",
  path: string,
  from: string,
  to: string,
) {
  (await load()).destroy();
  let found = false;
  const binary = await compileAssembly("assembly/index.ts", target, (name, text) => {
    if (name !== path || text === undefined) return undefined;
    found = text.includes(from);
    return text.replace(from, to);
  });
  expect(found, `${path} has ${from}`).toBe(true);
  const core = await load({ module: await WebAssembly.compile(binary as BufferSource) });
  const secrets = { z: new Uint8Array(128).fill(7, 100), ksak: new Uint8Array(32).fill(5) };
  return () => KmsMaster.load(core, secrets).zt;
}

describe.each(["debug-fma", "debug-simd"] as const)("the %s build", (target) => {
  it("traps on a slot with two owners", async () => {
    const [path, slots] = ["assembly/scratch.ts", "enum Shared { PRODUCT = 4"] as const;
    expect(await sumsPoints(target, path, slots, slots)).not.toThrow();
    // The words of the inversion, while the product of all is inverted.
    expect(await sumsPoints(target, path, slots, "enum Shared { PRODUCT = 3")).toThrow(TRAP);
  });

  it("keeps the master secret out of sums that need no complete additions", async () => {
    (await load()).destroy();
    const binary = await compileAssembly("assembly/index.ts", target);
    const core = await load({ module: await WebAssembly.compile(binary as BufferSource) });
    const z = SAKKE.q - 5n;
    const issuer = KmsMaster.load(core, { z: toOctets(z, 128), ksak: new Uint8Array(32).fill(5) });
    // a + z = 0 mod q, whose sum is the neutral element.
    expect(() => issuer.issueBatch([toOctets(5n, 128)])).toThrow(expect.objectContaining({ code: "NO_KEY" }));
  });

  it("traps on a formula that subtracts more than its multiple of p", async () => {
    // Y' = ... - 8 gamma^2, below 18 p: 3 p are not enough.
    const [path, formula] = ["assembly/jacobian.ts", "sub<F>(t, t, u, 5);\n  evenOdd<F>(ZY()"] as const;
    expect(await sumsPoints(target, path, formula, formula.replace("5", "0"))).toThrow(TRAP);
  });
});
