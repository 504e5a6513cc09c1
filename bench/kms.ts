/**
 * `npm run bench:kms`: users a second that a KMS issues keys to, end to end, beside the BigInt twin. Rows of one core run
 * in a process that is kept to one. Options: --json, --users N, --rounds N, --out FILE.
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { systemRandom } from "../base/random.ts";
import { table } from "../cli/terminal/output.ts";
import { VERSION } from "../cli/terminal/version.ts";
import * as eccsi from "../test/crypto/reference/eccsi.ts";
import { randomBelow } from "../test/crypto/reference/field.ts";
import { P256 } from "../test/crypto/reference/params.ts";
import * as sakke from "../test/crypto/reference/sakke.ts";
import { type KmsPoint, measureIssue, type Place } from "./kms/runs.ts";
import { machine, runtime } from "./machine.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    users: { type: "string", default: "10000" },
    rounds: { type: "string", default: "3" },
    out: { type: "string" },
    /** Only the rows of one core, as JSON: how this program calls itself. */
    one: { type: "boolean", default: false },
  },
});
const [users, rounds] = [Number(values.users), Number(values.rounds)];
const databases: readonly Place[] = ["none", "pglite", "postgresql"];
const progress = (text: string) => process.stderr.write(`${text}\n`);
const TITLES: Record<Place, string> = { none: "arithmetic only", pglite: "PGlite", postgresql: "PostgreSQL" };

/** Users a second of the BigInt twin, on one core. */
function measureTwin(): number {
  const { z } = sakke.setUpKms(systemRandom);
  const draw = () => 1n + randomBelow(P256.q - 1n, systemRandom);
  const ksak = draw();
  let best = Infinity;
  for (let i = 0; i < 10; i++) {
    const id = systemRandom(32);
    const started = performance.now();
    sakke.issueRsk(z, id);
    eccsi.issueSigningKey(ksak, id, draw());
    best = Math.min(best, performance.now() - started);
  }
  return Number((1000 / best).toFixed(1));
}

/** The rows of one core, from a process that has no other; none where the system has no `taskset`. */
function measureOnOneCore(): KmsPoint[] {
  const self = [...process.execArgv, fileURLToPath(import.meta.url)];
  const options = ["--one", "--users", String(users), "--rounds", String(rounds)];
  const run = spawnSync("taskset", ["-c", "0", process.execPath, ...self, ...options], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return run.status === 0 ? JSON.parse(run.stdout) : [];
}

if (values.one) {
  const points = await measureIssue({ cores: 1, workers: [0, 1], databases, users, rounds, progress });
  process.stdout.write(JSON.stringify(points));
} else {
  const before = machine();
  const twin = measureTwin();
  const points = [
    ...measureOnOneCore(),
    ...(await measureIssue({ cores: before.cores, workers: [0, 1, 2], databases, users, rounds, progress })),
  ];
  const report = {
    schema: 1,
    date: new Date().toISOString(),
    version: VERSION,
    machine: before,
    runtime: runtime(),
    /** Users a second. */
    bigint: twin,
    points,
  };
  const json = `${JSON.stringify(report, null, 2)}\n`;
  if (values.out !== undefined) writeFileSync(values.out, json);
  const text = table([
    ["kept in", "XML", "cores", "workers", "users/s", "times BigInt", "CPU ms a user"],
    ["BigInt twin, nowhere", "no", "1", "0", String(twin), "1", (1000 / twin).toFixed(1)],
    ...points.map((p) => [
      TITLES[p.database],
      p.xml ? "yes" : "no",
      String(p.cores),
      String(p.workers),
      String(p.usersPerSecond),
      (p.usersPerSecond / twin).toFixed(0),
      String(p.processorMs),
    ]),
  ]);
  process.stdout.write(values.json ? json : `${text.join("\n")}\n`);
}
