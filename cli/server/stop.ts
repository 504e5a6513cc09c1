/**
 * SIGTERM and SIGINT as a wish to stop. A second one ends the process as it would any other. Until `release` the process
 * goes on, also while nothing but idle connections and timers of libraries is there.
 */
const SIGNALS = ["SIGTERM", "SIGINT"] as const;
const LONG_MS = 3_600_000;

/** Calls `reload` at each SIGHUP, one call after the other, until what it returns is called. */
export function listenForReload(reload: () => Promise<void>): () => void {
  let last = Promise.resolve();
  const reloads = () => {
    last = last.then(reload);
  };
  process.on("SIGHUP", reloads);
  return () => void process.off("SIGHUP", reloads);
}

export interface StopSignal {
  readonly signal: AbortSignal;
  /** Resolves with the first signal. */
  readonly stopped: Promise<string>;
  /** Lets signals be again. */
  release(): void;
  /** The same, for what failed before there was anything to stop. */
  failed(error: unknown): never;
}

export function listenForStop(): StopSignal {
  const controller = new AbortController();
  let resolve: (name: string) => void;
  const stopped = new Promise<string>((done) => {
    resolve = done;
  });
  const alive = setInterval(() => undefined, LONG_MS);
  const ignore = () => {
    for (const name of SIGNALS) process.off(name, stop);
  };
  const release = () => {
    clearInterval(alive);
    ignore();
  };
  const stop = (name: string) => {
    ignore();
    resolve(name);
    controller.abort();
  };
  for (const name of SIGNALS) process.on(name, stop);
  const failed = (error: unknown): never => {
    release();
    throw error;
  };
  return { signal: controller.signal, stopped, release, failed };
}
