// Fills the figures of README.md: what the demo prints, and a table of a bench report.
// node tools/readme-figures.mjs [REPORT.json]    a report of `npm run bench`, docs/results/node20.json if not given.
// Run it after `npm run build`, on a quiet machine.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const readme = join(root, "README.md");
const REPORT = "docs/results/node20.json";

const ROWS = {
  "imessage.seal.batch": "seal the message of one member, in a batch",
  "imessage.open": "open one message with a prepared key: parse, verify, decapsulate, check",
  "sakke.encapsulate.batch": "SAKKE encapsulate, in a batch",
  "sakke.decapsulate.prepared": "SAKKE decapsulate with its check, prepared key",
  "eccsi.sign.batch": "ECCSI sign, in a batch",
  "eccsi.verify": "ECCSI verify",
  "kms.issue.batch": "issue the keys of one user, in a batch",
};

function figures({ rows, machine, runtime, date }) {
  const lines = Object.entries(ROWS).flatMap(([name, title]) => {
    const row = rows.find((candidate) => candidate.name === name);
    const best = row && (row.fma ?? row.simd)?.best;
    if (best === undefined) return [];
    const each = best >= 1000 ? `${(best / 1000).toFixed(2)} ms` : `${best.toPrecision(3)} µs`;
    const rate = Math.round(1e6 / best).toLocaleString("en");
    return `| ${title} | ${each} | ${rate} | ${row.ratio === undefined ? "" : `${Math.round(row.ratio)} ×`} |`;
  });
  return [
    "| on one core | time | per second | against BigInt |",
    "|---|--:|--:|--:|",
    ...lines,
    "",
    `Measured on an ${machine.cpu} with ${runtime.name} ${runtime.version} on ${date.slice(0, 10)}. ` +
      "The last column compares with the plain JavaScript (BigInt) of",
    "`test/crypto/reference` in the same run. [docs/performance.md](docs/performance.md) has all rows.",
  ].join("\n");
}

/** The file may begin with lines of npm. */
function readReport(path) {
  const text = readFileSync(path, "utf8");
  return JSON.parse(text.slice(text.indexOf("{")));
}

function demo() {
  const { status, stdout } = spawnSync(process.execPath, ["dist/cli/main.js", "demo"], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error(`the demo ended with ${status}`);
  return `\`\`\`console\n$ mikey-sakke demo\n${stdout}\`\`\``;
}

/** Puts `content` between the two comments that bear `name`. */
function fill(text, name, content) {
  const pattern = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`);
  if (!pattern.test(text)) throw new Error(`README.md has no place for ${name}`);
  return text.replace(pattern, (_, before, after) => `${before}${content}\n${after}`);
}

const file = process.argv[2] ?? join(root, REPORT);
let text = readFileSync(readme, "utf8");
if (!existsSync(file)) console.log(`no ${file}: the table stays as it is`);
else text = fill(text, "figures", figures(readReport(file)));
writeFileSync(readme, fill(text, "demo", demo()));
