import type { ErrorCode } from "./error-codes/index.ts";

export type { ErrorCode } from "./error-codes/index.ts";

/**
 * The one error class of the package. `kind` says by whose fault the call failed, `code` is stable and
 * meant for programs, `check` is the number of the check in docs/validation.md that refused a message.
 */
export type ErrorKind = "usage" | "codec" | "validation" | "verification" | "crypto" | "transport";

export interface ErrorDetails {
  /** Number of the check in docs/validation.md. */
  check?: number;
  /** Offset in octets of the offending field, where the input was a message. */
  offset?: number;
  cause?: unknown;
}

export class MikeySakkeError extends Error {
  override readonly name = "MikeySakkeError";
  readonly kind: ErrorKind;
  readonly code: ErrorCode;
  readonly check: number | undefined;
  readonly offset: number | undefined;

  constructor(kind: ErrorKind, code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.code = code;
    this.check = details.check;
    this.offset = details.offset;
  }
}

/** Throws a usage error unless `value` is a Uint8Array of one of the given lengths, of any if there is none. */
export function requireBytes(
  value: unknown,
  label: string,
  ...lengths: readonly number[]
): asserts value is Uint8Array {
  if (!(value instanceof Uint8Array)) {
    throw new MikeySakkeError("usage", "NOT_BYTES", `${label}: expected Uint8Array, got ${typeName(value)}`);
  }
  if (lengths.length > 0 && !lengths.includes(value.length)) {
    const text = `${label}: expected ${lengths.join(" or ")} octets, got ${value.length}`;
    throw new MikeySakkeError("usage", "WRONG_LENGTH", text);
  }
}

/** Throws a usage error unless `value` is an array. What is in it is checked one by one. */
export function requireList(value: unknown, label: string): asserts value is readonly unknown[] {
  if (!Array.isArray(value)) throw wrongType(value, label, "an array");
}

/** Throws a usage error unless `value` is a function. */
export function requireFunction(value: unknown, label: string): void {
  if (typeof value !== "function") throw wrongType(value, label, "a function");
}

/**
 * Throws a usage error unless `value` has the method `method`, by which a `name` is known: its class may be that of
 * another copy of the package.
 */
export function requireObject(value: unknown, label: string, name: string, method: string): void {
  const object = value as Record<string, unknown> | null | undefined;
  if (typeof object?.[method] !== "function") throw wrongType(value, label, name);
}

/** Throws a usage error unless `value` is an object that may hold options. */
export function requireOptions(value: unknown, label: string): void {
  if (typeof value !== "object" || value === null) throw wrongType(value, label, "an object");
}

/** Throws a usage error unless `value` is a string. */
export function requireString(value: unknown, label: string): void {
  if (typeof value !== "string") throw wrongType(value, label, "a string");
}

/** Throws a usage error unless `value` is an integer that is not negative. */
export function requireCount(value: unknown, label: string): void {
  if (!Number.isInteger(value) || (value as number) < 0) throw wrongType(value, label, "a whole number");
}

/** Throws a usage error unless `value` is one of these. */
export function requireOneOf(value: unknown, label: string, choices: readonly string[]): void {
  if (!choices.includes(value as string)) throw wrongType(value, label, choices.join(" or "));
}

function wrongType(value: unknown, label: string, expected: string): MikeySakkeError {
  return new MikeySakkeError("usage", "WRONG_TYPE", `${label}: expected ${expected}, got ${typeName(value)}`);
}

function typeName(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
}
