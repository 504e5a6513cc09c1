/** The base values of RFC 3261 17.1.1.1, in milliseconds, and one timer that is set and cleared. */
import type { Clock } from "../ports.ts";

export interface Timers {
  /** Round-trip time. */
  readonly t1: number;
  /** Longest interval between copies of a request that is no INVITE. */
  readonly t2: number;
  /** How long a message stays in the network. */
  readonly t4: number;
}

export const DEFAULT_TIMERS: Timers = { t1: 500, t2: 4000, t4: 5000 };

export class Timer {
  readonly #clock: Clock;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  set(milliseconds: number, run: () => void): void {
    this.clear();
    this.#cancel = this.#clock.after(milliseconds, run);
  }

  clear(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
