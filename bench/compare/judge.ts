/** Judges whether one state of the code is slower than another, by processes that take turns. */
import { rounded, timing } from "../../cli/bench/sampling.ts";

/** A loss is a median of the ratios beyond this. */
export const THRESHOLD = 1.05;

/** Microseconds an operation by the name of the row: best samples, since noise only ever adds. */
export type Figures = Readonly<Record<string, number>>;

export interface Side {
  /** One whole process. */
  run(): Figures;
}

export interface RowRatio {
  readonly name: string;
  /** Bests of all processes. */
  readonly before: number;
  readonly after: number;
  /** Median of after to before, each of neighbouring processes. */
  readonly ratio: number;
  readonly ratios: readonly number[];
}

export interface Comparison {
  readonly threshold: number;
  /** One series, and a second where the first shows a loss. */
  readonly series: readonly (readonly RowRatio[])[];
  /** Rows lost in both. */
  readonly lost: readonly string[];
}

/** Before, after, before, after, and so on, so that a state of the machine that lasts meets both. */
export function compare(before: Side, after: Side, names: readonly string[], rounds: number): Comparison {
  const first = runSeries(before, after, names, rounds);
  const suspects = lossesOf(first);
  if (suspects.length === 0) return { threshold: THRESHOLD, series: [first], lost: [] };
  const second = runSeries(before, after, names, rounds);
  const again = new Set(lossesOf(second));
  const lost = suspects.filter((name) => again.has(name));
  return { threshold: THRESHOLD, series: [first, second], lost };
}

function runSeries(before: Side, after: Side, names: readonly string[], rounds: number): RowRatio[] {
  const pairs = Array.from({ length: rounds }, () => [before.run(), after.run()] as const);
  return names.map((name) => {
    const times = pairs.map(([a, b]) => [figure(a, name), figure(b, name)] as const);
    const ratios = times.map(([a, b]) => b / a);
    return {
      name,
      before: Math.min(...times.map(([a]) => a)),
      after: Math.min(...times.map(([, b]) => b)),
      ratio: rounded(timing(ratios).median),
      ratios: ratios.map(rounded),
    };
  });
}

function figure(figures: Figures, name: string): number {
  const value = figures[name];
  if (value === undefined) throw new Error(`${name}: one side has no such row`);
  return value;
}

function lossesOf(rows: readonly RowRatio[]): string[] {
  return rows.filter(({ ratio }) => ratio > THRESHOLD).map(({ name }) => name);
}
