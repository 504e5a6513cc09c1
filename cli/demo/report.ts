/** The findings of the demo, as far as it got. */
import { MikeySakkeError } from "../../base/errors.ts";

export interface Step {
  readonly name: string;
  readonly count: number;
  readonly ms: number;
}

/** Results that must hold on any machine: which member has which key, and which member decrypted what. */
export interface Check {
  readonly what: string;
  readonly held: number;
  readonly of: number;
  readonly expected: number;
}

/** A figure that depends on the speed of the machine, and fails nothing. */
export interface Measure {
  readonly what: string;
  readonly held: number;
  readonly of: number;
  /** Why it is less than all. */
  readonly note?: string;
}

export interface DemoResult {
  readonly members: number;
  readonly sip: number;
  readonly http: number;
  readonly gmkIds: readonly string[];
  readonly steps: readonly Step[];
  readonly checks: readonly Check[];
  readonly measures: readonly Measure[];
  /** Why it went no further, or did not come out as it must. */
  readonly failure?: unknown;
}

export class Report {
  readonly gmkIds: string[] = [];
  readonly checks: Check[] = [];
  readonly measures: Measure[] = [];

  check(what: string, held: number, of: number, expected = of): void {
    this.checks.push({ what, held, of, expected });
  }

  measure(measure: Measure): void {
    this.measures.push(measure);
  }

  get shown(): Pick<DemoResult, "gmkIds" | "checks" | "measures"> {
    const { gmkIds, checks, measures } = this;
    return { gmkIds, checks, measures };
  }

  /** The error of the checks that failed, verification `DEMO_FAILED`; undefined when all hold. */
  get failure(): MikeySakkeError | undefined {
    const failed = this.checks.filter(({ held, expected }) => held !== expected);
    if (failed.length === 0) return undefined;
    return unexpected(
      failed.map(({ what, held, of, expected }) => `${what}: ${held} of ${of}, not ${expected}`).join("; "),
    );
  }
}

export function unexpected(text: string): MikeySakkeError {
  return new MikeySakkeError("verification", "DEMO_FAILED", text);
}

export function incomplete(text: string): MikeySakkeError {
  return new MikeySakkeError("transport", "DEMO_INCOMPLETE", text);
}
