/**
 * `npm run bench:windows`: why the tables have the windows they have. Time of an operation, of the table, and its memory for
 * each width. Options: --build fma|simd, --out FILE.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Build, type Core, load } from "../bindings/core/core.ts";
import { systemRandom } from "../bindings/index.ts";
import { BATCH } from "../cli/bench/row.ts";
import { rounded, sample, timing } from "../cli/bench/sampling.ts";
import { table } from "../cli/terminal/output.ts";
import { VERSION } from "../cli/terminal/version.ts";
import { machine, runtime } from "./machine.ts";

const ROUNDS = 6;
/** Ms a width and round. */
const BUDGET = 60;

const { values } = parseArgs({
  options: { build: { type: "string", default: "auto" }, out: { type: "string" } },
});

interface Candidate {
  readonly use: string;
  readonly width: number;
  /** Octets of all tables of the use. */
  readonly bytes: number;
  readonly operations: number;
  readonly build: () => void;
  readonly run: () => void;
}

/** A block of random octets. */
function filled(core: Core, bytes: number): number {
  const at = core.arena.alloc(bytes);
  core.write(at, systemRandom(bytes));
  return at;
}

/** A sender's tables of P, Z_T and g. The generator stands in for Z_T. */
function sender(core: Core, width: number): Candidate {
  const { wasm, arena } = core;
  const bytes = wasm.sakkeTableBytes(width);
  const [p, z, g] = [arena.alloc(bytes), arena.alloc(bytes), arena.alloc(wasm.sakkePowersBytes(width))];
  const [tableScratch, powersScratch] = [
    arena.alloc(wasm.sakkeTableScratch(width)),
    arena.alloc(wasm.sakkePowersScratch(width)),
  ];
  const build = () => {
    wasm.sakkeTable(p, width, 0, tableScratch);
    wasm.sakkeTable(z, width, 0, tableScratch);
    wasm.sakkePowers(g, width, powersScratch);
  };
  build();
  const [input, output, status] = [filled(core, BATCH * 256), arena.alloc(BATCH * 384), arena.alloc(BATCH)];
  const scratch = arena.alloc(wasm.sakkeEncapsulateScratch(p, z, BATCH));
  return {
    use: "encapsulate, batch of 64",
    width,
    bytes: 2 * bytes + wasm.sakkePowersBytes(width),
    operations: BATCH,
    build,
    run: () => wasm.sakkeEncapsulate(p, z, g, BATCH, input, output, status, scratch),
  };
}

/** A receiver's table of T, for the check of R. */
function receiver(core: Core, width: number): Candidate {
  const { wasm, arena } = core;
  const t = arena.alloc(wasm.sakkeTableBytes(width));
  const tableScratch = arena.alloc(wasm.sakkeTableScratch(width));
  const build = () => void wasm.sakkeTable(t, width, 0, tableScratch);
  build();
  const [input, output] = [filled(core, 256), arena.alloc(256)];
  const scratch = arena.alloc(wasm.sakkePointScratch(t, 0));
  return {
    use: "check of R",
    width,
    bytes: wasm.sakkeTableBytes(width),
    operations: 1,
    build,
    run: () => void wasm.sakkePoint(output, 0, 0, t, input, scratch),
  };
}

/** A signer's table of G. */
function signer(core: Core, width: number): Candidate {
  const { wasm, arena } = core;
  const g = arena.alloc(wasm.eccsiTableBytes(width));
  const tableScratch = arena.alloc(wasm.eccsiTableScratch(width));
  const build = () => void wasm.eccsiTable(g, width, 0, tableScratch);
  build();
  const [input, output, status] = [filled(core, BATCH * 32), arena.alloc(BATCH * 64), arena.alloc(BATCH)];
  const scratch = arena.alloc(wasm.eccsiMultiplyBaseScratch(g, BATCH));
  return {
    use: "[j]G of a signature, batch of 64",
    width,
    bytes: wasm.eccsiTableBytes(width),
    operations: BATCH,
    build,
    run: () => wasm.eccsiMultiplyBase(g, BATCH, input, output, status, scratch),
  };
}

const core = await load({ build: values.build as Build | "auto" });
const candidates = [
  ...[5, 6, 7, 8].map((width) => sender(core, width)),
  ...[4, 5, 6, 7].map((width) => receiver(core, width)),
  ...[4, 5, 6, 7, 8].map((width) => signer(core, width)),
];
const run = candidates.map(() => Infinity);
const build = candidates.map(() => Infinity);
for (let round = 0; round < ROUNDS; round++) {
  for (const [i, { operations, run: work, build: fill }] of candidates.entries()) {
    const once = timing(await sample({ name: "field.multiply", operations, run: work }, BUDGET));
    run[i] = Math.min(run[i]!, once.best);
    const started = performance.now();
    fill();
    build[i] = Math.min(build[i]!, performance.now() - started);
  }
}
const report = {
  schema: 1,
  date: new Date().toISOString(),
  version: VERSION,
  machine: machine(),
  runtime: runtime(),
  build: core.build,
  widths: candidates.map(({ use, width, bytes }, i) => ({
    use,
    width,
    us: rounded(run[i]!),
    tableMs: rounded(build[i]!),
    tableBytes: bytes,
  })),
};
if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(report, null, 2)}\n`);
const lines = table([
  ["use", "window", "us", "tables ms", "tables kB"],
  ...report.widths.map(({ use, width, us, tableMs, tableBytes }) => [
    use,
    String(width),
    String(us),
    String(tableMs),
    (tableBytes / 1024).toFixed(0),
  ]),
]);
process.stdout.write(`${lines.join("\n")}\n`);
