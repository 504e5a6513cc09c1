/** A clock for what waits. */
import type { TimerPort } from "../../../base/clock.ts";

/** Timers and a clock that the test turns. */
export class Clock implements TimerPort {
  now = 0;
  #waiting = new Map<number, { work: () => void; at: number }>();
  #next = 1;

  after(ms: number, work: () => void): () => void {
    const id = this.#next++;
    this.#waiting.set(id, { work, at: this.now + ms });
    return () => this.#waiting.delete(id);
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Until the first timer. */
  get next(): number {
    return Math.min(...[...this.#waiting.values()].map(({ at }) => at)) - this.now;
  }

  /** Lets time go by, as a clock that is right. */
  async pass(ms: number): Promise<void> {
    const end = this.now + ms;
    for (;;) {
      const [first] = [...this.#waiting].sort(([, a], [, b]) => a.at - b.at);
      if (first === undefined || first[1].at > end) break;
      this.#waiting.delete(first[0]);
      this.now = Math.max(this.now, first[1].at);
      first[1].work();
      for (let i = 0; i < 10; i++) await Promise.resolve();
    }
    this.now = end;
  }

  /** Sets the clock, while timers go on as they would have. */
  jump(ms: number): void {
    this.now += ms;
    for (const timer of this.#waiting.values()) timer.at += ms;
  }
}
