/** `npm run bench`: every operation beside the BigInt baseline in one run. Options: --json, --quick, --out FILE. */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { VERSION } from "../cli/terminal/version.ts";
import { compileAssembly } from "./compile.ts";
import { machine, runtime } from "./machine.ts";
import { measureNative } from "./native.ts";
import { type Report, reportRows, reportText } from "./report.ts";
import { FULL, QUICK, runSuite } from "./suite.ts";
import { measureWorkers } from "./workers.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    out: { type: "string" },
  },
});

const progress = (text: string) => process.stderr.write(`${text}\n`);

async function run(quick: boolean): Promise<Report> {
  const before = machine();
  const effort = quick ? QUICK : FULL;
  const suite = await runSuite((build) => compileAssembly("assembly/bench.ts", build), effort, progress);
  progress("workers");
  const workers = await measureWorkers(effort.receivers, effort.poolRounds);
  progress("native");
  const native = measureNative(effort.rounds, effort.budget);
  return {
    schema: 1,
    date: new Date().toISOString(),
    version: VERSION,
    quick,
    machine: before,
    runtime: runtime(),
    build: suite.build,
    rows: reportRows(suite.samples, native.rows),
    start: suite.start,
    preparedBytes: suite.preparedBytes,
    batches: suite.batches,
    workers: workers.points,
    notes: [...suite.notes, ...workers.notes, ...native.notes],
  };
}

const report = await run(values.quick);
const json = `${JSON.stringify(report, null, 2)}\n`;
if (values.out !== undefined) writeFileSync(values.out, json);
process.stdout.write(values.json ? json : `${reportText(report).join("\n")}\n`);
