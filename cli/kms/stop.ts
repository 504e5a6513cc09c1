/** SIGTERM and SIGINT as a wish to stop. A second one ends the process as it would any other. */
const SIGNALS = ["SIGTERM", "SIGINT"] as const;

export interface StopSignal {
  readonly signal: AbortSignal;
  /** Resolves with the first signal. */
  readonly stopped: Promise<string>;
  /** Lets signals be again. */
  release(): void;
}

export function listenForStop(): StopSignal {
  const controller = new AbortController();
  let resolve: (name: string) => void;
  const stopped = new Promise<string>((done) => {
    resolve = done;
  });
  const release = () => {
    for (const name of SIGNALS) process.off(name, stop);
  };
  const stop = (name: string) => {
    release();
    resolve(name);
    controller.abort();
  };
  for (const name of SIGNALS) process.on(name, stop);
  return { signal: controller.signal, stopped, release };
}
