/**
 * The typical time of two classes, compared block by block. On a shared machine most of the noise is another tenant who makes
 * everything half as fast again for a while; samples that are neighbours in time meet the same tenant.
 */
import type { Class } from "./case.ts";
import type { Difference } from "./welch.ts";

export interface Sample {
  readonly choice: Class;
  /** Microseconds a call. */
  readonly time: number;
}

/** Samples of a block: some 16 of each class. */
export const BLOCK = 32;
/** Least number of samples of one class in a block. */
const FEWEST = 4;
/** Share of the blocks that is cut off at either end: those that saw the tenant come or go. */
const TRIM = 0.2;

/**
 * For each block the mean of the faster half of either class, second less first: a class is cropped by its own bound, so a
 * constant delay of one class shows in full.
 */
export function blockDifferences(samples: readonly Sample[]): number[] {
  const out: number[] = [];
  for (let at = 0; at + BLOCK <= samples.length; at += BLOCK) {
    const sides: [number[], number[]] = [[], []];
    for (const { choice, time } of samples.slice(at, at + BLOCK)) sides[choice].push(time);
    if (sides.some((side) => side.length < FEWEST)) continue;
    out.push(fasterHalf(sides[1]) - fasterHalf(sides[0]));
  }
  return out;
}

function fasterHalf(times: readonly number[]): number {
  const kept = Float64Array.from(times)
    .sort()
    .subarray(0, (times.length + 1) >> 1);
  return kept.reduce((sum, time) => sum + time, 0) / kept.length;
}

/**
 * The trimmed mean and its variance from the winsorised one (Yuen: "The two-sample trimmed t for unequal population
 * variances", Biometrika 1974). Throws for fewer than four values.
 */
export function trimmedMean(values: readonly number[]): Difference {
  const sorted = Float64Array.from(values).sort();
  const n = sorted.length;
  if (n < 4) throw new RangeError("too few blocks");
  const cut = Math.floor(TRIM * n);
  const kept = sorted.subarray(cut, n - cut);
  const mean = kept.reduce((sum, x) => sum + x, 0) / kept.length;
  const winsorised = sorted.map((x) => Math.min(Math.max(x, kept[0]!), kept[kept.length - 1]!));
  const center = winsorised.reduce((sum, x) => sum + x, 0) / n;
  const variance = winsorised.reduce((sum, x) => sum + (x - center) ** 2, 0) / (n - 1);
  return { difference: mean, variance: (variance * n) / kept.length ** 2 };
}
