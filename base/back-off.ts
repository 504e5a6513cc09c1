/** The wait before the next try of what failed. */
import { fraction, type RandomSource } from "./random.ts";

export interface BackOff {
  /** Failures in a row, the last one included. */
  readonly failures: number;
  /** Milliseconds after the first failure; each further one doubles them. */
  readonly firstMs: number;
  readonly longestMs: number;
  /** A higher bound than `firstMs` from below, for failures that are known to last. */
  readonly leastMs?: number;
}

/**
 * Milliseconds to the next try: from a half of the span to all of it. The draw keeps those who failed together from coming
 * back together.
 */
export function backOff(
  { failures, firstMs, longestMs, leastMs = 0 }: BackOff,
  random: RandomSource,
): number {
  const grown = firstMs * 2 ** Math.min(Math.max(failures - 1, 0), 20);
  const span = Math.min(Math.max(grown, leastMs), longestMs);
  return Math.round((span * (1 + fraction(random))) / 2);
}
