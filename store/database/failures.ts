/**
 * Errors of the drivers told as our own. A driver's error is not passed on as the cause: PGlite's carries the
 * parameters of the statement, and logs print causes.
 */
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";

/** SQLSTATE by its start (PostgreSQL, appendix A), the longest first where two fit. */
const STATES: readonly (readonly [
  start: string,
  kind: "usage" | "transport",
  code: ErrorCode,
  text: string,
])[] = [
  ["57014", "transport", "STORE_TIMEOUT", "the database took too long"],
  ["55P03", "transport", "STORE_TIMEOUT", "another process held a lock for too long"],
  ["25P03", "transport", "STORE_TIMEOUT", "a transaction was left waiting too long"],
  ["40", "transport", "STORE_BUSY", "the database gave up on a conflict between processes"],
  ["08", "transport", "STORE_LOST", "the connection to the database was lost"],
  ["57P", "transport", "STORE_LOST", "the database is shutting down or starting"],
  ["533", "transport", "STORE_LOST", "the database has too many connections"],
  ["53", "transport", "STORE_FULL", "the database is out of room"],
  ["28", "usage", "STORE_REFUSED", "the database does not know the user or the password"],
  ["3D", "usage", "STORE_REFUSED", "the database does not exist"],
  ["42501", "usage", "STORE_REFUSED", "the database user lacks a right"],
  ["22", "usage", "STORE_VALUE", "a value cannot be stored"],
  ["23", "usage", "STORE_VALUE", "a value breaks a rule of the database"],
  ["54", "usage", "STORE_VALUE", "a value is too large for the database"],
];

const SQL_STATE = /^[0-9A-Z]{5}$/;
/** Conflicts that come from the order in which processes ran: worth another try. */
const CONFLICTS = ["40001", "40P01"];

export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  // Codes of sockets such as EPIPE have five letters too, but a SQLSTATE has a severity with it.
  const severity = (error as { severity?: unknown } | undefined)?.severity;
  return typeof code === "string" && SQL_STATE.test(code) && severity !== undefined ? code : undefined;
}

export function isConflict(error: unknown): boolean {
  return CONFLICTS.includes(sqlState(error) ?? "");
}

/** Errors of our own, such as those that the work of a transaction throws, stay as they are. */
export function storeError(error: unknown): Error {
  if (error instanceof MikeySakkeError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const state = sqlState(error);
  if (state !== undefined) {
    const known = STATES.find(([start]) => state.startsWith(start));
    if (known !== undefined)
      return new MikeySakkeError(known[1], known[2], `${known[3]} (${state} ${message})`);
    return new MikeySakkeError("transport", "STORE_FAILED", `the database failed (${state} ${message})`);
  }
  if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError)
    return error;
  const slow = /timeout/i.test(message);
  const text = slow ? "the database does not answer in time" : "the database cannot be reached";
  return new MikeySakkeError("transport", slow ? "STORE_TIMEOUT" : "STORE_LOST", `${text} (${message})`);
}
