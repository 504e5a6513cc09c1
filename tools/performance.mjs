// Fills docs/performance.md, docs/constant-time.md and docs/capacity.md from docs/results/*.json, and draws docs/plots/*.svg:
//   npm run -s bench -- --out docs/results/node20.json            the main table, batches, workers
//   npm run -s bench -- --out docs/results/nodeNN.json            the same under other versions of Node.js
//   npm run -s bench:browser -- --out docs/results/chromium.json
//   npm run -s bench -- --out docs/results/libraries-node20.json  the table of other libraries; libraries-chromium.json likewise
//   npm run -s bench:operations -- --out docs/results/operations.json
//   npm run -s bench:windows -- --out docs/results/windows.json
//   npm run -s bench:counts                                       counts of operations, in docs/results/counts.json
//   npm run -s bench:ct -- --out docs/results/constant-time.json
//   npm run -s bench:scale -- --out docs/results/scale.json
//   npm run bench:report
// What has no result keeps the text it has. A file may begin with lines of npm before its "{".
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { batchPlot, scalePlot, workersPlot } from "./performance/plots.mjs";
import * as tables from "./performance/tables.mjs";

const docs = fileURLToPath(new URL("../docs/", import.meta.url));
const MAIN = "node20";

function readResult(name) {
  const path = join(docs, "results", `${name}.json`);
  if (!existsSync(path)) return undefined;
  const text = readFileSync(path, "utf8");
  return JSON.parse(text.slice(text.indexOf("{")));
}

/** Reports of `npm run bench` by name, that of the main table first. */
function readReports(pattern, first) {
  const names = readdirSync(join(docs, "results"))
    .filter((name) => pattern.test(name))
    .map((name) => name.replace(/\.json$/, ""));
  const ordered = [
    ...names.filter((name) => name === first),
    ...names.filter((name) => name !== first).sort(),
  ];
  return ordered.map((name) => [name, readResult(name)]);
}

/** Puts `content` between the comments that bear `name`. */
function fill(text, name, content) {
  if (content === undefined) return text;
  const pattern = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`);
  if (!pattern.test(text)) throw new Error(`no place for ${name}`);
  return text.replace(pattern, (_, before, after) => `${before}${content}\n${after}`);
}

function fillDocument(name, contents) {
  const path = join(docs, name);
  let text = readFileSync(path, "utf8");
  for (const [place, content] of Object.entries(contents)) text = fill(text, place, content);
  writeFileSync(path, text);
}

const reports = readReports(/^(node\d+|chromium)\.json$/, MAIN);
const libraries = readReports(/^libraries-.+\.json$/, `libraries-${MAIN}`);
const main = reports.find(([name]) => name === MAIN)?.[1];
const operations = readResult("operations");
const windows = readResult("windows");
const counts = readResult("counts");
const timing = readResult("constant-time");
const scale = readResult("scale");
fillDocument("performance.md", {
  machine: main && tables.machineText(main),
  results: main && tables.resultsTable(main),
  libraries: tables.librariesTable(libraries),
  hosts: main && tables.hostsTable(reports),
  start: main && tables.startTable(reports),
  workers: main && tables.workersTable(main),
  parts: operations && tables.partsTable(operations),
  operations: operations && tables.operationsTable(operations),
  shares: operations && tables.sharesTable(operations),
  windows: windows && tables.windowsTable(windows),
  arithmetic: counts && tables.arithmeticTable(counts),
  counts: counts && tables.countsTable(counts),
});
fillDocument("constant-time.md", {
  machine: timing && tables.timingText(timing),
  results: timing && tables.timingTable(timing),
});
fillDocument("capacity.md", {
  machine: scale && tables.scaleText(scale),
  results: scale && tables.scaleTable(scale),
  idle: scale && tables.idleTable(scale),
});
mkdirSync(join(docs, "plots"), { recursive: true });
if (main?.batches.length > 0) writeFileSync(join(docs, "plots/batches.svg"), batchPlot(main));
if (main?.workers.length > 0) writeFileSync(join(docs, "plots/workers.svg"), workersPlot(main));
if (scale) writeFileSync(join(docs, "plots/scale.svg"), scalePlot(scale));
