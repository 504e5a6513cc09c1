/**
 * `npm run bench:operations`: what each row is made of, and how much of its time that explains. Counts come from a core with
 * counters, times of single steps and of rows from the shipped sources, in one run. Options: --build fma|simd, --out FILE.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Build } from "../bindings/core/core.ts";
import { load } from "../bindings/index.ts";
import { ROW_TITLES } from "../cli/bench/row.ts";
import { rounded, sample, timing } from "../cli/bench/sampling.ts";
import { World } from "../cli/bench/world.ts";
import { table } from "../cli/terminal/output.ts";
import { VERSION } from "../cli/terminal/version.ts";
import { compileAssembly } from "./compile.ts";
import { countRows, rowsOf } from "./counts/arithmetic.ts";
import { Kernel, type Part } from "./kernel.ts";
import { machine, runtime } from "./machine.ts";
import { TALLIES, type Tallies, type Tally } from "./tallies.ts";

const ROUNDS = 8;
/** Ms a row or step and round. */
const BUDGET = 40;
/** Steps a call. */
const STEPS = 100;
/** Bits of a window of the tables for senders. */
const WINDOW = 7;

/** Which timed step stands for a counter, and how many of what is counted one such step is. */
const COST: Record<Tally, readonly [part: Part, part256: Part, count: number]> = {
  multiply: ["multiply", "multiply256", 1],
  square: ["square", "square256", 1],
  multiplyTwice: ["multiplyTwice", "multiply256", 1],
  addOrSubtract: ["addAndSubtract", "addAndSubtract256", 2],
  // A row of points of SAKKE; those of P-256 have a quarter of the octets.
  scannedElements: ["scan", "scan", 2 << (WINDOW - 1)],
  invert: ["invert", "invert256", 1],
  multiplyScalars: ["multiplyScalars", "multiplyScalars256", 1],
};
const P256_SCAN = 0.25;

const { values } = parseArgs({
  options: { build: { type: "string", default: "auto" }, out: { type: "string" } },
});

const core = await load({ build: values.build as Build | "auto" });
const { build } = core;
const counts = await countRows(build);
const world = new World(core);
const rows = await rowsOf(world);
const kernel = await Kernel.load(await compileAssembly("assembly/bench.ts", build));
const parts = Object.entries(kernel.parts(STEPS, WINDOW)) as [Part, () => void][];
const partTimes = new Map(parts.map(([part]) => [part, Infinity]));
const rowTimes = new Map(rows.map(({ name }) => [name, Infinity]));
for (let round = 0; round < ROUNDS; round++) {
  process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`);
  for (const [part, run] of parts) {
    const { best } = timing(await sample({ name: "field.multiply", operations: STEPS, run }, BUDGET));
    partTimes.set(part, Math.min(partTimes.get(part)!, best));
  }
  for (const row of rows) {
    const { best } = timing(await sample(row, BUDGET));
    rowTimes.set(row.name, Math.min(rowTimes.get(row.name)!, best));
  }
}

/** Microseconds an operation that the counts of each kind explain. */
function explain(tallies: Tallies, operations: number): Record<Tally, number> {
  const costs = TALLIES.map((tally) => {
    const [part, part256, count] = COST[tally];
    const own = (tallies.sakke[tally] * partTimes.get(part)!) / count;
    const factor = tally === "scannedElements" ? P256_SCAN : tally === "multiplyTwice" ? 2 : 1;
    const other = (factor * tallies.p256[tally] * partTimes.get(part256)!) / count;
    return [tally, (own + other) / operations];
  });
  return Object.fromEntries(costs) as Record<Tally, number>;
}

const results = rows.map(({ name, operations }) => {
  const tallies = counts.get(name)!;
  const explained = explain(tallies, operations);
  const expected = Object.values(explained).reduce((sum, us) => sum + us, 0);
  const each = (field: "sakke" | "p256") =>
    Object.fromEntries(TALLIES.map((tally) => [tally, rounded(tallies[field][tally] / operations)]));
  return {
    name,
    title: ROW_TITLES[name],
    operations,
    sakke: each("sakke"),
    p256: each("p256"),
    explained: Object.fromEntries(TALLIES.map((tally) => [tally, rounded(explained[tally])])),
    expected: rounded(expected),
    measured: rounded(rowTimes.get(name)!),
  };
});
const report = {
  schema: 1,
  date: new Date().toISOString(),
  version: VERSION,
  machine: machine(),
  runtime: runtime(),
  build,
  lanes: kernel.lanes,
  /** Microseconds of one step: of a whole vector where it works on vectors. */
  parts: Object.fromEntries(Array.from(partTimes, ([part, us]) => [part, rounded(us)])),
  rows: results,
};
if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(report, null, 2)}\n`);
const lines = table([
  ["operation", "M", "S", "2M", "M256", "S256", "expected us", "measured us", "explained %"],
  ...results.map(({ name, sakke, p256, expected, measured }) => [
    ROW_TITLES[name],
    ...[sakke.multiply, sakke.square, sakke.multiplyTwice, p256.multiply, p256.square].map(String),
    String(expected),
    String(measured),
    ((100 * expected) / measured).toFixed(0),
  ]),
]);
process.stdout.write(`${lines.join("\n")}\n${JSON.stringify(report.parts)}\n`);
