/**
 * `npm run bench:counts`: writes docs/results/counts.json, which test/package/bench/counts.test.ts holds the code to, and
 * prints what has changed in it.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { table } from "../cli/terminal/output.ts";
import { ROOT } from "./compile.ts";
import { type Counts, changes, measureCounts } from "./counts/counts.ts";

const FILE = join(ROOT, "docs/results/counts.json");

const counts = await measureCounts();
const recorded = existsSync(FILE) ? (JSON.parse(readFileSync(FILE, "utf8")) as Counts) : undefined;
writeFileSync(FILE, `${JSON.stringify(counts, null, 2)}\n`);
const changed = changes(recorded, counts);
const rows = changed.map(({ name, recorded, counted }) => [name, String(recorded), String(counted)]);
process.stdout.write(
  changed.length === 0
    ? "nothing has changed\n"
    : `${table([["count", "recorded", "now"], ...rows]).join("\n")}\n`,
);
// The database in memory has no end of its own.
process.exit();
