/**
 * An estimate of how unevenly packets of one stream arrive: the interarrival jitter of RFC 3550 6.4.1, computed as in
 * A.8.
 */

/** A.8: the share of a new difference in the estimate. */
const GAIN = 1 / 16;

export class JitterEstimate {
  readonly #largest: number;
  #last: number | undefined;
  #jitter = 0;

  /** No difference counts for more than `largest`: a sender whose clock was set says nothing about the network. */
  constructor(largest: number) {
    this.#largest = largest;
  }

  /** In the unit of `take`. */
  get value(): number {
    return this.#jitter;
  }

  /** `transit`: time of arrival less time of sampling, from any fixed start. */
  take(transit: number): void {
    if (this.#last !== undefined) {
      const difference = Math.min(Math.abs(transit - this.#last), this.#largest);
      this.#jitter += (difference - this.#jitter) * GAIN;
    }
    this.#last = transit;
  }
}
