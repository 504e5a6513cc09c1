/** Messages on their way: who is to send them, and what became of them. */
import type { Database, Sql } from "../sql.ts";
import { storableOrNull } from "../texts.ts";
import { requireClaimant, requireFew, requireLimit, requireMs, usage } from "./checks.ts";
import type { Claimant } from "./gms-store.ts";
import { expire } from "./presence.ts";
import {
  type ClaimedDelivery,
  DELIVERY_STATES,
  type DeliveryRecord,
  type DeliveryResult,
  type DeliveryState,
  type RekeyKind,
} from "./records.ts";
import { settle } from "./rekeys.ts";

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
    `(SELECT member_uri, state, attempts, status, reason, changed_at FROM gms_delivery
      WHERE rekey = $1 AND member_uri > $2 ${ofState("state")} ORDER BY member_uri LIMIT $3)
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
  readonly place: number;
  readonly rekey: number;
  readonly member_uri: string;
  readonly kind: RekeyKind;
  readonly attempts: number;
}

/** Place n of every rekey comes before place n + 1 of any. */
export async function claim(
  sql: Sql,
  claimant: Claimant & { readonly limit: number },
): Promise<ClaimedDelivery[]> {
  requireClaimant(claimant);
  requireLimit(claimant.limit);
  const { rows } = await sql.query<ClaimedRow>(
    `WITH due AS (
      SELECT d.rekey, d.member_uri, d.next_at FROM gms_rekey r CROSS JOIN LATERAL (
        SELECT rekey, member_uri, next_at FROM gms_delivery
        WHERE rekey = r.id AND holder = $1 AND state = 'sealed' AND next_at <= $2
        ORDER BY next_at LIMIT $3 FOR UPDATE SKIP LOCKED) AS d
      WHERE r.state = 'running'
      UNION ALL
      SELECT rekey, member_uri, next_at FROM (
        SELECT rekey, member_uri, next_at FROM gms_delivery
        WHERE holder = $1 AND state = 'unreachable' AND next_at <= $2
        ORDER BY next_at LIMIT $3 FOR UPDATE SKIP LOCKED) AS returned),
    picked AS (
      SELECT rekey, member_uri, row_number() OVER (PARTITION BY rekey ORDER BY next_at, member_uri) AS place
      FROM due ORDER BY place, rekey LIMIT $3)
    UPDATE gms_delivery d SET attempts = d.attempts + 1, next_at = $2::bigint + $4::bigint
    FROM picked JOIN gms_rekey r ON r.id = picked.rekey
    WHERE d.rekey = picked.rekey AND d.member_uri = picked.member_uri
    RETURNING picked.place, d.rekey, d.member_uri, r.kind, d.attempts`,
    [claimant.instance, claimant.now, claimant.limit, claimant.leaseMs],
  );
  return rows
    .sort((a, b) => a.place - b.place || a.rekey - b.rekey)
    .map((row) => ({ rekey: row.rekey, memberUri: row.member_uri, kind: row.kind, attempts: row.attempts }));
}

/** What a state may become. Once unreachable, a message does not hold its rekey up again by another failure. */
const ALLOWED = `CASE d.state
  WHEN 'acknowledged' THEN false
  WHEN 'superseded' THEN false
  WHEN 'refused' THEN n.state IN ('refused', 'acknowledged')
  WHEN 'delivered' THEN n.state IN ('delivered', 'refused', 'acknowledged')
  ELSE true END`;

const RESULTS: readonly DeliveryState[] = ["sealed", "delivered", "acknowledged", "refused", "unreachable"];

export async function record(
  db: Database,
  results: readonly DeliveryResult[],
  now: number,
): Promise<number[]> {
  requireMs(now, "now");
  requireFew(results, "results");
  for (const { state, memberUri } of results) {
    if (!RESULTS.includes(state)) throw usage("BAD_STATE", `${memberUri}: expected ${RESULTS.join(", ")}`);
  }
  const last = [...new Map(results.map((r) => [`${r.rekey} ${r.memberUri}`, r])).values()];
  if (last.length === 0) return [];
  return db.transaction(async (sql) => {
    // Unreachable: nobody holds it until the member shows up.
    await sql.query(
      `UPDATE gms_delivery d SET
        state = CASE WHEN n.state = 'sealed' THEN d.state ELSE n.state END,
        holder = CASE WHEN n.state = 'unreachable' THEN NULL ELSE d.holder END,
        status = n.status, reason = n.reason, next_at = n.next_at, changed_at = $1
      FROM unnest($2::bigint[], $3::text[], $4::text[], $5::integer[], $6::text[], $7::bigint[])
        AS n (rekey, member_uri, state, status, reason, next_at)
      WHERE d.rekey = n.rekey AND d.member_uri = n.member_uri AND ${ALLOWED}`,
      [
        now,
        last.map((r) => r.rekey),
        last.map((r) => r.memberUri),
        last.map((r) => r.state),
        last.map((r) => r.status ?? null),
        last.map((r) => storableOrNull(r.reason)?.slice(0, REASON_LENGTH) ?? null),
        last.map((r) => r.nextAt ?? now),
      ],
    );
    return settle(sql, [...new Set(last.map((r) => r.rekey))], now);
  });
}

/**
 * Notes that these messages are handed over by HTTP, unless one of them is no more to be had, as when its member was
 * removed since it was read: false then, and nothing is noted.
 */
export async function handOver(
  db: Database,
  messages: readonly Pick<DeliveryResult, "rekey" | "memberUri">[],
  now: number,
): Promise<boolean> {
  requireMs(now, "now");
  requireFew(messages, "messages");
  if (messages.length === 0) return true;
  return db.transaction(async (sql) => {
    const parameters = [messages.map(({ rekey }) => rekey), messages.map(({ memberUri }) => memberUri)];
    const given = "unnest($1::bigint[], $2::text[]) AS n (rekey, member_uri)";
    const { rows } = await sql.query(
      `SELECT FROM gms_delivery d JOIN ${given} ON d.rekey = n.rekey AND d.member_uri = n.member_uri
      WHERE d.state <> 'superseded' FOR UPDATE OF d`,
      parameters,
    );
    if (rows.length < messages.length) return false;
    await sql.query(
      `UPDATE gms_delivery d SET state = 'delivered', changed_at = $3, status = NULL, reason = NULL
      FROM ${given} WHERE d.rekey = n.rekey AND d.member_uri = n.member_uri AND d.state IN ('sealed', 'unreachable')`,
      [...parameters, now],
    );
    await settle(sql, [...new Set(messages.map(({ rekey }) => rekey))], now);
    return true;
  });
}

export async function giveUp(
  db: Database,
  options: { readonly now: number; readonly olderThanMs: number },
): Promise<number> {
  const { now, olderThanMs } = options;
  requireMs(now, "now");
  requireMs(olderThanMs, "olderThanMs");
  await expire(db, now);
  return db.transaction(async (sql) => {
    const { affected } = await sql.query(
      `UPDATE gms_delivery SET state = 'unreachable', changed_at = $1
      WHERE state = 'sealed' AND holder IS NULL AND changed_at <= $2
        AND rekey IN (SELECT id FROM gms_rekey WHERE state = 'running' AND created_at <= $2)`,
      [now, now - olderThanMs],
    );
    const { rows } = await sql.query<{ id: number }>("SELECT id FROM gms_rekey WHERE state = 'running'");
    await settle(
      sql,
      rows.map(({ id }) => id),
      now,
    );
    return affected;
  });
}
