/** Spans of time on the command line. */
import { usageError } from "./usage.ts";

const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** A number with s, m, h, d or w, as 90s or 7d; in milliseconds. */
export function durationOption(text: string, option: string): number {
  const [, digits, unit] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  const value = Number(digits) * (UNITS[unit ?? ""] ?? Number.NaN);
  if (value > 0) return value;
  throw usageError("BAD_DURATION", `${option}: "${text}" is not a span of time such as 90s, 12h or 7d`);
}

/** The longest unit that leaves no rest. */
export function durationText(milliseconds: number): string {
  const [unit, size] = Object.entries(UNITS)
    .reverse()
    .find(([, ms]) => milliseconds % ms === 0) ?? ["ms", 1];
  return `${milliseconds / size}${unit}`;
}
