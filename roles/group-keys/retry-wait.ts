/** How long to wait before the next try. Every wait is drawn, so that clients that lost a GMS together come back apart. */
import type { RandomSource } from "./random.ts";

const FIRST_MS = 2000;
const LONGEST_MS = 300_000;
/** For an answer that will not be another one a moment later. */
const REFUSED_MS = 300_000;
const LONGEST_REFUSED_MS = 3_600_000;

export interface Wait {
  /** Failures in a row, this one included. */
  readonly failures: number;
  /** What was refused, other than what failed. */
  readonly refused?: boolean;
  /** Milliseconds that the peer asked for. */
  readonly retryAfter?: number | undefined;
}

/** Milliseconds. */
export function backOff({ failures, refused = false, retryAfter = 0 }: Wait, random: RandomSource): number {
  const longest = refused ? LONGEST_REFUSED_MS : LONGEST_MS;
  const span = Math.min((refused ? REFUSED_MS : FIRST_MS) * 2 ** Math.min(failures - 1, 20), longest);
  const [a = 0, b = 0] = random(2);
  return Math.min(retryAfter, LONGEST_REFUSED_MS) + (span / 2) * (1 + (a * 256 + b) / 2 ** 16);
}
