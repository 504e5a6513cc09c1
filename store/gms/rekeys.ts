/** Rekeys: a GMK, or its Status, for many members. Each has a life from the plan to the last answer. */

import { isKeyId } from "../../bindings/identity/purpose-tag.ts";
import type { KeyParameters } from "../../bindings/index.ts";
import type { Sql } from "../database/sql.ts";
import type { SqlClock } from "../database/sql-clock.ts";
import { storable, storableJson } from "../database/texts.ts";
import { requireLimit, requireMs, requireWait, usage } from "./checks.ts";
import { requireOneSecond } from "./clock.ts";
import { unknownGmk } from "./gmks.ts";
import { requireMembers } from "./members.ts";
import { planChunks } from "./plan-chunks.ts";
import { checkGukIds } from "./recipients.ts";
import {
  DELIVERY_STATES,
  type DeliveryState,
  type DueRevocation,
  type GmkState,
  type NewRekey,
  type RekeyKind,
  type RekeyRecord,
  type RekeyState,
} from "./records.ts";

const KINDS: readonly RekeyKind[] = ["distribute", "renew", "revoke"];
const MAX_CHUNK = 4096;

interface RekeyRow {
  readonly id: number;
  readonly kind: RekeyKind;
  readonly gmk: number;
  readonly gmk_id: number;
  readonly groups: string[];
  readonly cause: string;
  readonly actor: string;
  readonly state: RekeyState;
  readonly created_at: number;
  readonly sealed_at: number | null;
  readonly finished_at: number | null;
  readonly traceparent: string | null;
  readonly counts: Partial<Record<DeliveryState, number>> | null;
}

/** Each member is counted once: in its message, or in the chunk that is not sealed. */
const SELECT = `SELECT r.id, r.kind, r.gmk, g.gmk_id, r.groups, r.cause, r.actor, r.state, r.created_at, r.sealed_at,
    r.finished_at, r.traceparent, counted.counts
  FROM gms_rekey r JOIN gms_gmk g ON g.id = r.gmk
  CROSS JOIN LATERAL (SELECT jsonb_object_agg(state, n) AS counts FROM (
    SELECT state, sum(n)::bigint AS n FROM (
      SELECT state, count(*) AS n FROM gms_delivery WHERE rekey = r.id GROUP BY state
      UNION ALL
      SELECT state, size FROM gms_chunk
      WHERE rekey = r.id AND state <> 'sealed') AS part
    GROUP BY state) AS whole) AS counted`;

function record(row: RekeyRow): RekeyRecord {
  const counts = Object.fromEntries(DELIVERY_STATES.map((state) => [state, row.counts?.[state] ?? 0]));
  return {
    id: row.id,
    kind: row.kind,
    gmk: row.gmk,
    gmkId: row.gmk_id,
    groups: row.groups,
    cause: row.cause,
    actor: row.actor,
    state: row.state,
    total: Object.values(counts).reduce((sum, n) => sum + n, 0),
    counts: counts as Record<DeliveryState, number>,
    createdAt: row.created_at,
    sealedAt: row.sealed_at ?? undefined,
    finishedAt: row.finished_at ?? undefined,
    traceparent: row.traceparent ?? undefined,
  };
}

export async function find(sql: Sql, id: number): Promise<RekeyRecord | undefined> {
  const { rows } = await sql.query<RekeyRow>(`${SELECT} WHERE r.id = $1`, [id]);
  return rows[0] && record(rows[0]);
}

export async function list(
  sql: Sql,
  query: { readonly groupUri?: string; readonly limit: number },
): Promise<RekeyRecord[]> {
  requireLimit(query.limit);
  const { groupUri, limit } = query;
  const { rows } = await sql.query<RekeyRow>(
    `${SELECT} ${groupUri === undefined ? "" : "WHERE r.groups @> ARRAY[$2::text]"} ORDER BY r.id DESC LIMIT $1`,
    [limit, ...(groupUri === undefined ? [] : [groupUri])],
  );
  return rows.map(record);
}

export async function running(sql: Sql, groupUri: string): Promise<RekeyRecord[]> {
  const { rows } = await sql.query<RekeyRow>(
    `${SELECT} WHERE r.state = 'running' AND r.groups @> ARRAY[$1::text] ORDER BY r.id`,
    [groupUri],
  );
  return rows.map(record);
}

export async function ofGmk(sql: Sql, gmk: number): Promise<RekeyRecord[]> {
  const { rows } = await sql.query<RekeyRow>(`${SELECT} WHERE r.gmk = $1 ORDER BY r.id DESC`, [gmk]);
  return rows.map(record);
}

export async function insert(sql: Sql, clock: SqlClock, rekey: NewRekey): Promise<number> {
  const { kind, gmk, cause, actor, members, parameters, now } = rekey;
  requireNew(rekey);
  const groups = await lockGmk(sql, gmk, kind);
  await checkGukIds(sql, gmk, members);
  const over = members.length === 0;
  const revokeAfter = rekey.revokeAfter?.length ? rekey.revokeAfter : null;
  const { rows } = await sql.query<{ id: number }>(
    `INSERT INTO gms_rekey
      (kind, gmk, groups, cause, actor, state, parameters, revoke_after, created_at, sealed_at, finished_at, traceparent,
      quiet_since)
    VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9, $10, $10, $11, ${clock()}) RETURNING id`,
    [
      kind,
      gmk,
      groups,
      storable(cause),
      storable(actor),
      over ? "done" : "running",
      storableJson(parameters as KeyParameters & Record<string, unknown>),
      revokeAfter,
      now,
      over ? now : null,
      rekey.traceparent ?? null,
    ],
  );
  const { id } = rows[0]!;
  if (!over) await planChunks(sql, clock, id, rekey);
  return id;
}

function requireNew({ kind, members, time, chunkSize, now }: NewRekey): void {
  if (!KINDS.includes(kind)) throw usage("BAD_KIND", `a rekey is to ${KINDS.join(", ")}`);
  requireMembers(members);
  const bad = members.find(({ csbId }) => !isKeyId(csbId));
  if (bad !== undefined) throw usage("BAD_KEY_ID", `GUK-ID of ${bad.uri}: not an unsigned 32-bit number`);
  requireOneSecond(time, members.length);
  if (!Number.isInteger(chunkSize) || chunkSize < 1 || chunkSize > MAX_CHUNK) {
    throw usage("BAD_CHUNK_SIZE", `chunkSize: expected 1 to ${MAX_CHUNK} members`);
  }
  requireMs(now, "now");
}

/** Its groups. Who plans for the same GMK comes after this transaction, and sees its GUK-IDs. */
async function lockGmk(sql: Sql, gmk: number, kind: RekeyKind): Promise<string[]> {
  const { rows } = await sql.query<{ groups: string[]; state: GmkState }>(
    "SELECT groups, state FROM gms_gmk WHERE id = $1 FOR UPDATE",
    [gmk],
  );
  if (rows[0] === undefined) throw unknownGmk(gmk);
  const { groups, state } = rows[0];
  if (kind !== "revoke" && state !== "live") {
    throw usage(state === "revoked" ? "GMK_REVOKED" : "GMK_RETIRED", `GMK ${gmk} is ${state}`);
  }
  return groups;
}

/** In the order of chunk, message, rekey, which all who lock several of them keep to. */
export async function supersede(sql: Sql, ids: readonly number[], now: number): Promise<number[]> {
  requireMs(now, "now");
  const { rows: revocations } = await sql.query<{ gmk: number }>(
    "SELECT DISTINCT unnest(revoke_after) AS gmk FROM gms_rekey WHERE id = ANY ($1::bigint[]) ORDER BY gmk",
    [ids],
  );
  await sql.query(
    "UPDATE gms_chunk SET state = 'superseded', claimed_by = NULL WHERE rekey = ANY ($1::bigint[]) AND state = 'planned'",
    [ids],
  );
  await sql.query(
    `UPDATE gms_delivery SET state = 'superseded', changed_at = $2
    WHERE rekey = ANY ($1::bigint[]) AND state NOT IN ('acknowledged', 'superseded')`,
    [ids, now],
  );
  await sql.query("DELETE FROM gms_due WHERE rekey = ANY ($1::bigint[])", [ids]);
  await sql.query(
    `UPDATE gms_rekey SET state = 'superseded', finished_at = coalesce(finished_at, $2), revoke_after = NULL
    WHERE id = ANY ($1::bigint[])`,
    [ids, now],
  );
  return revocations.map(({ gmk }) => gmk);
}

export async function claimDueRevocations(sql: Sql, limit: number): Promise<DueRevocation[]> {
  requireLimit(limit);
  const { rows } = await sql.query<{
    readonly rekey: number;
    readonly actor: string;
    readonly traceparent: string | null;
    readonly gmks: readonly number[];
  }>(
    `WITH due AS (
      SELECT id, actor, traceparent, revoke_after FROM gms_rekey WHERE state = 'done' AND revoke_after IS NOT NULL
      ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)
    UPDATE gms_rekey r SET revoke_after = NULL FROM due WHERE r.id = due.id
    RETURNING r.id AS rekey, due.actor, due.traceparent, due.revoke_after AS gmks`,
    [limit],
  );
  return rows.map(({ gmks, traceparent, ...rest }) => ({
    ...rest,
    traceparent: traceparent ?? undefined,
    gmks: gmks.map(Number),
  }));
}

/** GMKs of the same groups that came after it: what was retired before so many is not revoked any more. */
const LATER = 16;

/** A GMK that holders could still need to hear of keeps its rekeys: who received it is known from them. */
export async function purge(sql: Sql, clock: SqlClock, olderThanMs: number, limit: number): Promise<number> {
  requireWait(olderThanMs);
  requireLimit(limit);
  const before = `${clock()} - $1::bigint`;
  const { rows } = await sql.query<{ id: number }>(
    `SELECT r.id FROM gms_rekey r JOIN gms_gmk g ON g.id = r.gmk
    WHERE r.finished_at < ${before} AND (g.state = 'revoked' OR g.state = 'retired' AND (g.expiry < ${before}
      OR (SELECT count(*) FROM gms_gmk l WHERE l.groups = g.groups AND l.id > g.id AND l.state <> 'revoked') >= ${LATER}))
    ORDER BY r.finished_at LIMIT $2 FOR UPDATE OF r SKIP LOCKED`,
    [olderThanMs, limit],
  );
  const ids = rows.map(({ id }) => id);
  for (const [table, column] of [
    ["gms_chunk", "rekey"],
    ["gms_message", "rekey"],
    ["gms_delivery", "rekey"],
    ["gms_due", "rekey"],
    ["gms_rekey", "id"],
  ]) {
    await sql.query(`DELETE FROM ${table} WHERE ${column} = ANY ($1::bigint[])`, [ids]);
  }
  return ids.length;
}
