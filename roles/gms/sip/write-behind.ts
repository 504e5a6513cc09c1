/**
 * Writes what comes one by one to the store, in the background: while one call is under way, what comes waits and makes
 * up the next. Nobody waits for an answer, as they do of a `Gatherer`, so what failed is kept.
 */
export class WriteBehind<Item> {
  readonly #work: (items: readonly Item[]) => Promise<void>;
  readonly #most: number;
  readonly #retry: (run: () => void) => void;
  #waiting: Item[] = [];
  #running: Promise<void> | undefined;
  #closed = false;

  /**
   * No call has more than `most` items. What failed is kept and tried again when `retry` says so; `work` itself tells of
   * the failure.
   */
  constructor(
    work: (items: readonly Item[]) => Promise<void>,
    most: number,
    retry: (run: () => void) => void,
  ) {
    this.#work = work;
    this.#most = most;
    this.#retry = retry;
  }

  /** After `close` it is too late. */
  add(...items: readonly Item[]): void {
    if (this.#closed) return;
    this.#waiting.push(...items);
    this.#start();
  }

  #start(): void {
    if (this.#waiting.length > 0) this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    // What comes within one turn of the event loop goes together.
    await new Promise<void>((resolve) => setImmediate(resolve));
    let failed = false;
    while (this.#waiting.length > 0 && !failed) {
      const batch = this.#waiting.splice(0, this.#most);
      try {
        await this.#work(batch);
      } catch {
        failed = true;
        this.#waiting.unshift(...batch);
      }
    }
    this.#running = undefined;
    if (failed && !this.#closed) this.#retry(() => this.#start());
  }

  /** Waits for what is there; what fails now is lost. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
    this.#start();
    await this.#running;
    this.#waiting = [];
  }
}
