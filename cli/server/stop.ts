/**
 * SIGTERM and SIGINT as a wish to stop. A second one ends the process as it would any other. Until `release` the process
 * goes on, also while nothing but idle connections and timers of libraries is there.
 */
const SIGNALS = ["SIGTERM", "SIGINT"] as const;
const LONG_MS = 3_600_000;

export interface ReloadSignal {
  /** Called at each SIGHUP, one call after the other, also for those that came before. Does not throw. */
  answer(reload: () => Promise<void>): void;
  /** Lets the signal be again. */
  release(): void;
}

/** A SIGHUP that comes while the servers start waits until they run. */
export function listenForReload(): ReloadSignal {
  let answer!: ReloadSignal["answer"];
  const answered = new Promise<() => Promise<void>>((resolve) => {
    answer = resolve;
  });
  let last = Promise.resolve();
  const reloads = () => {
    last = last.then(async () => (await answered)());
  };
  process.on("SIGHUP", reloads);
  return { answer, release: () => void process.off("SIGHUP", reloads) };
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
