/** Calls the KMS when it is time to, and again after failures. */
import { systemClock, Timer, type TimerPort } from "../../base/clock.ts";
import type { RandomSource } from "../../base/random.ts";
import { KmsRefusedError } from "./kms-answer.ts";
import { nextRetry } from "./refresh-plan.ts";

/** The clock is looked at this often, since it may be set, and a machine that slept has late timers. */
const NAP_MS = 600_000;

export interface RefreshLoopOptions {
  readonly now: () => number;
  readonly random: RandomSource;
  readonly timers?: TimerPort;
  /** When to call next, and how long that may be at most. */
  readonly refresh: (
    signal: AbortSignal,
  ) => Promise<{ readonly refreshAt: number; readonly longestWaitMs: number }>;
  readonly failed: (error: unknown, retryAt: number) => void;
}

export class RefreshLoop {
  readonly #options: RefreshLoopOptions;
  readonly #timer: Timer;
  #stop: AbortController | undefined;
  #dueAt = 0;
  #longestWaitMs = Number.POSITIVE_INFINITY;
  #failures = 0;

  constructor(options: RefreshLoopOptions) {
    this.#options = options;
    this.#timer = new Timer(options.timers ?? systemClock);
  }

  start({ refreshAt, longestWaitMs }: { readonly refreshAt: number; readonly longestWaitMs: number }): void {
    this.stop();
    this.#stop = new AbortController();
    this.#failures = 0;
    this.#longestWaitMs = longestWaitMs;
    this.#wait(refreshAt, this.#stop.signal);
  }

  stop(): void {
    this.#stop?.abort();
    this.#stop = undefined;
    this.#timer.clear();
  }

  #wait(dueAt: number, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#dueAt = dueAt;
    const ms = Math.min(Math.max(dueAt - this.#options.now(), 0), NAP_MS);
    this.#timer.set(ms, () => void this.#wake(signal));
  }

  async #wake(signal: AbortSignal): Promise<void> {
    const left = this.#dueAt - this.#options.now();
    // More than was ever waited for: the clock was put back.
    if (left > 0 && left <= this.#longestWaitMs) return this.#wait(this.#dueAt, signal);
    try {
      const { refreshAt, longestWaitMs } = await this.#options.refresh(signal);
      this.#failures = 0;
      this.#longestWaitMs = longestWaitMs;
      this.#wait(refreshAt, signal);
    } catch (error) {
      if (signal.aborted) return;
      const retryAt = this.#retryAt(error);
      this.#options.failed(error, retryAt);
      this.#wait(retryAt, signal);
    }
  }

  #retryAt(error: unknown): number {
    const { now, random } = this.#options;
    const failures = ++this.#failures;
    const { status, retryAfter } = error instanceof KmsRefusedError ? error : {};
    const wait = { now: now(), failures, forbidden: status === 403, retryAfter: retryAfter ?? 0 };
    return nextRetry(wait, random);
  }
}
