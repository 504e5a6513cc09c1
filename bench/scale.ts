/**
 * `npm run bench:scale`: what the statements of a GMS cost on PostgreSQL, from a thousand members to a million and up to
 * 100,000 running rekeys. Options: --json, --out FILE, --largest MEMBERS. `npm run bench:report` makes table and plot of
 * docs/capacity.md from the file.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { table } from "../cli/terminal/output.ts";
import { VERSION } from "../cli/terminal/version.ts";
import { startPostgres } from "../test/support/postgres.ts";
import { machine, runtime } from "./machine.ts";
import { measureScale, type ScalePoint } from "./scale/measure.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    largest: { type: "string", default: "1000000" },
    out: { type: "string" },
  },
});
const cluster = await startPostgres();
const points: ScalePoint[] = [];
for (let members = 1000; members <= Number(values.largest); members *= 10) {
  process.stderr.write(`${members} members\n`);
  points.push(await measureScale(cluster, { members, rekeys: members / 10 }));
}
await cluster.stop();
const report = {
  schema: 1,
  date: new Date().toISOString(),
  version: VERSION,
  machine: machine(),
  runtime: runtime(),
  points,
};
const json = `${JSON.stringify(report, null, 2)}\n`;
if (values.out !== undefined) writeFileSync(values.out, json);
const names = points[0]!.costs.map(({ name }) => name);
const sizes = points.map(({ members, rekeys }) => `${members} members, ${rekeys} running`);
const cell = (point: ScalePoint, name: string) => {
  const { ms, processorMs = Number.NaN, rows, walOctets } = point.costs.find((cost) => cost.name === name)!;
  return `${ms.toFixed(1)} ms (${processorMs.toFixed(1)} on a processor), ${rows.toFixed(0)} rows, ${(walOctets / 1024).toFixed(1)} kB`;
};
const lines = table([
  ["statement", ...sizes],
  ...names.map((name) => [name, ...points.map((point) => cell(point, name))]),
  [
    `idle, ${points[0]!.idle.present} present, a second`,
    ...points.map(
      ({ idle }) =>
        `${idle.statements.toFixed(1)} calls, ${idle.rows.toFixed(1)} rows, ${(idle.walOctets / 1024).toFixed(2)} kB`,
    ),
  ],
]);
process.stdout.write(values.json ? json : `${lines.join("\n")}\n`);
process.exit();
