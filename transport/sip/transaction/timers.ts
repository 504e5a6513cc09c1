/** The base values of RFC 3261 17.1.1.1, in milliseconds, and how long a peer may be silent. */

import type { Clock } from "../../../base/clock.ts";
import { Timer } from "../../../base/clock.ts";

export interface Timers {
  /** Round-trip time. */
  readonly t1: number;
  /** Longest interval between copies of a request that is no INVITE. */
  readonly t2: number;
  /** The time that a message stays in the network. */
  readonly t4: number;
}

export const DEFAULT_TIMERS: Timers = { t1: 500, t2: 4000, t4: 5000 };

/** Milliseconds that count as one step of a wait. */
const STEP = 250;

/**
 * How long a peer may keep us waiting. Time in which this process stood still does not count, as a machine that slept or has
 * too much to do: what the peer sent meanwhile lies unread in the socket, and is read between two steps.
 */
export class Patience {
  readonly #timer: Timer;

  constructor(clock: Clock) {
    this.#timer = new Timer(clock);
  }

  set(milliseconds: number, run: () => void): void {
    const step = Math.min(STEP, milliseconds);
    this.#timer.set(step, () => (step < milliseconds ? this.set(milliseconds - step, run) : run()));
  }

  clear(): void {
    this.#timer.clear();
  }
}
