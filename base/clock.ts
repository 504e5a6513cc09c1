/** Time, passed in wherever something waits or takes the time. */

/** A source of timers. */
export interface TimerPort {
  /** Runs once after so many milliseconds, unless the function it returns is called before. */
  after(milliseconds: number, run: () => void): () => void;
}

export interface Clock extends TimerPort {
  /** Milliseconds. Where nothing else is said, only differences count. */
  now(): number;
}

/** setTimeout counts milliseconds in 31 bits; a longer time runs in parts. */
const LONGEST = 0x7fff_ffff;

/** The clock of the machine. Its timers do not keep a Node.js process alive; sockets do. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(milliseconds, run) {
    let handle: ReturnType<typeof setTimeout>;
    const wait = (left: number): void => {
      handle = setTimeout(() => (left > LONGEST ? wait(left - LONGEST) : run()), Math.min(left, LONGEST));
      // Node.js gives an object, a browser a number.
      if (typeof handle === "object") handle.unref();
    };
    wait(milliseconds);
    return () => clearTimeout(handle);
  },
};

/** Resolves after so many milliseconds of a clock. On the system clock the wait does not keep a Node.js process alive. */
export function pauseOn(clock: TimerPort, milliseconds: number): Promise<void> {
  return new Promise((resolve) => void clock.after(milliseconds, resolve));
}

/**
 * Resolves with the result of `work`, or with undefined after so many milliseconds of a clock. The work then goes on, and
 * what becomes of it counts for nothing.
 */
export async function orLate<T>(
  work: Promise<T>,
  clock: TimerPort,
  milliseconds: number,
): Promise<T | undefined> {
  let cancel = () => {};
  const late = new Promise<undefined>((resolve) => {
    cancel = clock.after(milliseconds, () => resolve(undefined));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    cancel();
  }
}

/** A timer that can be set again: what it was set to before does not happen any more. */
export class Timer {
  readonly #port: TimerPort;
  #cancel: (() => void) | undefined;

  constructor(port: TimerPort) {
    this.#port = port;
  }

  get isSet(): boolean {
    return this.#cancel !== undefined;
  }

  set(milliseconds: number, run: () => void): void {
    this.clear();
    this.#cancel = this.#port.after(milliseconds, () => {
      this.#cancel = undefined;
      run();
    });
  }

  clear(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
