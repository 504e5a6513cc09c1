/**
 * Exit statuses. Those from 64 on are BSD's sysexits, which service managers and scripts know; a script can tell a wrong
 * call from a server that is down, and both from a message that was refused.
 */
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";

export const EXIT = {
  /** The work was done, and every message was accepted. */
  accepted: 0,
  /** A message, request or key was refused. */
  refused: 1,
  /** The command was called wrongly. */
  usage: 2,
  /** An input file is missing or cannot be read. */
  noInput: 66,
  /** A server, or its database, cannot be reached. */
  unavailable: 69,
  /** An error that nobody foresaw. */
  internal: 70,
  /** An output exists already or cannot be made. */
  cannotCreate: 73,
  /** The same call may succeed later. */
  temporary: 75,
  /** The operating system gives no permission. */
  noPermission: 77,
  /** The configuration, or what it leads to, is wrong. */
  configuration: 78,
} as const;

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

const STATUSES: ReadonlyMap<ErrorCode, ExitStatus> = new Map(
  (
    [
      [EXIT.noInput, ["FILE_NOT_FOUND", "IS_FOLDER", "NOT_A_BACKUP", "NOT_A_FOLDER", "STORE_KEY_MISSING"]],
      [
        EXIT.unavailable,
        [
          "ADMIN_GONE",
          "ADMIN_UNREACHABLE",
          "BACKUP_BROKEN_OFF",
          "CONSOLE_NOT_RUNNING",
          "GMS_NOT_RUNNING",
          "KMS_UNREACHABLE",
          "NO_WAY_TO_KEYS",
          "SERVER_TIMEOUT",
          "SERVER_UNREACHABLE",
          "SIP_FLOW_FAILED",
          "SIP_TIMEOUT",
          "SIP_UNREACHABLE",
          "STORE_LOST",
          "TLS_EXPIRED",
          "TLS_NOT_YET_VALID",
          "TLS_UNTRUSTED",
          "TLS_WRONG_NAME",
        ],
      ],
      [EXIT.cannotCreate, ["DISK_FULL", "FILE_EXISTS", "READ_ONLY", "STORE_FULL", "TARGET_NOT_EMPTY"]],
      [
        EXIT.temporary,
        [
          "ADDRESS_IN_USE",
          "BUSY",
          "CLOCK_AHEAD",
          "CLOCK_OFF",
          "KEY_PENDING",
          "STORE_BUSY",
          "STORE_LOCKED",
          "STORE_TIMEOUT",
        ],
      ],
      [EXIT.noPermission, ["ADDRESS_DENIED", "FILE_DENIED"]],
      [
        EXIT.configuration,
        [
          "BACKUP_TOO_NEW",
          "BAD_CA",
          "BAD_CONFIG",
          "BAD_ENVIRONMENT",
          "BAD_TLS",
          "KMS_MISSING",
          "NO_DATABASE",
          "NO_GMS",
          "NO_KMS",
          "NO_MCX",
          "ADDRESS_NOT_HERE",
          "OTHER_DATABASE",
          "OTHER_KMS",
          "SERVERS_UNNAMED",
          "SETTING_FIXED",
          "STORE_TOO_NEW",
          "TLS_NEEDED",
          "TOKENS_NEEDED",
          "WRONG_STORE_KEY",
        ],
      ],
    ] as const
  ).flatMap(([status, codes]) => codes.map((code) => [code, status] as const)),
);

export function exitStatusOf(error: unknown): ExitStatus {
  if (!(error instanceof MikeySakkeError)) return EXIT.internal;
  return STATUSES.get(error.code) ?? (error.kind === "usage" ? EXIT.usage : EXIT.refused);
}
