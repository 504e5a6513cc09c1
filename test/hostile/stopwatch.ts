/** Measures how long requests took, by what they were, and which failed. */

export interface Timed {
  readonly what: string;
  /** Since the start of the process, in milliseconds. */
  readonly at: number;
  readonly milliseconds: number;
}

export interface Failed {
  readonly what: string;
  readonly at: number;
  readonly error: unknown;
}

export class Stopwatch {
  readonly answers: Timed[] = [];
  readonly failures: Failed[] = [];

  async time<T>(what: string, request: () => Promise<T>): Promise<T | undefined> {
    const at = performance.now();
    try {
      const result = await request();
      this.answers.push({ what, at, milliseconds: performance.now() - at });
      return result;
    } catch (error) {
      this.failures.push({ what, at, error });
      return undefined;
    }
  }
}

export interface Times {
  readonly count: number;
  /** Milliseconds. */
  readonly median: number;
  readonly p99: number;
  readonly slowest: number;
  /** The name of the slowest request. */
  readonly what: string;
}

export function timesOf(answers: readonly Timed[]): Times {
  const sorted = [...answers].sort((a, b) => a.milliseconds - b.milliseconds);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
  const ms = (timed: Timed | undefined) => Math.round((timed?.milliseconds ?? 0) * 10) / 10;
  return {
    count: sorted.length,
    median: ms(at(0.5)),
    p99: ms(at(0.99)),
    slowest: ms(sorted.at(-1)),
    what: sorted.at(-1)?.what ?? "",
  };
}
