import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";

/** An error in how the command was called: exit status 2. */
export function usageError(code: ErrorCode, message: string, cause?: unknown): MikeySakkeError {
  return new MikeySakkeError("usage", code, message, cause === undefined ? {} : { cause });
}
