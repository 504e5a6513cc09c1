/** When a client asks its KMS again. Every time is drawn, so that clients that began together do not stay together. */
import { backOff } from "../../base/back-off.ts";
import { fraction, type RandomSource } from "../../base/random.ts";

export interface RefreshNeeds {
  /** Milliseconds since the Unix epoch, as are all times here. */
  readonly now: number;
  /** Length of a key period, in milliseconds. */
  readonly periodMs: number;
  /** When keys will be needed that are not there; absent when those of the next period are. */
  readonly missingFrom?: number;
  /** Longest time between two looks at the certificates. */
  readonly maxAgeMs: number;
}

/** The next keys must be there this share of a period before its start. */
const MARGIN = 1 / 16;
const MIN_MS = 1000;

const FIRST_RETRY_MS = 5000;
const LAST_RETRY_MS = 3_600_000;
/** A KMS does not permit a few seconds later what it has forbidden. */
const FORBIDDEN_RETRY_MS = 300_000;

/**
 * The next look after one that went well: about a day later, or a quarter of a short period. Without the next keys, which
 * a KMS may not give out yet, somewhere in the middle of the time that is left, and so on in ever smaller steps.
 */
export function nextRefresh(needs: RefreshNeeds, random: RandomSource): number {
  const { now, periodMs, missingFrom } = needs;
  const regular = now + between(0.75, 1.25, random) * intervalMs(needs);
  if (missingFrom === undefined) return regular;
  const left = Math.max(missingFrom - periodMs * MARGIN - now, 0);
  const soon =
    now + Math.max(between(0.25, 0.75, random) * left, between(0.5, 1, random) * smallestStep(periodMs));
  return Math.min(regular, soon);
}

/** The first look of a client that has the keys of now: at once would be together with all that were off as well. */
export function firstRefresh(needs: RefreshNeeds, refreshedAt: number, random: RandomSource): number {
  const { now } = needs;
  const due = refreshedAt + between(0.75, 1.25, random) * intervalMs(needs);
  const isPlausible = refreshedAt <= now && due > now;
  return isPlausible ? due : now + between(0, 1, random) * Math.min(intervalMs(needs) / 8, 600_000);
}

/** After a failure, the `failures`-th in a row: later each time, and not before the KMS said. */
export function nextRetry(
  {
    now,
    failures,
    forbidden,
    retryAfter = 0,
  }: {
    readonly now: number;
    readonly failures: number;
    readonly forbidden: boolean;
    readonly retryAfter?: number;
  },
  random: RandomSource,
): number {
  const leastMs = forbidden ? FORBIDDEN_RETRY_MS : 0;
  const wait = { failures, firstMs: FIRST_RETRY_MS, longestMs: LAST_RETRY_MS, leastMs };
  return now + Math.min(retryAfter, LAST_RETRY_MS) + backOff(wait, random);
}

/** The longest that `nextRefresh` waits: more than that is the work of a clock that was put back. */
export function longestWait(needs: Pick<RefreshNeeds, "periodMs" | "maxAgeMs">): number {
  return 1.25 * intervalMs(needs);
}

function intervalMs({ maxAgeMs, periodMs }: Pick<RefreshNeeds, "periodMs" | "maxAgeMs">): number {
  return Math.max(Math.min(maxAgeMs, periodMs / 4), MIN_MS);
}

function smallestStep(periodMs: number): number {
  return Math.min(Math.max((periodMs * MARGIN) / 4, MIN_MS), LAST_RETRY_MS);
}

function between(low: number, high: number, random: RandomSource): number {
  return low + (high - low) * fraction(random);
}
