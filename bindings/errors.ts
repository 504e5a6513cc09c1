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
  readonly code: string;
  readonly check: number | undefined;
  readonly offset: number | undefined;

  constructor(kind: ErrorKind, code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.code = code;
    this.check = details.check;
    this.offset = details.offset;
  }
}

/** Throws a usage error unless `value` is a Uint8Array of the given length. */
export function requireBytes(value: unknown, label: string, length?: number): asserts value is Uint8Array {
  if (!(value instanceof Uint8Array)) {
    throw new MikeySakkeError("usage", "NOT_BYTES", `${label}: expected Uint8Array, got ${typeName(value)}`);
  }
  if (length !== undefined && value.length !== length) {
    throw new MikeySakkeError(
      "usage",
      "WRONG_LENGTH",
      `${label}: expected ${length} octets, got ${value.length}`,
    );
  }
}

function typeName(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
}
