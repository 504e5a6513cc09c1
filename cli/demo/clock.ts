/** The times that the demo took, and the end of a step that does not go on any more. */

import type { Clock } from "../../base/clock.ts";
import type { Progress } from "../terminal/progress.ts";
import type { Step } from "./report.ts";
import { incomplete } from "./report.ts";

export type StartProgress = (label: string, total: number) => Progress;

/** The work of a step: it tells how much is done, and knows whether the step is still waited for. */
export interface Work {
  update(done: number): void;
  /** Something was done that `update` does not count. */
  goesOn(): void;
  /** Why it has not gone on, when that is known: for the error. */
  lacks(what: () => string): void;
  readonly signal: AbortSignal;
}

/** However slow the machine is, something is done within that. */
const PATIENCE_MS = 60_000;

export class StepClock {
  readonly steps: Step[] = [];
  readonly #startProgress: StartProgress;
  readonly #clock: Clock;

  constructor(startProgress: StartProgress, clock: Clock) {
    this.#startProgress = startProgress;
    this.#clock = clock;
  }

  /**
   * Times `work`. However long it takes, it is waited for as long as more and more is done.
   *
   * @throws {MikeySakkeError} transport `DEMO_INCOMPLETE` when nothing was done for `patienceMs`
   */
  async time<T>(
    name: string,
    count: number,
    work: (step: Work) => Promise<T>,
    patienceMs = PATIENCE_MS,
  ): Promise<T> {
    const progress = this.#startProgress(name, count);
    const started = this.#clock.now();
    const end = new AbortController();
    let most = 0;
    let cancel = () => {};
    let lacks = () => "";
    let goesOn = () => {};
    const stalled = new Promise<never>((_, reject) => {
      goesOn = () => {
        cancel();
        if (end.signal.aborted) return;
        cancel = this.#clock.after(patienceMs, () => {
          const text = [`${name}: ${most} of ${count}, and no more for ${patienceMs / 1000} s`, lacks()];
          reject(incomplete(text.filter((part) => part !== "").join(": ")));
        });
      };
    });
    goesOn();
    try {
      const step: Work = {
        update(done) {
          progress.update(done);
          if (done <= most) return;
          most = done;
          goesOn();
        },
        goesOn,
        lacks(what) {
          lacks = what;
        },
        signal: end.signal,
      };
      return await Promise.race([work(step), stalled]);
    } finally {
      end.abort();
      cancel();
      this.steps.push({ name, count, ms: this.#clock.now() - started });
      progress.end();
    }
  }
}
