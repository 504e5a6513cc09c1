/** Messages on their way: who is to send them, and what became of them. */
import type { Database, Sql } from "../database/sql.ts";
import type { SqlClock } from "../database/sql-clock.ts";
import { storableOrNull } from "../database/texts.ts";
import { requireClaimant, requireFew, requireLimit, requireWait, usage } from "./checks.ts";
import { isAgain, isFresh } from "./queue-times.ts";
import type { Claimant } from "./records.ts";
import {
  type ClaimedDelivery,
  DELIVERY_STATES,
  type DeliveryKey,
  type DeliveryRecord,
  type DeliveryResult,
  type DeliveryState,
  type RekeyKind,
} from "./records.ts";
import { settle } from "./settle.ts";

const REASON_LENGTH = 500;

interface DeliveryRow {
  readonly member_uri: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly status: number | null;
  readonly reason: string | null;
  readonly changed_at: number;
}

/** Each part in order and cut, so that a page costs no more than a page where all are sealed. */
export async function list(
  sql: Sql,
  rekey: number,
  query: { readonly state?: DeliveryState; readonly after?: string; readonly limit: number },
): Promise<DeliveryRecord[]> {
  const { state, after = "", limit } = query;
  requireLimit(limit);
  if (state !== undefined && !DELIVERY_STATES.includes(state)) {
    throw usage("BAD_STATE", `state: expected ${DELIVERY_STATES.join(", ")}`);
  }
  const ofState = (column: string) => (state === undefined ? "" : `AND ${column} = $4`);
  const { rows } = await sql.query<DeliveryRow>(
    `(SELECT d.member_uri, d.state, d.attempts + coalesce(q.attempts, 0) AS attempts, d.status, d.reason, d.changed_at
      FROM gms_delivery d LEFT JOIN gms_due q ON q.rekey = d.rekey AND q.member_uri = d.member_uri
      WHERE d.rekey = $1 AND d.member_uri > $2 ${ofState("d.state")} ORDER BY d.member_uri LIMIT $3)
    UNION ALL
    (SELECT m.uri, c.state, 0, NULL, c.error, coalesce(r.finished_at, r.created_at)
      FROM gms_chunk c JOIN gms_rekey r ON r.id = c.rekey CROSS JOIN LATERAL unnest(c.uris) AS m (uri)
      WHERE c.rekey = $1 AND c.state <> 'sealed' AND m.uri > $2 AND m.uri <> ALL (c.forgotten) ${ofState("c.state")}
      ORDER BY m.uri LIMIT $3)
    ORDER BY member_uri LIMIT $3`,
    [rekey, after, limit, ...(state === undefined ? [] : [state])],
  );
  return rows.map((row) => ({
    rekey,
    memberUri: row.member_uri,
    state: row.state,
    attempts: row.attempts,
    status: row.status ?? undefined,
    reason: row.reason ?? undefined,
    changedAt: row.changed_at,
  }));
}

interface ClaimedRow {
  readonly rekey: number;
  readonly member_uri: string;
  readonly kind: RekeyKind;
  readonly attempts: number;
}

/**
 * The earliest that are due, of what is new and of what is tried again as many. They are found by the index and cut off
 * before anything is locked. The update looks at the holder again, as it may have changed meanwhile, but in a way that no
 * index serves: the few that were picked are to be looked up, not all of the holder's. Each look-up has its whole key in
 * one condition: in a join of more tables the planner may take the rekey alone for a key, and read all members of the
 * rekey for each of them, where its statistics are of a time when rekeys were small.
 */
export async function claim(
  sql: Sql,
  clock: SqlClock,
  claimant: Claimant & { readonly limit: number },
): Promise<ClaimedDelivery[]> {
  requireClaimant(claimant);
  requireLimit(claimant.limit);
  const now = clock();
  const next = (which: string) => `SELECT rekey, member_uri, row_number() OVER () AS place FROM (
      SELECT rekey, member_uri FROM gms_due WHERE holder = $1 AND ${which} AND taken_until <= ${now}
      ORDER BY next_at, rekey LIMIT $2) AS earliest`;
  const { rows } = await sql.query<ClaimedRow>(
    `WITH picked AS (
      SELECT rekey, member_uri, place FROM (
        (${next(isFresh(now, "next_at"))}) UNION ALL (${next(isAgain(now, "next_at"))})) AS both_kinds
      ORDER BY place LIMIT $2),
    taken AS (
      UPDATE gms_due q SET attempts = q.attempts + 1, taken_until = ${now} + $3::bigint
      FROM picked
      WHERE q.rekey = picked.rekey AND q.member_uri = picked.member_uri
        AND q.holder IS NOT DISTINCT FROM $1 AND q.taken_until <= ${now}
      RETURNING picked.place, q.rekey, q.member_uri, q.attempts)
    SELECT rekey, member_uri, (SELECT kind FROM gms_rekey r WHERE r.id = taken.rekey) AS kind,
      attempts + (SELECT attempts FROM gms_delivery d
        WHERE d.rekey = taken.rekey AND d.member_uri = taken.member_uri) AS attempts
    FROM taken ORDER BY place`,
    [claimant.instance, claimant.limit, claimant.leaseMs],
  );
  return rows.map((row) => ({
    rekey: row.rekey,
    memberUri: row.member_uri,
    kind: row.kind,
    attempts: row.attempts,
  }));
}

/** The states that a state may become. Once unreachable, a message does not hold its rekey up again by another failure. */
const ALLOWED = `CASE d.state
  WHEN 'acknowledged' THEN false
  WHEN 'superseded' THEN false
  WHEN 'refused' THEN n.state IN ('refused', 'acknowledged')
  WHEN 'delivered' THEN n.state IN ('delivered', 'refused', 'acknowledged')
  ELSE true END`;

const RESULTS: readonly DeliveryState[] = ["sealed", "delivered", "acknowledged", "refused", "unreachable"];

export async function record(
  db: Database,
  clock: SqlClock,
  results: readonly DeliveryResult[],
): Promise<number[]> {
  requireFew(results, "results");
  for (const { state, memberUri, waitMs = 0 } of results) {
    if (!RESULTS.includes(state)) throw usage("BAD_STATE", `${memberUri}: expected ${RESULTS.join(", ")}`);
    requireWait(waitMs);
  }
  const last = [...new Map(results.map((r) => [`${r.rekey} ${r.memberUri}`, r])).values()];
  if (last.length === 0) return [];
  return db.transaction(async (sql) => {
    await sql.query(
      `UPDATE gms_delivery d SET
        state = CASE WHEN n.state = 'sealed' THEN d.state ELSE n.state END,
        attempts = d.attempts + CASE WHEN n.state = 'sealed' THEN 0 ELSE coalesce((
          SELECT attempts FROM gms_due q WHERE q.rekey = n.rekey AND q.member_uri = n.member_uri), 0) END,
        status = n.status, reason = n.reason, changed_at = ${clock()}
      FROM unnest($1::bigint[], $2::text[], $3::text[], $4::integer[], $5::text[])
        AS n (rekey, member_uri, state, status, reason)
      WHERE d.rekey = n.rekey AND d.member_uri = n.member_uri AND ${ALLOWED}`,
      [
        last.map((r) => r.rekey),
        last.map((r) => r.memberUri),
        last.map((r) => r.state),
        last.map((r) => r.status ?? null),
        last.map((r) => storableOrNull(r.reason)?.slice(0, REASON_LENGTH) ?? null),
      ],
    );
    await settled(
      sql,
      last.filter(({ state }) => state !== "sealed"),
    );
    await postponed(
      sql,
      clock,
      last.filter(({ state }) => state === "sealed"),
    );
    return settle(sql, clock, [...new Set(last.map((r) => r.rekey))]);
  });
}

/** Removes settled messages from the queue, unreachable ones too: nobody holds it until the member shows up. */
async function settled(sql: Sql, keys: readonly DeliveryKey[]): Promise<void> {
  if (keys.length === 0) return;
  await sql.query(
    `DELETE FROM gms_due q USING unnest($1::bigint[], $2::text[]) AS n (rekey, member_uri)
    WHERE q.rekey = n.rekey AND q.member_uri = n.member_uri`,
    [keys.map(({ rekey }) => rekey), keys.map(({ memberUri }) => memberUri)],
  );
}

async function postponed(sql: Sql, clock: SqlClock, results: readonly DeliveryResult[]): Promise<void> {
  if (results.length === 0) return;
  await sql.query(
    `UPDATE gms_due q SET next_at = ${clock()} + n.wait, taken_until = 0
    FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS n (rekey, member_uri, wait)
    WHERE q.rekey = n.rekey AND q.member_uri = n.member_uri`,
    [
      results.map(({ rekey }) => rekey),
      results.map(({ memberUri }) => memberUri),
      results.map(({ waitMs = 0 }) => waitMs),
    ],
  );
}

/**
 * Notes that these messages are handed over by HTTP, unless one of them is no more to be had, as when its member was
 * removed since it was read: undefined then, and nothing is noted. Returns rekeys that are finished by it.
 */
export async function handOver(
  db: Database,
  clock: SqlClock,
  messages: readonly DeliveryKey[],
): Promise<number[] | undefined> {
  requireFew(messages, "messages");
  if (messages.length === 0) return [];
  return db.transaction(async (sql) => {
    const parameters = [messages.map(({ rekey }) => rekey), messages.map(({ memberUri }) => memberUri)];
    const given = "unnest($1::bigint[], $2::text[]) AS n (rekey, member_uri)";
    const { rows } = await sql.query(
      `SELECT FROM gms_delivery d JOIN ${given} ON d.rekey = n.rekey AND d.member_uri = n.member_uri
      WHERE d.state <> 'superseded' FOR UPDATE OF d`,
      parameters,
    );
    if (rows.length < messages.length) return undefined;
    const { rows: fresh } = await sql.query<{ rekey: number; member_uri: string }>(
      `UPDATE gms_delivery d SET state = 'delivered', changed_at = ${clock()}, status = NULL, reason = NULL,
        attempts = d.attempts + coalesce((
          SELECT attempts FROM gms_due q WHERE q.rekey = n.rekey AND q.member_uri = n.member_uri), 0)
      FROM ${given} WHERE d.rekey = n.rekey AND d.member_uri = n.member_uri AND d.state IN ('sealed', 'unreachable')
      RETURNING d.rekey, d.member_uri`,
      parameters,
    );
    const keys = fresh.map(({ rekey, member_uri: memberUri }) => ({ rekey, memberUri }));
    await settled(sql, keys);
    return settle(sql, clock, [...new Set(keys.map(({ rekey }) => rekey))]);
  });
}
