/**
 * Limits the number of NOTIFYs under way. One that has no answer after a while counts no more: a subscriber that never
 * answers must not hold up the others. Since its transaction ends after 64 T1, there are never more than some 30 times as
 * many.
 */
import type { Clock } from "../../../transport/sip/index.ts";

/** Milliseconds. */
const PATIENCE = 1000;

export class NotifySlots {
  readonly #clock: Clock;
  readonly #freed: () => void;
  readonly #waiting: ((release: () => void) => void)[] = [];
  #free: number;
  #unanswered = 0;

  /** `freed` is called when there is room again. */
  constructor(clock: Clock, size: number, freed: () => void) {
    this.#clock = clock;
    this.#free = size;
    this.#freed = freed;
  }

  get free(): number {
    return Math.max(0, this.#free);
  }

  /** NOTIFYs without an answer, the slow ones included. */
  get unanswered(): number {
    return this.#unanswered;
  }

  /** The function that it returns is called with the answer. */
  take(): () => void {
    this.#free--;
    this.#unanswered++;
    let held = true;
    const free = () => {
      if (!held) return;
      held = false;
      this.#free++;
      if (this.#free <= 0) return;
      const next = this.#waiting.shift();
      if (next === undefined) this.#freed();
      else next(this.take());
    };
    const cancel = this.#clock.after(PATIENCE, free);
    let answered = false;
    return () => {
      if (answered) return;
      answered = true;
      this.#unanswered--;
      cancel();
      free();
    };
  }

  /** Resolves when there is room, in turn, and before `freed` is called. */
  wait(): Promise<() => void> {
    if (this.#free > 0) return Promise.resolve(this.take());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
