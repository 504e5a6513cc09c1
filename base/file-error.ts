/** Errors of the operating system about files, told alike wherever they come up: the path, and what is wrong with it. */
import { type ErrorCode, MikeySakkeError } from "./errors.ts";

const REASONS: Readonly<Record<string, readonly [code: ErrorCode, text: string]>> = {
  ENOENT: ["FILE_NOT_FOUND", "no such file or folder"],
  EEXIST: ["FILE_EXISTS", "exists already"],
  EACCES: ["FILE_DENIED", "permission denied"],
  EPERM: ["FILE_DENIED", "permission denied"],
  EROFS: ["READ_ONLY", "the file system is read-only"],
  ENOSPC: ["DISK_FULL", "no space left on the disk"],
  EDQUOT: ["DISK_FULL", "no space left in the quota"],
  EISDIR: ["IS_FOLDER", "is a folder, not a file"],
  ENOTDIR: ["NOT_A_FOLDER", "is a file where a folder is needed"],
};

/** Returns what went wrong with a file as a fault of the call, which names the file. */
export function fileError(name: string, cause: unknown): MikeySakkeError {
  if (cause instanceof MikeySakkeError) return cause;
  const errno = (cause as { code?: string }).code ?? "";
  const [code, text] = REASONS[errno] ?? ["FILE_FAILED", `cannot be used (${errno})`];
  return new MikeySakkeError("usage", code, `${name}: ${text}`, { cause });
}
