/** The end of a piece of work: after a time, or with the caller's signal. */

export interface Deadline {
  readonly signal: AbortSignal;
  /** Whether the time was over before the work was. */
  readonly isOver: boolean;
  /** `promise`, or a rejection with the reason of the signal if that comes first. */
  race<T>(promise: Promise<T>): Promise<T>;
  /** The work is done: the timer and the listener go. */
  release(): void;
}

/**
 * Not AbortSignal.timeout with AbortSignal.any: Node.js 20 may collect a signal that only another one made of it still
 * knows, and then nothing ends. `fetch` there holds its signal weakly too, which is why `race` does not rely on it.
 */
export function deadline(milliseconds: number, outer?: AbortSignal): Deadline {
  const controller = new AbortController();
  const { signal } = controller;
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    controller.abort(new DOMException(`not done within ${milliseconds} ms`, "TimeoutError"));
  }, milliseconds);
  const stop = () => controller.abort(outer!.reason);
  if (outer?.aborted === true) stop();
  else outer?.addEventListener("abort", stop, { once: true });
  return {
    signal,
    get isOver() {
      return isOver;
    },
    race: (promise) => orAborted(promise, signal),
    release() {
      clearTimeout(timer);
      outer?.removeEventListener("abort", stop);
    },
  };
}

/** Runs `run` and gives its result; rejects with a TimeoutError if it takes longer. */
export async function withTimeout<T>(
  milliseconds: number,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const end = deadline(milliseconds);
  try {
    return await end.race(run(end.signal));
  } finally {
    end.release();
  }
}

/** `promise`, or a rejection with the reason of the signal if that is aborted first. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

/** Resolves after so many milliseconds, or at once when the signal is aborted. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener("abort", done);
    if (signal?.aborted) done();
  });
}
