/**
 * Measures how much more two threads of this machine do than one, on a loop that needs registers only: what no pool can
 * exceed. Cores of a virtual machine share clock, power and often the physical core with others.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";

/** Some 0.3 s on a Zen 3 core. */
const TURNS = 1.5e8;

const LOOP = `
  const { parentPort } = require("node:worker_threads");
  parentPort.on("message", (turns) => {
    let a = 0.1, b = 0.2, c = 0.3, d = 0.4;
    for (let i = 0; i < turns; i++) {
      a = a * 0.999 + 0.1;
      b = b * 0.998 + a;
      c = c * 0.997 + 0.2;
      d = d * 0.996 + c;
    }
    parentPort.postMessage(a + b + c + d);
  });
`;

export class Ceiling {
  readonly #threads: readonly Worker[];

  constructor(threads: number) {
    this.#threads = Array.from({ length: threads }, () => new Worker(LOOP, { eval: true }));
  }

  /** Seconds until each of the first `threads` has run the loop once. */
  async run(threads: number): Promise<number> {
    const started = performance.now();
    await Promise.all(
      this.#threads.slice(0, threads).map((thread) => {
        thread.postMessage(TURNS);
        return once(thread, "message");
      }),
    );
    return (performance.now() - started) / 1000;
  }

  async destroy(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }
}
