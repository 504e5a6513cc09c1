/** Time that passes when told to. */
import type { Clock } from "../../base/clock.ts";
import { NOW } from "./names.ts";

export class VirtualClock implements Clock {
  #now: number;
  #timers: { at: number; order: number; run: () => void }[] = [];
  #order = 0;

  constructor(now = NOW) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, run: () => void): () => void {
    const timer = { at: this.#now + milliseconds, order: this.#order++, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Number of timers that have not run yet. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Milliseconds until the first timer. */
  get next(): number {
    return Math.min(...this.#timers.map(({ at }) => at)) - this.#now;
  }

  /** Lets so much time pass, and everything that is due happen. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    await settle();
    for (;;) {
      const due = this.#timers
        .filter(({ at }) => at <= end)
        .sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#now = Math.max(this.#now, due.at);
      due.run();
      await settle();
    }
    this.#now = Math.max(this.#now, end);
  }

  /** So much time passes while the process is busy or the machine sleeps: what is due meanwhile happens late. */
  stall(milliseconds: number): void {
    this.#now += milliseconds;
  }

  /** Somebody sets the clock forward or back by so much, while timers run on as they would have. */
  set(milliseconds: number): void {
    this.#now += milliseconds;
    for (const timer of this.#timers) timer.at += milliseconds;
  }
}

/** Lets promises that are settled run their course. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 40; i++) await Promise.resolve();
}
