/** A queue of what the client under test has sent, for test cases that wait for it. */
import type { TimerPort } from "../../../base/clock.ts";

export class Arrivals<T> {
  readonly all: T[] = [];
  readonly #waiting = new Set<() => void>();

  get last(): T | undefined {
    return this.all.at(-1);
  }

  add(item: T): void {
    this.all.push(item);
    for (const look of [...this.#waiting]) look();
  }

  /** The first that fits, of those that are there from `from` on or come in time. */
  async find(
    timers: TimerPort,
    milliseconds: number,
    fits: (item: T) => boolean = () => true,
    from = 0,
  ): Promise<T | undefined> {
    return new Promise((resolve) => {
      const end = (found: T | undefined) => {
        cancel();
        this.#waiting.delete(look);
        resolve(found);
      };
      const look = () => {
        const found = this.all.slice(from).find(fits);
        if (found !== undefined) end(found);
      };
      const cancel = timers.after(Math.max(0, milliseconds), () => end(undefined));
      this.#waiting.add(look);
      look();
    });
  }
}
