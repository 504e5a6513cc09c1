/** The time that a client waits for a server that has been silent before: a server with too much to do is slow, not gone. */
import type { Clock, KeepAliveOptions } from "../../transport/sip/index.ts";

/**
 * Silence that is noticed twice within so many milliseconds may be that of servers that have too much to do: each time the
 * next limit is twice as long, so that clients that run from one to the other are not what keeps them busy.
 */
const REMEMBERED_MS = 300_000;
/** Milliseconds within which the binding and the calls at one server notice that it is silent. */
const SAME_MS = 5000;
const LONGEST_LIMIT_MS = 32_000;

export class Silences {
  readonly #clock: Clock;
  /** Silences noticed one soon after the other, and when the last one was. */
  #count = 0;
  #at = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  noticed(): void {
    const since = this.#since;
    if (since < SAME_MS) return;
    this.#count = since < REMEMBERED_MS ? this.#count + 1 : 1;
    this.#at = this.#clock.now();
  }

  /** Milliseconds that an answer may take, where a server that was never silent has `limit`. */
  limit(limit: number): number {
    return this.#longer(limit, this.#count);
  }

  /**
   * The same for a process that others still take for the owner of a call. Right after a silence it is most likely the one
   * that was silent, so the wait for it is not longer yet.
   */
  limitOfOwner(limit: number): number {
    return this.#longer(limit, this.#since < SAME_MS ? this.#count - 1 : this.#count);
  }

  #longer(limit: number, silences: number): number {
    const again = this.#since < REMEMBERED_MS ? Math.max(0, silences - 1) : 0;
    return Math.max(limit, Math.min(limit * 2 ** again, LONGEST_LIMIT_MS));
  }

  keepAlive({ interval, limit }: KeepAliveOptions): KeepAliveOptions {
    return { interval, limit: this.limit(limit) };
  }

  get #since(): number {
    return this.#clock.now() - this.#at;
  }
}
