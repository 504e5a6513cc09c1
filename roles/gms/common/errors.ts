/** The refusals of the operations of a GMS. The listeners have their own answers for these codes. */
import { type ErrorCode, MikeySakkeError } from "../../../base/errors.ts";

export type GmsErrorCode =
  | "GROUP_EXISTS"
  | "GROUP_UNKNOWN"
  /** `ifRevision` is not the revision of the group. */
  | "GROUP_CHANGED"
  /** The caller is a manager, and does not manage all groups concerned, or it is for operators only. */
  | "FORBIDDEN"
  | "MEMBER_EXISTS"
  | "MEMBER_UNKNOWN"
  | "GMK_UNKNOWN"
  | "GMK_REVOKED"
  | "REKEY_UNKNOWN"
  /** URI, settings or options of a group or its GMK. */
  | "BAD_GROUP"
  | "BAD_MEMBER";

export function refused(code: GmsErrorCode, message: string): MikeySakkeError {
  return new MikeySakkeError("usage", code, message);
}

export function isError(error: unknown, code: ErrorCode): error is MikeySakkeError {
  return error instanceof MikeySakkeError && error.code === code;
}

/**
 * Returns the code and the text of an error for the log and the store. Of a foreign error only the name of its class is
 * given, since its text may quote anything.
 */
export function loggable(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof MikeySakkeError) return { code: error.code, message: error.message };
  return { code: "INTERNAL", message: error instanceof Error ? error.name : typeof error };
}

export function refusedConfig(message: string): MikeySakkeError {
  return new MikeySakkeError("usage", "BAD_CONFIG", `GMS configuration: ${message}`);
}
