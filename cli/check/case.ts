/** One numbered test case against somebody's server, and how it is judged. */

export type Verdict = "pass" | "fail" | "inconclusive" | "not applicable";

export interface TestCase<Peer> {
  /** Keeps its meaning for ever, as reports of other releases quote it. */
  readonly id: string;
  /** The behaviour that the case asks of the server. */
  readonly title: string;
  /** The clause; of TS 33.180 if no document is named. */
  readonly clause: string;
  /** Throws a `Judgement` unless the server passes. An error of the library about what came is a failure too. */
  run(peer: Peer): void | Promise<void>;
}

/** Ends a case with another verdict than pass. */
export class Judgement extends Error {
  override readonly name = "Judgement";
  readonly verdict: Exclude<Verdict, "pass">;

  constructor(verdict: Exclude<Verdict, "pass">, reason: string) {
    super(reason);
    this.verdict = verdict;
  }
}

export function fail(reason: string): never {
  throw new Judgement("fail", reason);
}

/** Ends a case on something that the standard leaves open, or that could not be seen. */
export function inconclusive(reason: string): never {
  throw new Judgement("inconclusive", reason);
}

export function notApplicable(reason: string): never {
  throw new Judgement("not applicable", reason);
}

/** Fails unless it holds; `reason` says what is wrong. */
export function must(holds: boolean, reason: string): asserts holds {
  if (!holds) fail(reason);
}

/** Returns what an earlier case found out; without it nothing can be said here. */
export function known<T>(fact: T | undefined, from: string): T {
  return fact ?? inconclusive(`follows from ${from}, which did not pass`);
}
