/** What took how long in the demo. */
import type { Progress } from "../progress.ts";

export interface Step {
  readonly name: string;
  readonly count: number;
  readonly ms: number;
}

export type StartProgress = (label: string, total: number) => Progress;

export class StepClock {
  readonly steps: Step[] = [];
  readonly #startProgress: StartProgress;

  constructor(startProgress: StartProgress) {
    this.#startProgress = startProgress;
  }

  /** Times `work`, which tells how much of `count` is done. */
  async time<T>(
    name: string,
    count: number,
    work: (update: (done: number) => void) => Promise<T>,
  ): Promise<T> {
    const progress = this.#startProgress(name, count);
    const started = performance.now();
    try {
      return await work((done) => progress.update(done));
    } finally {
      this.steps.push({ name, count, ms: performance.now() - started });
      progress.end();
    }
  }
}
