/**
 * The core with counters in its arithmetic: the shipped sources, changed while they are compiled. It counts for real what the
 * rows do, so that docs/performance.md need not trust formulas. Node only.
 */
import type { Build, Core } from "../bindings/core/core.ts";
import { load } from "../bindings/index.ts";
import { compileAssembly } from "./compile.ts";

/** What is counted, by the place of its counter. The first of each pair is mod p or q of SAKKE, the other of P-256. */
export const TALLIES = [
  "multiply",
  "square",
  "multiplyTwice",
  "addOrSubtract",
  "scannedElements",
  "invert",
  "multiplyScalars",
] as const;

export type Tally = (typeof TALLIES)[number];

/** Vector operations of the SAKKE field and of P-256; for scalars and inversions, single ones. */
export interface Tallies {
  readonly sakke: Readonly<Record<Tally, number>>;
  readonly p256: Readonly<Record<Tally, number>>;
}

const TALLY_SOURCE = `
const COUNTERS: usize = memory.data(256);
export function tally(index: i32, amount: i32): void {
  store<u32>(COUNTERS + (<usize>index << 2), load<u32>(COUNTERS + (<usize>index << 2)) + amount);
}
export function tallies(): usize { return COUNTERS; }
`;

/** Functions to count in, with the counter and the amount; the last tells the fields apart. */
const FIELD = "isFp<F>()";
const PLACES: Record<string, readonly [pattern: RegExp, tally: Tally, amount: string, sakke: string][]> = {
  "assembly/field.ts": [
    [/export function mul<F>\(.*\{/, "multiply", "1", FIELD],
    [/export function sqr<F>\(.*\{/, "square", "1", FIELD],
    [/export function mulMinus\(.*\{/, "multiply", "1", "true"],
    [/export function sqrMinusBoth\(.*\{/, "square", "1", "true"],
    [/export function mulAddMul<F>\(.*\{/, "multiplyTwice", "1", FIELD],
    [/export function add<F>\(.*\{/, "addOrSubtract", "1", FIELD],
    [/export function sub<F>\(.*\{/, "addOrSubtract", "1", FIELD],
    [/export function tripleSum\(.*\{/, "addOrSubtract", "1", "false"],
    [/export function minusTwice\(.*\{/, "addOrSubtract", "1", "false"],
    [/export function twiceDifference\(.*\{/, "addOrSubtract", "1", "false"],
    [/export function scanRow<F>\(.*\{/, "scannedElements", "entries * elements", FIELD],
    // Elsewhere it is a scanRow.
    [/kernel\.fp\.entryMasks\(.*;/, "scannedElements", "entries * elements / lanes()", FIELD],
  ],
  "assembly/inverse.ts": [[/export function inverseMod\(.*\{/, "invert", "1", "wordsOf(modulus) == 32"]],
  "assembly/scalar.ts": [
    [/export function montgomeryMul\(.*\{/, "multiplyScalars", "1", "wordsOf(modulus) == 32"],
  ],
};

const ENTRY = "assembly/counted.ts";
const TALLY = "assembly/tally.ts";

function withTallies(path: string, text: string | undefined): string | undefined {
  if (path === ENTRY) return 'export * from "./index"; export { tallies } from "./tally";';
  if (path === TALLY) return TALLY_SOURCE;
  const places = PLACES[path];
  if (places === undefined || text === undefined) return undefined;
  let changed = `import { tally } from "./tally";\n${text}`;
  for (const [pattern, name, amount, sakke] of places) {
    if (!pattern.test(changed)) throw new Error(`${path}: nothing matches ${pattern}`);
    const index = `${2 * TALLIES.indexOf(name)} + (${sakke} ? 0 : 1)`;
    changed = changed.replace(pattern, (head) => `${head}\n  tally(${index}, ${amount});`);
  }
  return changed;
}

export interface CountingCore {
  readonly core: Core;
  /** Counts since the last call. */
  take(): Tallies;
}

export async function loadCounting(build: Build): Promise<CountingCore> {
  // The first `load` turns on relaxed SIMD where a host has it behind a flag.
  (await load({ build })).destroy();
  const binary = await compileAssembly(ENTRY, build, withTallies);
  const core = await load({ module: await WebAssembly.compile(binary as BufferSource) });
  const { tallies } = core.wasm as unknown as { tallies(): number };
  const zero = new Uint8Array(8 * TALLIES.length);
  return {
    core,
    take() {
      const counters = new Uint32Array(core.read(tallies(), zero.length).buffer);
      core.write(tallies(), zero);
      const of = (offset: number) =>
        Object.fromEntries(TALLIES.map((name, i) => [name, counters[2 * i + offset]!])) as Record<
          Tally,
          number
        >;
      return { sakke: of(0), p256: of(1) };
    },
  };
}
