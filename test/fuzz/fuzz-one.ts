/**
 * The loop for one target, in a process of its own: inputs that run a block that none before them ran are mutated further
 * (coverage-guided). An input that breaks what must hold is kept in `fuzz-found/`, and ends it with status 1.
 */
import { writeFileSync } from "node:fs";
import { Draw } from "../hostile/inputs/draw.ts";
import { folderOf, keep, readCorpus } from "./corpus.ts";
import { Coverage } from "./coverage.ts";
import { mutate } from "./mutate.ts";
import { TARGETS } from "./targets.ts";

const [name = "", seconds = "60", seed = "1", current = "", keeps] = process.argv.slice(2);
const target = TARGETS[name]!;
/** Coverage is looked at after so many. */
const BATCH = 200;
/** Milliseconds of processor time: a parser is linear, and no input is long. */
const SLOW_MS = 400;
/** Octets of an input that goes into the tree. */
const KEPT_BYTES = 700;

const failed = (why: string, octets: Uint8Array): never => {
  process.stdout.write(`${name}: ${why}\n${name}: kept as ${keep(octets, `fuzz-found/${name}`)}\n`);
  process.exit(1);
};

function run(octets: Uint8Array): void {
  try {
    target.run(octets);
  } catch (error) {
    failed(error instanceof Error ? (error.stack ?? error.message) : String(error), octets);
  }
}

const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

function requireQuick(octets: Uint8Array): void {
  // The least of several: the first may have been compiled, or met by the garbage collector.
  const times = Array.from({ length: 3 }, () => {
    const from = cpu();
    run(octets);
    return cpu() - from;
  });
  if (Math.min(...times) > SLOW_MS) failed(`takes ${Math.min(...times).toFixed()} ms`, octets);
}

const coverage = new Coverage();
const corpus = readCorpus(name).map(({ octets }) => octets);
const known = corpus.length;
for (const octets of corpus) coverage.add(coverage.unseen(() => run(octets)));
const before = coverage.size;
const draw = new Draw(`${name} ${seed}`);
const until = performance.now() + 1000 * Number(seconds);
let inputs = 0;
while (performance.now() < until) {
  const batch = Array.from({ length: BATCH }, () => mutate(draw, corpus, target.words));
  // Should one of them hang, whoever watches this process finds it here.
  writeFileSync(current, JSON.stringify(batch.map((octets) => Buffer.from(octets).toString("base64"))));
  const from = cpu();
  const unseen = coverage.unseen(() => batch.forEach(run));
  inputs += BATCH;
  if (cpu() - from > SLOW_MS) batch.forEach(requireQuick);
  if (unseen.length > 0) {
    for (const octets of batch) {
      const blocks = coverage.unseen(() => run(octets));
      if (blocks.length === 0) continue;
      coverage.add(blocks);
      corpus.push(octets);
      if (keeps !== undefined && octets.length <= KEPT_BYTES) keep(octets, folderOf(name));
    }
    // Blocks that no single input reaches again count as reached by the whole batch.
    coverage.add(unseen);
  }
}
process.stdout.write(
  `${name}: ${inputs} inputs, ${coverage.size} blocks, ${coverage.size - before} of them new, ` +
    `corpus ${known} and ${corpus.length - known} found\n`,
);
