/** Checks of values before they come to the database. */
import { utf8 } from "../../base/bytes.ts";
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";
import { isStorable } from "../database/texts.ts";

const URI_OCTETS = 2000;
const NAME_OCTETS = 200;
/** Rows at a time, in or out: no answer and no statement is larger than memory bears. */
const MAX_ROWS = 100_000;

export function usage(code: ErrorCode, text: string): MikeySakkeError {
  return new MikeySakkeError("usage", code, text);
}

function isText(value: unknown, octets: number): boolean {
  if (typeof value !== "string" || value === "" || value.length > octets) return false;
  return isStorable(value) && utf8(value).length <= octets;
}

/** Usage error BAD_GROUP. */
export function requireGroupUri(uri: unknown): void {
  if (!isText(uri, URI_OCTETS)) throw usage("BAD_GROUP", "a group's URI is a text of 1 to 2000 octets");
}

/** Usage error BAD_MEMBER. */
export function requireMemberUri(uri: unknown, what = "a member's URI"): void {
  if (!isText(uri, URI_OCTETS)) throw usage("BAD_MEMBER", `${what} is a text of 1 to 2000 octets`);
}

/** Usage error BAD_INSTANCE. */
export function requireInstance(name: unknown): void {
  if (!isText(name, NAME_OCTETS)) {
    throw usage("BAD_INSTANCE", "the name of a process is a text of 1 to 200 octets");
  }
}

/** Usage error BAD_TIME. */
export function requireMs(ms: unknown, what: string): void {
  if (!Number.isSafeInteger(ms) || (ms as number) < 0) {
    throw usage("BAD_TIME", `${what}: expected whole milliseconds since 1970`);
  }
}

/** Usage error BAD_LIMIT. */
export function requireLimit(limit: unknown): void {
  if (!Number.isInteger(limit) || (limit as number) < 1 || (limit as number) > MAX_ROWS) {
    throw usage("BAD_LIMIT", `limit: expected 1 to ${MAX_ROWS}`);
  }
}

/** Usage error TOO_MANY. */
export function requireFew(list: readonly unknown[], what: string): void {
  if (list.length > MAX_ROWS) throw usage("TOO_MANY", `${what}: ${list.length}, at most ${MAX_ROWS}`);
}

/** Usage error BAD_LEASE. */
export function requireLease(leaseMs: unknown): void {
  if (!Number.isSafeInteger(leaseMs) || (leaseMs as number) < 1) {
    throw usage("BAD_LEASE", "a lease lasts a whole number of milliseconds, at least 1");
  }
}

/** Usage error BAD_WAIT. */
export function requireWait(ms: unknown): void {
  if (!Number.isSafeInteger(ms) || (ms as number) < 0) {
    throw usage("BAD_WAIT", "a wait is a whole number of milliseconds");
  }
}

/** Usage errors BAD_INSTANCE, BAD_LEASE. */
export function requireClaimant(claimant: { instance: string; leaseMs: number }): void {
  requireInstance(claimant.instance);
  requireLease(claimant.leaseMs);
}
