/** A lock on a subscription, which one part of the code at a time may work on. */
export class NotifyLock {
  readonly #waiting: (() => void)[] = [];
  #taken = false;
  #wanted = false;

  get taken(): boolean {
    return this.#taken;
  }

  /** False when somebody else has it; then `release` will say that it was wanted. */
  take(): boolean {
    if (this.#taken) {
      this.#wanted = true;
      return false;
    }
    this.#taken = true;
    return true;
  }

  /** Waits for it. */
  wait(): Promise<void> {
    if (!this.#taken) {
      this.#taken = true;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** True when it is free now, and was wanted by somebody who did not wait. */
  release(): boolean {
    const next = this.#waiting.shift();
    if (next !== undefined) {
      next();
      return false;
    }
    const wanted = this.#wanted;
    this.#taken = false;
    this.#wanted = false;
    return wanted;
  }
}
