/** Tests whether two sets of times have the same mean: Welch's t, cropped, and combined over rounds. */

/** A difference of means, in the unit of the samples, with the variance of that difference. */
export interface Difference {
  readonly difference: number;
  readonly variance: number;
}

/** mean(b) - mean(a) with the variance of Welch's test. Throws for fewer than two samples a side. */
export function compareMeans(a: readonly number[], b: readonly number[]): Difference {
  const [x, y] = [moments(a), moments(b)];
  return { difference: y.mean - x.mean, variance: x.variance / a.length + y.variance / b.length };
}

function moments(samples: readonly number[]): { mean: number; variance: number } {
  if (samples.length < 2) throw new RangeError("too few samples");
  const mean = samples.reduce((sum, x) => sum + x, 0) / samples.length;
  const squares = samples.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return { mean, variance: squares / (samples.length - 1) };
}

/**
 * The samples of both sides up to the quantile `keep` of all: interruptions by the system make a long tail that tells nothing
 * about the code. One bound for both, so that a slower side loses more of its samples and not its slowness. All samples
 * where a side would keep less than a tenth: that difference needs no help.
 */
export function crop(a: readonly number[], b: readonly number[], keep: number): [number[], number[]] {
  const all = Float64Array.from([...a, ...b]).sort();
  const bound = all[Math.min(all.length - 1, Math.ceil(keep * all.length) - 1)] ?? 0;
  const [x, y] = [a.filter((value) => value <= bound), b.filter((value) => value <= bound)];
  return 10 * x.length < a.length || 10 * y.length < b.length ? [[...a], [...b]] : [x, y];
}

export interface Verdict {
  readonly t: number;
  readonly difference: number;
  /** Standard error of the difference. */
  readonly error: number;
}

/** Rounds weighted by how exact they are: a noisy one counts less and does not spoil the others. */
export function combine(rounds: readonly Difference[]): Verdict {
  let [sum, weights] = [0, 0];
  for (const { difference, variance } of rounds) {
    // Clocks are not infinitely fine: a variance of zero would weigh for ever.
    const weight = 1 / Math.max(variance, 1e-12);
    sum += weight * difference;
    weights += weight;
  }
  const [difference, error] = [sum / weights, Math.sqrt(1 / weights)];
  return { t: difference / error, difference, error };
}
