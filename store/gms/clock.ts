/**
 * T of every message: no two of one initiator have the same (RFC 3830 5.2), however many processes write them. It is the
 * time of the database, or one later than the last that was given.
 */
import { MikeySakkeError } from "../../base/errors.ts";
import { type NtpTime, ntpFold, ntpFromUnixMs, ntpUnfold } from "../../bindings/identity/ntp.ts";
import type { Sql } from "../database/sql.ts";
import { readClock, type SqlClock } from "../database/sql-clock.ts";
import { requireMemberUri, usage } from "./checks.ts";

/** A point on the line through both eras, as columns that sort: seconds since 1900, and units of 2^-32 s. */
export interface TimeColumns {
  readonly seconds: number;
  readonly fraction: number;
}

interface ClockRow extends TimeColumns {
  readonly used_until: number | null;
  readonly restored_at: number | null;
}

const FRACTIONS = 2 ** 32;
/**
 * Seconds that T may be ahead of the database's clock. Members refuse what is further ahead than their window (five
 * minutes), and each rekey takes a part of a second only, so that no load comes near it.
 */
const MOST_AHEAD = 60;

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
  clock: SqlClock,
  initiatorUri: string,
  count: number,
): Promise<NtpTime> {
  requireMemberUri(initiatorUri, "an initiator's URI");
  if (!Number.isInteger(count) || count < 1 || count > FRACTIONS) {
    throw usage("BAD_COUNT", "count: expected 1 to 2^32 times");
  }
  await sql.query(
    "INSERT INTO gms_clock (initiator_uri, seconds, fraction) VALUES ($1, 0, 0) ON CONFLICT (initiator_uri) DO NOTHING",
    [initiatorUri],
  );
  const { rows } = await sql.query<ClockRow>(
    `SELECT seconds, fraction, used_until, (SELECT max(restored_at) FROM store_restored) AS restored_at
    FROM gms_clock WHERE initiator_uri = $1 FOR UPDATE`,
    [initiatorUri],
  );
  // Only now, as it may have taken a while to get the lock.
  const now = toColumns(ntpFromUnixMs(await readClock(sql, clock)));
  const last = rows[0]!;
  let first = firstOf(now, laterOf(last, lostUntil(last)), count);
  while (first.seconds <= (last.used_until ?? 0) && (await isUsed(sql, first, count))) {
    first = { seconds: first.seconds + 1, fraction: 0 };
  }
  const ahead = first.seconds - now.seconds;
  if (ahead > MOST_AHEAD) throw clockAhead(initiatorUri, ahead);
  await sql.query("UPDATE gms_clock SET seconds = $2, fraction = $3 WHERE initiator_uri = $1", [
    initiatorUri,
    first.seconds,
    first.fraction + count - 1,
  ]);
  return fromColumns(first);
}

/** The last T that a server can have given which was lost by the time when the database was restored from a backup. */
function lostUntil({ restored_at }: ClockRow): TimeColumns {
  if (restored_at === null) return { seconds: 0, fraction: 0 };
  return { seconds: toColumns(ntpFromUnixMs(restored_at)).seconds + MOST_AHEAD, fraction: FRACTIONS - 1 };
}

function laterOf(a: TimeColumns, b: TimeColumns): TimeColumns {
  return a.seconds > b.seconds || (a.seconds === b.seconds && a.fraction > b.fraction) ? a : b;
}

function clockAhead(initiatorUri: string, seconds: number): MikeySakkeError {
  const text = `T of ${initiatorUri} would be ${seconds} s ahead of the database's clock, and no member would take it; look at that clock, then set T back ("mikey-sakke group reset-clock")`;
  return new MikeySakkeError("transport", "CLOCK_AHEAD", text);
}

/** After all that were given, and in one second. */
function firstOf(now: TimeColumns, last: TimeColumns, count: number): TimeColumns {
  const passed = now.seconds > last.seconds || (now.seconds === last.seconds && now.fraction > last.fraction);
  const first = passed ? now : { seconds: last.seconds, fraction: last.fraction + 1 };
  return first.fraction + count > FRACTIONS ? { seconds: first.seconds + 1, fraction: 0 } : first;
}

/** Returns whether some of these times were given before T was set back: every one that was given is in a chunk. */
async function isUsed(sql: Sql, { seconds, fraction }: TimeColumns, count: number): Promise<boolean> {
  const { rows } = await sql.query(
    `SELECT FROM gms_chunk WHERE seconds = $1 AND fraction < $2::bigint + $3::bigint
      AND fraction + cardinality(uris) > $2::bigint LIMIT 1`,
    [seconds, fraction, count],
  );
  return rows.length > 0;
}

/** Seconds that T of an initiator is ahead of the database's clock; 0 if it is not. */
export async function secondsAhead(sql: Sql, clock: SqlClock, initiatorUri: string): Promise<number> {
  const { rows } = await sql.query<{ seconds: number; now: number }>(
    `SELECT seconds, ${clock()} AS now FROM gms_clock WHERE initiator_uri = $1`,
    [initiatorUri],
  );
  if (rows[0] === undefined) return 0;
  return Math.max(0, rows[0].seconds - toColumns(ntpFromUnixMs(rows[0].now)).seconds);
}

/** URIs under which messages were made. */
export async function initiators(sql: Sql): Promise<string[]> {
  const { rows } = await sql.query<{ uri: string }>(
    "SELECT initiator_uri AS uri FROM gms_clock ORDER BY uri",
  );
  return rows.map(({ uri }) => uri);
}

/** Transport error CLOCK_AHEAD where the next T would be refused. */
export async function requireNotAhead(sql: Sql, clock: SqlClock, initiatorUri: string): Promise<void> {
  const seconds = await secondsAhead(sql, clock, initiatorUri);
  if (seconds > MOST_AHEAD) throw clockAhead(initiatorUri, seconds);
}

/** The findings when T was set back. */
export interface ClockReset {
  /** Seconds that T was ahead; 0: it was not, and nothing was done. */
  readonly ahead: number;
  /** Groups with a message whose T is ahead, which their members cannot read: they need a new key. */
  readonly groups: readonly string[];
}

/** T goes on from the database's clock; what was given beyond it is remembered and not given again. */
export async function reset(sql: Sql, clock: SqlClock, initiatorUri: string): Promise<ClockReset> {
  await sql.query("SELECT FROM gms_clock WHERE initiator_uri = $1 FOR UPDATE", [initiatorUri]);
  const seconds = await secondsAhead(sql, clock, initiatorUri);
  if (seconds <= MOST_AHEAD) return { ahead: 0, groups: [] };
  const now = toColumns(ntpFromUnixMs(await readClock(sql, clock))).seconds;
  await sql.query(
    `UPDATE gms_clock SET used_until = greatest(used_until, seconds), seconds = $2, fraction = 0 WHERE initiator_uri = $1`,
    [initiatorUri, now],
  );
  const { rows } = await sql.query<{ uri: string }>(
    `SELECT DISTINCT unnest(r.groups) AS uri FROM gms_rekey r JOIN gms_gmk g ON g.id = r.gmk
    WHERE g.state = 'live' AND EXISTS (SELECT FROM gms_chunk WHERE rekey = r.id AND seconds > $1) ORDER BY uri`,
    [now + MOST_AHEAD],
  );
  return { ahead: seconds, groups: rows.map(({ uri }) => uri) };
}
