/** Members who are nowhere present for too long: their rekeys do not wait for them any more. */
import type { Database, Sql } from "../database/sql.ts";
import type { SqlClock } from "../database/sql-clock.ts";
import { requireWait } from "./checks.ts";
import { expire } from "./presence.ts";
import { settle } from "./settle.ts";
import { takeStep } from "./steps.ts";

/** Rekeys in one transaction, and transactions of one call. The rest waits for the next. */
const REKEYS = 100;
const ROUNDS = 20;

export interface GiveUpOptions {
  readonly olderThanMs: number;
  /** Nothing is done when a process has done it less long ago. */
  readonly everyMs?: number;
}

export async function giveUp(db: Database, clock: SqlClock, options: GiveUpOptions): Promise<number> {
  const { olderThanMs, everyMs = 0 } = options;
  requireWait(olderThanMs);
  requireWait(everyMs);
  if (!(await takeStep(db, clock, "give up", everyMs))) return 0;
  await expire(db, clock);
  let members = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const { rekeys, given } = await db.transaction((sql) => giveUpSome(sql, clock, olderThanMs));
    members += given;
    if (rekeys < REKEYS) break;
  }
  return members;
}

/** Only rekeys with a message that may have waited so long are looked at. In the order of message, due, rekey. */
async function giveUpSome(
  sql: Sql,
  clock: SqlClock,
  olderThanMs: number,
): Promise<{ rekeys: number; given: number }> {
  const { rows } = await sql.query<{ id: number }>(
    `SELECT id FROM gms_rekey WHERE state = 'running' AND quiet_since <= ${clock()} - $1::bigint
    ORDER BY quiet_since LIMIT ${REKEYS}`,
    [olderThanMs],
  );
  const ids = rows.map(({ id }) => id);
  if (ids.length === 0) return { rekeys: 0, given: 0 };
  const waiting = await sql.query<{ rekey: number; member_uri: string }>(
    `SELECT d.rekey, d.member_uri FROM gms_due q
      JOIN gms_delivery d ON d.rekey = q.rekey AND d.member_uri = q.member_uri
    WHERE q.rekey = ANY ($1::bigint[]) AND q.holder IS NULL AND NOT q.returned
      AND d.state = 'sealed' AND d.changed_at <= ${clock()} - $2::bigint
    ORDER BY d.rekey, d.member_uri FOR UPDATE OF d`,
    [ids, olderThanMs],
  );
  // A member who comes locks the messages too: with these locked, those who have come are seen now, and others wait.
  const { affected } = await sql.query(
    `WITH given AS (
      DELETE FROM gms_due q USING unnest($1::bigint[], $2::text[]) AS n (rekey, member_uri)
      WHERE q.rekey = n.rekey AND q.member_uri = n.member_uri AND q.holder IS NULL
      RETURNING q.rekey, q.member_uri, q.attempts)
    UPDATE gms_delivery d SET state = 'unreachable', changed_at = ${clock()}, attempts = d.attempts + given.attempts
    FROM given WHERE d.rekey = given.rekey AND d.member_uri = given.member_uri`,
    [waiting.rows.map(({ rekey }) => rekey), waiting.rows.map(({ member_uri }) => member_uri)],
  );
  await settle(sql, clock, ids);
  await sql.query(
    `UPDATE gms_rekey r SET quiet_since = least(${clock()}, (
      SELECT min(d.changed_at) FROM gms_due q JOIN gms_delivery d ON d.rekey = q.rekey AND d.member_uri = q.member_uri
      WHERE q.rekey = r.id AND q.holder IS NULL AND NOT q.returned))
    WHERE id = ANY ($1::bigint[]) AND state = 'running'`,
    [ids],
  );
  return { rekeys: ids.length, given: affected };
}
