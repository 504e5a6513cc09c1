/** Interleaved measuring on tinybench: in every round each contender of each row has its turn. */
import { Bench } from "tinybench";
import type { Row, RowName } from "../cli/bench/row.ts";
import { ROW_NAMES } from "../cli/bench/row.ts";

/** The implementation measured: two builds, the reference, and libraries of others. "native" is a separate program, see native.ts. */
export type Contender = "fma" | "simd" | "bigint" | "noble" | "gmp";

export interface Effort {
  readonly rounds: number;
  /** Ms for each contender of a row in a round; a call is never cut short. */
  readonly budget: number;
  /** No round is begun later than this, except the first; a busy machine would take for ever. */
  readonly seconds: number;
}

export type Samples = Map<RowName, Partial<Record<Contender, number[]>>>;

/**
 * Microseconds an operation, all samples. Noise that comes and goes meets all contenders of a row, whose turns
 * follow each other. The first round warms up the code and is not kept.
 */
export async function measure(
  contenders: Partial<Record<Contender, readonly Row[]>>,
  { rounds, budget, seconds }: Effort,
  onRound: (round: number) => void,
): Promise<Samples> {
  const samples: Samples = new Map(ROW_NAMES.map((name) => [name, {}]));
  const end = performance.now() + 1000 * seconds;
  for (let round = 0; round <= rounds && (round < 2 || performance.now() < end); round++) {
    onRound(round);
    for (const name of ROW_NAMES) {
      const bench = new Bench({
        time: budget,
        iterations: 1,
        warmup: false,
        retainSamples: true,
        throws: true,
      });
      const entrants: [Contender, Row][] = [];
      for (const [contender, rows] of Object.entries(contenders) as [Contender, readonly Row[]][]) {
        const row = rows.find((candidate) => candidate.name === name);
        if (row !== undefined) entrants.push([contender, row]);
      }
      for (const [contender, row] of entrants) {
        const { prepare } = row;
        const options = prepare === undefined ? {} : { beforeEach: () => prepare() };
        bench.add(contender, row.run, { async: name.startsWith("imessage."), ...options });
      }
      await bench.run();
      if (round === 0) continue;
      const kept = samples.get(name)!;
      for (const [contender, row] of entrants) {
        const result = bench.getTask(contender)!.result;
        if (result.state !== "completed") throw new Error(`${name}, ${contender}: ${result.state}`);
        const times = (result.latency.samples ?? []).map((ms) => (1000 * ms) / row.operations);
        kept[contender] = [...(kept[contender] ?? []), ...times];
      }
    }
  }
  return samples;
}
