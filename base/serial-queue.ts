/** Runs pieces of work one after the other, in the order in which they came. One that fails does not stop the next. */
export class SerialQueue {
  #last: Promise<void> = Promise.resolve();

  /** Settles as `work` does. */
  run<T>(work: () => T | Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    // Without the result, which would be kept until the next piece of work.
    const settled = () => undefined;
    this.#last = done.then(settled, settled);
    return done;
  }

  /** Resolves once all work that came until now has settled. */
  settled(): Promise<void> {
    return this.#last;
  }
}
