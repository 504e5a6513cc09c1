/** T of every message: no two of one initiator have the same (RFC 3830 5.2), however many processes write them. */
import { type NtpTime, ntpFold, ntpFromUnixMs, ntpUnfold } from "../../bindings/identity/ntp.ts";
import type { Sql } from "../sql.ts";
import { requireMemberUri, usage } from "./checks.ts";

/** A point on the line through both eras, as columns that sort: seconds since 1900, and units of 2^-32 s. */
export interface TimeColumns {
  readonly seconds: number;
  readonly fraction: number;
}

const FRACTIONS = 2 ** 32;

export function toColumns(time: NtpTime, offset = 0): TimeColumns {
  const unfolded = ntpUnfold(time) + BigInt(offset);
  return { seconds: Number(unfolded >> 32n), fraction: Number(unfolded & 0xffffffffn) };
}

export function fromColumns({ seconds, fraction }: TimeColumns): NtpTime {
  return ntpFold((BigInt(seconds) << 32n) | BigInt(fraction));
}

/** Usage error BAD_TIME unless `count` times from here on lie in one second, hence in one key period. */
export function requireOneSecond(time: NtpTime, count: number): void {
  if (toColumns(time).fraction + count <= FRACTIONS) return;
  throw usage("BAD_TIME", `${count} times from this T on reach into the next second`);
}

export async function reserve(
  sql: Sql,
  initiatorUri: string,
  nowMs: number,
  count: number,
): Promise<NtpTime> {
  requireMemberUri(initiatorUri, "an initiator's URI");
  if (!Number.isInteger(count) || count < 1 || count > FRACTIONS) {
    throw usage("BAD_COUNT", "count: expected 1 to 2^32 times");
  }
  const now = toColumns(ntpFromUnixMs(nowMs));
  await sql.query(
    "INSERT INTO gms_clock (initiator_uri, seconds, fraction) VALUES ($1, 0, 0) ON CONFLICT (initiator_uri) DO NOTHING",
    [initiatorUri],
  );
  const { rows } = await sql.query<TimeColumns>(
    "SELECT seconds, fraction FROM gms_clock WHERE initiator_uri = $1 FOR UPDATE",
    [initiatorUri],
  );
  const first = firstOf(now, rows[0]!, count);
  await sql.query("UPDATE gms_clock SET seconds = $2, fraction = $3 WHERE initiator_uri = $1", [
    initiatorUri,
    first.seconds,
    first.fraction + count - 1,
  ]);
  return fromColumns(first);
}

/** After all that were given, and in one second. */
function firstOf(now: TimeColumns, last: TimeColumns, count: number): TimeColumns {
  const passed = now.seconds > last.seconds || (now.seconds === last.seconds && now.fraction > last.fraction);
  const first = passed ? now : { seconds: last.seconds, fraction: last.fraction + 1 };
  return first.fraction + count > FRACTIONS ? { seconds: first.seconds + 1, fraction: 0 } : first;
}
