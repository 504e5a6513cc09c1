/** The wait of a client before it asks a GMS again that did not answer, or that refused. */
import { backOff } from "../../base/back-off.ts";
import type { RandomSource } from "../../base/random.ts";

const FIRST_MS = 2000;
const LONGEST_MS = 300_000;
/** After a refusal, which a moment later would be the same. */
const REFUSED_MS = 300_000;
const LONGEST_REFUSED_MS = 3_600_000;

export interface Retry {
  /** Failures in a row, this one included. */
  readonly failures: number;
  /** Whether the GMS refused, in contrast to a GMS that did not answer or could not. */
  readonly refused?: boolean;
  /** Milliseconds that the GMS asked for. */
  readonly retryAfter?: number | undefined;
}

/** Milliseconds. */
export function retryWait(
  { failures, refused = false, retryAfter = 0 }: Retry,
  random: RandomSource,
): number {
  const span = refused
    ? { firstMs: REFUSED_MS, longestMs: LONGEST_REFUSED_MS }
    : { firstMs: FIRST_MS, longestMs: LONGEST_MS };
  return Math.min(retryAfter, LONGEST_REFUSED_MS) + backOff({ failures, ...span }, random);
}
