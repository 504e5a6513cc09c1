/**
 * `npm run bench:gms`: how long a rekey takes until every message is sealed and stored, beside the sealing alone in the same
 * run; memory meanwhile; a rekey of a small group in the midst of it, until its members, who are subscribed over SIP,
 * have acknowledged; and the NOTIFYs acknowledged for each second that the main thread works. Options: --json, --members N,
 * --workers N, --rounds N, --out FILE.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { table } from "../cli/terminal/output.ts";
import { VERSION } from "../cli/terminal/version.ts";
import { type GmsPoint, measureRekey } from "./gms/runs.ts";
import { machine, runtime } from "./machine.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    members: { type: "string", default: "10000" },
    workers: { type: "string", default: "2" },
    rounds: { type: "string", default: "3" },
    database: { type: "string", multiple: true, default: ["pglite", "postgresql"] },
    out: { type: "string" },
  },
});
const before = machine();
const options = {
  members: Number(values.members),
  workers: Number(values.workers),
  rounds: Number(values.rounds),
  progress: (text: string) => process.stderr.write(`${text}\n`),
};
const points: GmsPoint[] = [];
for (const database of values.database) {
  points.push(await measureRekey(database as GmsPoint["database"], options));
}
const report = {
  schema: 1,
  date: new Date().toISOString(),
  version: VERSION,
  machine: before,
  runtime: runtime(),
  members: options.members,
  workers: options.workers,
  points,
};
const json = `${JSON.stringify(report, null, 2)}\n`;
if (values.out !== undefined) writeFileSync(values.out, json);
const megabytes = (octets: number) => (octets / 2 ** 20).toFixed(0);
const text = table([
  [
    "kept in",
    "sealing alone s",
    "sealed and stored s",
    "of the rate alone %",
    "planned s",
    "memory before MB",
    "at most MB",
    "after MB",
    "small group acknowledged ms",
    "NOTIFYs/s of the main thread",
  ],
  ...points.map((p) => [
    p.database,
    p.aloneSeconds.toFixed(2),
    p.rekeySeconds.toFixed(2),
    (100 * p.ratio).toFixed(0),
    p.plannedSeconds.toFixed(2),
    megabytes(p.memory.before),
    megabytes(p.memory.most),
    megabytes(p.memory.after),
    p.smallMs.map((ms) => ms.toFixed(0)).join(" "),
    p.notifiesPerSecond.join(" "),
  ]),
]);
process.stdout.write(values.json ? json : `${text.join("\n")}\n`);
process.exit();
