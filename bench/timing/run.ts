/** Runs a case: random order, several rounds, two tests on the same samples. */
import { BLOCK, blockDifferences, type Sample, trimmedMean } from "./blocks.ts";
import type { Case, Class } from "./case.ts";
import { combine, compareMeans, crop, type Difference, type Verdict } from "./welch.ts";

/** |t| from which a difference counts: one chance in 150,000 for each test if there is none. */
export const THRESHOLD = 4.5;

/** What Welch's test keeps of all samples: nearly the whole tail, where rare events such as cache misses are. */
const KEEP = 0.9;

export interface Outcome {
  /** Test of the typical time. */
  readonly blocks: Verdict;
  /** Test of the mean. */
  readonly welch: Verdict;
  /** The t that is further from zero. */
  readonly t: number;
  /** Microseconds a call: the median of the calmest round. */
  readonly typical: number;
  readonly samples: number;
  /** Microseconds a call that would have been seen as a constant delay of one class. */
  readonly smallest: number;
}

export interface CaseEffort {
  readonly rounds: number;
  /** Ms of timed calls a round. */
  readonly budget: number;
}

/** A sample is at least this long, of several calls if need be: far above what the clock resolves. */
const SAMPLE_MS = 0.02;
/** So that each round has a variance. */
const FEWEST_SAMPLES = 12 * BLOCK;

/** Times a case. */
export function runCase(subject: Case, { rounds, budget }: CaseEffort): Outcome {
  const calls = calibrate(subject);
  const [typicals, means]: [Difference[], Difference[]] = [[], []];
  let [typical, count] = [Infinity, 0];
  for (let round = 0; round < rounds; round++) {
    const samples = takeSamples(subject, calls, budget);
    typicals.push(trimmedMean(blockDifferences(samples)));
    const of = (choice: Class) =>
      samples.filter((sample) => sample.choice === choice).map(({ time }) => time);
    means.push(compareMeans(...crop(of(0), of(1), KEEP)));
    typical = Math.min(typical, median(samples.map(({ time }) => time)));
    count += samples.length;
  }
  const [blocks, welch] = [combine(typicals), combine(means)];
  const t = Math.abs(blocks.t) >= Math.abs(welch.t) ? blocks.t : welch.t;
  return { blocks, welch, t, typical, samples: count, smallest: THRESHOLD * blocks.error };
}

/** Warms up, and says how many calls make a sample. */
function calibrate({ set, run }: Case): number {
  const until = performance.now() + 300;
  let fastest = Infinity;
  for (let i = 0; performance.now() < until || i < 20; i++) {
    set((i & 1) as Class);
    const started = performance.now();
    run();
    fastest = Math.min(fastest, performance.now() - started);
  }
  return Math.max(1, Math.ceil(SAMPLE_MS / Math.max(fastest, 1e-5)));
}

/** Classes in random order. */
function takeSamples({ set, run }: Case, calls: number, budget: number): Sample[] {
  const samples: Sample[] = [];
  const coins = new Uint8Array(4096);
  let spent = 0;
  for (let i = 0; spent < budget || samples.length < FEWEST_SAMPLES; i++) {
    if (i % coins.length === 0) crypto.getRandomValues(coins);
    const choice = (coins[i % coins.length]! & 1) as Class;
    set(choice);
    const started = performance.now();
    for (let k = 0; k < calls; k++) run();
    const took = performance.now() - started;
    spent += took;
    samples.push({ choice, time: (1000 * took) / calls });
  }
  return samples;
}

function median(values: readonly number[]): number {
  return Float64Array.from(values).sort()[values.length >> 1] ?? 0;
}

/** Returns whether a case came out as its kind demands. */
export function passes(kind: Case["kind"], { t }: Outcome): boolean {
  return kind === "leaky" ? Math.abs(t) > THRESHOLD : Math.abs(t) <= THRESHOLD;
}
