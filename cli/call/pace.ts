/** Steps of 20 ms of real time, one for each frame of speech. */
import { type Clock, pauseOn } from "../../base/clock.ts";
import { monotonicClock } from "./monotonic-clock.ts";

export const FRAME_MS = 20;

export interface PaceOptions {
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock;
}

/**
 * Calls at each step until it says false, or `signal` ends it. A step whose time has passed before the one before it was done
 * is left out, as several at once would empty the buffers of who plays and overrun those of who hears. `missed`: steps that
 * were left out directly before.
 */
export async function everyFrame(
  frame: (missed: number) => boolean | Promise<boolean>,
  { signal, clock = monotonicClock }: PaceOptions = {},
): Promise<void> {
  let at = clock.now();
  let missed = 0;
  while (!signal?.aborted && (await frame(missed))) {
    missed = Math.max(Math.floor((clock.now() - at) / FRAME_MS) - 1, 0);
    at += (missed + 1) * FRAME_MS;
    const wait = at - clock.now();
    // Also when it is late, so that what came in meanwhile is taken first.
    await pauseOn(clock, Math.max(wait, 0));
  }
}
