/**
 * The output of a command. The result goes to standard output, as text or as one JSON document; progress and notes go to
 * standard error, so that a result can be piped.
 */

import { MikeySakkeError } from "../../base/errors.ts";
import { nextStep } from "./hints.ts";
import { type Progress, type StatusLine, startProgress, startStatus } from "./progress.ts";
import type { Streams } from "./streams.ts";

export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/** A number with its noun, whose plural has an s: `1 member`, `2 members`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

export class Output {
  readonly json: boolean;
  readonly #streams: Streams;

  constructor(streams: Streams, json: boolean) {
    this.#streams = streams;
    this.json = json;
  }

  /** The result, once per run. `lines` is called only when text is wanted. */
  result(value: Json, lines: () => readonly string[]): void {
    const text = this.json ? toJson(value) : lines().map(printable).join("\n");
    this.#streams.stdout.write(`${text}\n`);
  }

  /** A result of a command that continues: with --json, one line. */
  ready(value: Json, lines: () => readonly string[]): void {
    if (!this.json) this.result(value, lines);
    else this.#streams.stdout.write(`${printable(JSON.stringify(value))}\n`);
  }

  /** For people only: nothing with --json. */
  note(line: string): void {
    if (!this.json) this.#streams.stderr.write(`${printable(line)}\n`);
  }

  progress(label: string, total: number): Progress {
    return startProgress(label, total, this.json ? undefined : this.#streams.stderr);
  }

  /** One line that changes. */
  status(): StatusLine {
    return startStatus(this.json ? undefined : this.#streams.stderr);
  }

  error(error: unknown): void {
    const hint = nextStep(error);
    if (this.json) {
      this.#streams.stdout.write(`${toJson({ ...describeError(error), next: hint })}\n`);
      return;
    }
    const check =
      error instanceof MikeySakkeError && error.check !== undefined ? ` (check ${error.check})` : "";
    this.#streams.stderr.write(`mikey-sakke: ${printable(messageOf(error))}${check}\n`);
    if (hint !== undefined) this.#streams.stderr.write(`  ${hint}\n`);
    // Unexpected, so only the stack trace helps to find the cause.
    if (!(error instanceof MikeySakkeError) && error instanceof Error) {
      const stack = (error.stack ?? "").split("\n").slice(1);
      for (const line of stack) this.#streams.stderr.write(`${printable(line)}\n`);
    }
  }
}

/** The fields of an error that programs may rely on. */
export function describeError(error: unknown): { [key: string]: Json | undefined } {
  const status = error instanceof MikeySakkeError && error.kind === "usage" ? "usage" : "refused";
  if (!(error instanceof MikeySakkeError)) return { status, code: "INTERNAL", message: messageOf(error) };
  const { kind, code, check, offset, message } = error;
  return { status, kind, code, check, offset, message };
}

function messageOf(error: unknown): string {
  if (error instanceof MikeySakkeError) return error.message;
  return error instanceof Error ? `internal error: ${error.message}` : `internal error: ${String(error)}`;
}

/** Controls, and marks that turn the direction of writing: what a message says must not steer a terminal. */
const STEERING = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

function printable(line: string): string {
  return line.replace(STEERING, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function toJson(value: Json): string {
  return JSON.stringify(value, null, 2).split("\n").map(printable).join("\n");
}

/** Text in columns, the first row as heading; columns of numbers are set to the right. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) =>
    rows.reduce((widest, row) => Math.max(widest, row[i]?.length ?? 0), 0),
  );
  const numeric = widths.map((_, i) =>
    rows.slice(1).every((row) => /^[\d.,\s]*(?:\/s| ms| s)?$/.test(row[i] ?? "")),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, i) => (numeric[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join("  ")
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => "-".repeat(width)).join("  "));
  return lines;
}
