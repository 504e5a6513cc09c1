/**
 * Brings calls that come at the same time together: while one batch is under way those that come wait, and make up the
 * next. Nobody waits for others to come.
 */
import { MikeySakkeError } from "../../base/errors.ts";

interface Ticket<Item, Result> {
  readonly items: readonly Item[];
  resolve(results: Result[]): void;
  reject(error: unknown): void;
}

export class Gatherer<Item, Result> {
  readonly #work: (items: readonly Item[]) => Promise<Result[]>;
  readonly #most: number;
  readonly #waiting: Ticket<Item, Result>[] = [];
  #running: Promise<void> | undefined;

  /** `work` gives a result for each item, in order; no batch is larger than `most`, unless a single call is. */
  constructor(work: (items: readonly Item[]) => Promise<Result[]>, most: number) {
    this.#work = work;
    this.#most = most;
  }

  add(items: readonly Item[]): Promise<Result[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ items, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    // Requests that came with one turn of the event loop go together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) await this.#batch(this.#take());
    this.#running = undefined;
  }

  #take(): Ticket<Item, Result>[] {
    let count = 0;
    let end = 0;
    for (const { items } of this.#waiting) {
      if (end > 0 && count + items.length > this.#most) break;
      count += items.length;
      end++;
    }
    return this.#waiting.splice(0, end);
  }

  async #batch(tickets: readonly Ticket<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#work(tickets.flatMap(({ items }) => items));
      let at = 0;
      for (const { items, resolve } of tickets) {
        resolve(results.slice(at, at + items.length));
        at += items.length;
      }
    } catch (error) {
      if (tickets.length > 1 && isOfOne(error)) for (const ticket of tickets) await this.#batch([ticket]);
      else for (const { reject } of tickets) reject(error);
    }
  }
}

/** Returns whether one item may be to blame: the others must not suffer for it. A database that is gone fails for all. */
function isOfOne(error: unknown): boolean {
  return error instanceof MikeySakkeError && error.kind !== "transport";
}
