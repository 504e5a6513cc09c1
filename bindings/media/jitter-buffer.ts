/**
 * Puts the frames of one stream in order, and holds them back a little so that those that were delayed still come in time.
 * It is asked for a frame at each step of the play-out. How long it holds frames back follows the jitter that it sees; what
 * is held beyond that, as after a stall, is given back: at once in silence, otherwise a frame at a time.
 */

export interface JitterBufferOptions<T = unknown> {
  /** Frames, and steps, that a burst is held back at its start on an even network. Default 3. */
  readonly target?: number;
  /** Frames held at most; older ones go first. Default 16. */
  readonly capacity?: number;
  /** Whether nobody would miss the frame. Default: none is such. */
  readonly isSilent?: (frame: T) => boolean;
}

/** A frame; one that is not there although later ones are; or nothing, between bursts. */
export type Played<T> = { readonly frame: T } | "lost" | "nothing";

/** Each frame that was pushed is in one of `played`, `late`, `duplicate` and `dropped`, or is still held. */
export interface JitterBufferCounters {
  readonly played: number;
  /** Came after their turn. */
  readonly late: number;
  /** Were there already. */
  readonly duplicate: number;
  /** Gave way to newer ones, or to a shorter delay. */
  readonly dropped: number;
  /** Had not come when it was their turn. */
  readonly lost: number;
}

/** The estimate is a mean deviation, of which frames may be late by several: four, as for the timer of RFC 6298 2.3. */
const DEVIATIONS = 4;
/** The largest target, as a share of the capacity. The rest stays free, so that a stall does not overflow at once. */
const LARGEST_TARGET = 3 / 4;
/** Steps that the delay must have been too long throughout before a frame is dropped: 200 ms at 20 ms a step. */
const WINDOW = 10;
/** The same for a delay that is too long by more than `FAR` frames. */
const SHORT_WINDOW = 5;
const FAR = 5;
/** RFC 3550 A.8: the share of a new difference in the estimate of the jitter. */
const GAIN = 1 / 16;

export class JitterBuffer<T> {
  readonly #least: number;
  readonly #most: number;
  readonly #capacity: number;
  readonly #isSilent: (frame: T) => boolean;
  readonly #jitter: JitterEstimate;
  readonly #frames = new Map<number, T>();
  readonly #counted = { played: 0, late: 0, duplicate: 0, dropped: 0, lost: 0 };
  /** Index of the next frame to play; undefined while a burst is held back or there is none. */
  #next: number | undefined;
  /** The frame after the last one that was played: nothing before it is taken. */
  #floor = 0;
  #highest = 0;
  /** Steps that brought nothing. */
  #steps = 0;
  /** Steps since the last frame was dropped or the delay was short enough. */
  #tooLong = 0;

  constructor({ target = 3, capacity = 16, isSilent = () => false }: JitterBufferOptions<T> = {}) {
    this.#least = target;
    this.#capacity = Math.max(capacity, target);
    this.#most = Math.max(target, Math.floor(this.#capacity * LARGEST_TARGET));
    this.#isSilent = isSilent;
    this.#jitter = new JitterEstimate(this.#capacity);
  }

  /** Frames held. */
  get size(): number {
    return this.#frames.size;
  }

  get counters(): JitterBufferCounters {
    return { ...this.#counted };
  }

  /** Frames that are held back: more than asked for when the network is uneven. */
  get target(): number {
    const needed = 1 + Math.ceil(DEVIATIONS * this.#jitter.value);
    return Math.min(Math.max(this.#least, needed), this.#most);
  }

  /** False: a frame of that index would come too late or again. */
  takes(index: number): boolean {
    return index >= (this.#next ?? this.#floor) && !this.#frames.has(index);
  }

  /**
   * False for a frame that comes too late or again, or is older than the capacity allows. `index` counts on
   * through the wrap of sequence numbers. `transit`: when it came less when it was sampled, in steps from any
   * fixed start; the target stays as it is without.
   */
  push(index: number, frame: T, transit?: number): boolean {
    if (transit !== undefined) this.#jitter.take(transit);
    if (!this.takes(index)) {
      this.#counted[this.#frames.has(index) ? "duplicate" : "late"]++;
      return false;
    }
    this.#frames.set(index, frame);
    this.#highest = this.#frames.size === 1 ? index : Math.max(index, this.#highest);
    const oldest = this.#highest - this.#capacity + 1;
    if (this.#next !== undefined && this.#next < oldest) this.#next = oldest;
    for (const held of this.#frames.keys()) if (held < oldest) this.#drop(held);
    return this.#frames.has(index);
  }

  /** The next step. */
  pull(): Played<T> {
    if (this.#frames.size === 0) return this.#pullEmpty();
    if (this.#next === undefined) {
      this.#steps++;
      const { target } = this;
      if (this.#frames.size < target && this.#steps <= target) return "nothing";
      this.#next = Math.min(...this.#frames.keys());
      this.#steps = 0;
    }
    this.#shorten();
    const frame = this.#frames.get(this.#next);
    // It may just be late, by no more than the target is for.
    if (frame === undefined && this.#span + this.#steps < this.target) {
      this.#steps++;
      return "nothing";
    }
    this.#steps = 0;
    const index = this.#next++;
    this.#floor = this.#next;
    if (frame === undefined) {
      this.#counted.lost++;
      return "lost";
    }
    this.#frames.delete(index);
    this.#counted.played++;
    return { frame };
  }

  /** Drops all that is held. */
  clear(): void {
    for (const held of this.#frames.keys()) this.#drop(held);
  }

  /** Frames may just be late; after a while the burst has ended, and the next one is held back again. */
  #pullEmpty(): Played<T> {
    this.#tooLong = 0;
    if (this.#next !== undefined && ++this.#steps > this.target) {
      this.#next = undefined;
      this.#steps = 0;
    }
    return "nothing";
  }

  /** Steps from the next frame to the newest, both counted. */
  get #span(): number {
    return this.#highest - this.#next! + 1;
  }

  /** Gives back delay beyond the target. */
  #shorten(): void {
    const { target } = this;
    const excess = () => this.#span - target;
    // A frame that has not come, or that is silent, costs nothing. One more is held as the phase of arrivals moves by one.
    while (excess() > 1) {
      const frame = this.#frames.get(this.#next!);
      if (frame !== undefined && !this.#isSilent(frame)) break;
      this.#skip();
    }
    if (excess() <= 0) this.#tooLong = 0;
    else if (++this.#tooLong >= (excess() > FAR ? SHORT_WINDOW : WINDOW)) {
      this.#tooLong = 0;
      this.#skip();
    }
  }

  #skip(): void {
    const index = this.#next!;
    this.#next = index + 1;
    if (this.#frames.has(index)) this.#drop(index);
    else this.#counted.lost++;
  }

  #drop(index: number): void {
    this.#frames.delete(index);
    this.#counted.dropped++;
  }
}

/**
 * An estimate of how unevenly packets of one stream arrive: the interarrival jitter of RFC 3550 6.4.1, computed as in
 * A.8.
 */
class JitterEstimate {
  readonly #largest: number;
  #last: number | undefined;
  #jitter = 0;

  /** No difference counts for more than `largest`: a sender whose clock was set says nothing about the network. */
  constructor(largest: number) {
    this.#largest = largest;
  }

  /** The estimate, in the unit of `take`. */
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
