/**
 * Limits the number of messages that one participant may send: each may have the server protect one for every
 * participant.
 */

export interface RateLimit {
  readonly perSecond: number;
  /** Most messages in a burst. */
  readonly burst: number;
}

/** A bucket of tokens, full at first. */
export class MessageRate {
  readonly #limit: RateLimit;
  #tokens: number;
  #at: number | undefined;

  constructor(limit: RateLimit) {
    this.#limit = limit;
    this.#tokens = limit.burst;
  }

  /** Returns whether one more is taken. `now` in milliseconds. */
  take(now: number): boolean {
    const { perSecond, burst } = this.#limit;
    const gained = ((now - (this.#at ?? now)) * perSecond) / 1000;
    this.#tokens = Math.min(this.#tokens + Math.max(gained, 0), burst);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
