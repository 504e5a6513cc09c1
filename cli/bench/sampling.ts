/** Times of calls, and what is kept of them. */
import type { Row } from "./row.ts";

/** Microseconds an operation. The best sample is the one with the least noise of the machine. */
export interface Timing {
  readonly best: number;
  readonly median: number;
  readonly samples: number;
}

/** Calls a row for about `budget` ms, at least once; microseconds an operation of each call. */
export async function sample(row: Row, budget: number): Promise<number[]> {
  const out: number[] = [];
  let spent = 0;
  while (spent < budget || out.length === 0) {
    row.prepare?.();
    const started = performance.now();
    const result = row.run();
    if (result instanceof Promise) await result;
    const took = performance.now() - started;
    // Clocks of browsers are coarse; a call of no length must not go on for ever.
    spent += Math.max(took, 0.001);
    out.push((1000 * took) / row.operations);
  }
  return out;
}

/** Throws for no samples. */
export function timing(samples: readonly number[]): Timing {
  const sorted = Float64Array.from(samples).sort();
  const middle = sorted.length >> 1;
  const [best, upper] = [sorted[0], sorted[middle]];
  if (best === undefined || upper === undefined) throw new RangeError("no samples");
  const median = sorted.length % 2 === 1 ? upper : (sorted[middle - 1]! + upper) / 2;
  return { best, median, samples: sorted.length };
}

/** Four significant digits, for results that are kept. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
