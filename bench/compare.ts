/**
 * `npm run bench:compare REF`: the working tree against a commit. Both are built, and run `mikey-sakke bench` in turns as
 * whole processes. Status 1 where a main row loses more than 5 % in two series. Options: --json, --rounds N.
 */
import { parseArgs } from "node:util";
import type { RowName } from "../cli/bench/row.ts";
import { table } from "../cli/terminal/output.ts";
import { type Comparison, compare, type Side } from "./compare/judge.ts";
import { commitOf, Tree, withCheckout } from "./compare/tree.ts";
import { ROOT } from "./compile.ts";

const MAIN: readonly RowName[] = [
  "sakke.encapsulate.batch",
  "sakke.encapsulate.single",
  "sakke.decapsulate",
  "sakke.decapsulate.prepared",
  "sakke.validate",
  "eccsi.sign.batch",
  "eccsi.sign.single",
  "eccsi.verify",
  "eccsi.verify.batch",
  "eccsi.verify.known",
  "kms.issue.batch",
  "imessage.seal.batch",
  "imessage.open",
  "start.receiver",
];
const USAGE = "usage: npm run bench:compare REF -- [--json] [--rounds N]";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false }, rounds: { type: "string", default: "7" } },
});
const rounds = Number(values.rounds);
const [ref] = positionals;
if (ref === undefined || positionals.length > 1 || !Number.isInteger(rounds) || rounds < 1) {
  process.stderr.write(`${USAGE}\n`);
  process.exit(2);
}

const progress = (text: string) => process.stderr.write(`${text}\n`);
// An interrupt ends the process at work, and with it the comparison; the checkout must not stay.
process.on("SIGINT", () => {});
const commit = commitOf(ref);
const comparison = withCheckout(commit, (folder) => {
  progress(`build ${commit}`);
  const before = new Tree(folder);
  progress("build the working tree");
  return compare(told(before, commit.slice(0, 10)), told(new Tree(ROOT), "working tree"), MAIN, rounds);
});
const result = { schema: 1, ref, commit, rounds, ...comparison };
process.stdout.write(
  values.json ? `${JSON.stringify(result, null, 2)}\n` : `${text(comparison).join("\n")}\n`,
);
process.exitCode = comparison.lost.length > 0 ? 1 : 0;

function told(side: Side, name: string): Side {
  let turn = 0;
  return {
    run() {
      progress(`${name}, process ${++turn}`);
      return side.run();
    },
  };
}

function text({ series, lost, threshold }: Comparison): string[] {
  const percent = `${Math.round(100 * (threshold - 1))} %`;
  return [
    `Microseconds an operation: best of ${rounds} processes each. Ratio: median of working tree to ${commit.slice(0, 10)}.`,
    ...series.flatMap((rows) => [
      "",
      ...table([
        ["row", "before", "after", "ratio", "verdict"],
        ...rows.map(({ name, before, after, ratio }) => [
          name,
          String(before),
          String(after),
          ratio.toFixed(3),
          ratio > threshold ? `more than ${percent}` : "",
        ]),
      ]),
    ]),
    "",
    lost.length > 0
      ? `Lost more than ${percent} twice: ${lost.join(", ")}.`
      : `No row lost more than ${percent}${series.length > 1 ? " twice" : ""}.`,
  ];
}
