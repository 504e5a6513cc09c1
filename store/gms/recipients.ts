/**
 * The members for whom a GMK was ever planned: their GUK-IDs, the members who still lack it, and those who must not get
 * it any more.
 */
import { formatKeyId } from "../../bindings/identity/purpose-tag.ts";
import type { Sql } from "../database/sql.ts";
import type { SqlClock } from "../database/sql-clock.ts";
import { requireFew, usage } from "./checks.ts";
import { type MemberRow, memberOf } from "./members.ts";
import type { MemberRecord, NewRekeyMember } from "./records.ts";
import { settle } from "./settle.ts";

/** All members for whom a rekey was planned, including those forgotten since: they may have the key. */
const RECIPIENTS = `gms_rekey r JOIN gms_chunk c ON c.rekey = r.id
  CROSS JOIN LATERAL unnest(c.uris, c.kms_uris, c.kinds, c.csb_ids) AS m (member_uri, kms_uri, kind, csb_id)
  WHERE r.gmk = $1`;

export async function list(sql: Sql, gmk: number): Promise<NewRekeyMember[]> {
  const { rows } = await sql.query<MemberRow & { readonly csb_id: number }>(
    `SELECT DISTINCT ON (m.member_uri) m.* FROM ${RECIPIENTS} ORDER BY m.member_uri, r.id DESC`,
    [gmk],
  );
  return rows.map((row) => ({ ...memberOf(row), csbId: row.csb_id }));
}

/** Two members with one GUK-ID would share the key stream of their media (5.2.3). */
export async function checkGukIds(sql: Sql, gmk: number, members: readonly NewRekeyMember[]): Promise<void> {
  const owners = new Map<number, string>();
  for (const { uri, csbId } of members) {
    const owner = owners.get(csbId);
    if (owner !== undefined) throw collision(csbId, owner, uri);
    owners.set(csbId, uri);
  }
  const { rows } = await sql.query<{ csb_id: number; member_uri: string }>(
    `SELECT m.csb_id, m.member_uri FROM ${RECIPIENTS} AND m.csb_id = ANY ($2::bigint[])`,
    [gmk, members.map(({ csbId }) => csbId)],
  );
  for (const { csb_id, member_uri } of rows) {
    const owner = owners.get(csb_id)!;
    if (owner !== member_uri) throw collision(csb_id, member_uri, owner);
  }
}

function collision(csbId: number, one: string, other: string): Error {
  return usage("GUK_ID_COLLISION", `GUK-ID ${formatKeyId(csbId)}: of both ${one} and ${other}`);
}

/**
 * Members with whom the GMK may be: not those who were forgotten before anything of it was handed over. Who was, hears
 * of its revocation although they are no longer a member.
 */
export async function served(sql: Sql, gmk: number): Promise<NewRekeyMember[]> {
  const { rows } = await sql.query<MemberRow & { readonly csb_id: number }>(
    `SELECT DISTINCT ON (m.member_uri) m.* FROM ${RECIPIENTS} AND r.kind <> 'revoke'
      AND m.member_uri <> ALL (c.unserved) ORDER BY m.member_uri, r.id DESC`,
    [gmk],
  );
  return rows.map((row) => ({ ...memberOf(row), csbId: row.csb_id }));
}

/**
 * Selects the GMKs of which a message was, or may have been, handed over to a member, with that member; also members who
 * were forgotten as such. Parameters: URIs of members, GMKs.
 */
const SERVED = `SELECT r.gmk, d.member_uri FROM gms_delivery d JOIN gms_rekey r ON r.id = d.rekey
    WHERE d.member_uri = ANY ($1::text[]) AND r.gmk = ANY ($2::bigint[])
      AND (d.attempts > 0 OR d.state IN ('delivered', 'acknowledged', 'refused')
        OR EXISTS (SELECT FROM gms_due q WHERE q.rekey = d.rekey AND q.member_uri = d.member_uri AND q.attempts > 0))
  UNION
  SELECT r.gmk, m.uri FROM gms_rekey r JOIN gms_chunk c ON c.rekey = r.id CROSS JOIN LATERAL unnest(c.forgotten) AS m (uri)
    WHERE m.uri = ANY ($1::text[]) AND r.gmk = ANY ($2::bigint[]) AND r.kind <> 'revoke' AND m.uri <> ALL (c.unserved)`;

/**
 * Any message carries the GMK, a revocation too: who was handed none gets nothing at all any more. Chunks before
 * messages, as whoever saves a chunk: what it saves first is deleted, and what comes after finds the members forgotten.
 * One at a time for a GMK, so that nobody is forgotten twice.
 */
export async function forget(
  sql: Sql,
  clock: SqlClock,
  memberUris: readonly string[],
  gmks: readonly number[],
): Promise<void> {
  requireFew(memberUris, "members");
  const parameters = [memberUris, gmks];
  const rekeys = "(SELECT id FROM gms_rekey WHERE gmk = ANY ($2::bigint[]))";
  await sql.query("SELECT id FROM gms_gmk WHERE id = ANY ($1::bigint[]) ORDER BY id FOR UPDATE", [gmks]);
  await sql.query(
    `SELECT FROM gms_chunk WHERE rekey IN ${rekeys} AND uris && $1::text[] ORDER BY rekey, chunk FOR UPDATE`,
    parameters,
  );
  // A process that is handing one over has counted it by then.
  for (const table of ["gms_delivery", "gms_due"]) {
    await sql.query(
      `SELECT FROM ${table} WHERE rekey IN ${rekeys} AND member_uri = ANY ($1::text[]) FOR UPDATE`,
      parameters,
    );
  }
  await sql.query(
    `WITH served AS (${SERVED}),
    hit AS (
      SELECT c.rekey, c.chunk, array_agg(m.uri) AS gone,
        coalesce(array_agg(m.uri) FILTER (WHERE served.member_uri IS NULL), '{}') AS unserved
      FROM gms_rekey r JOIN gms_chunk c ON c.rekey = r.id CROSS JOIN LATERAL unnest(c.uris) AS m (uri)
        LEFT JOIN served ON served.gmk = r.gmk AND served.member_uri = m.uri
      WHERE r.gmk = ANY ($2::bigint[]) AND m.uri = ANY ($1::text[]) AND m.uri <> ALL (c.forgotten)
        AND (r.kind <> 'revoke' OR served.member_uri IS NULL)
      GROUP BY c.rekey, c.chunk)
    UPDATE gms_chunk c SET forgotten = c.forgotten || hit.gone, unserved = c.unserved || hit.unserved,
      size = c.size - cardinality(hit.gone),
      state = CASE WHEN c.state = 'planned' AND cardinality(c.uris) = cardinality(c.forgotten || hit.gone)
        THEN 'sealed' ELSE c.state END
    FROM hit WHERE c.rekey = hit.rekey AND c.chunk = hit.chunk`,
    parameters,
  );
  const { rows } = await sql.query<{ rekey: number; member_uri: string }>(
    `WITH served AS (${SERVED})
    DELETE FROM gms_delivery d USING gms_rekey r
    WHERE r.id = d.rekey AND r.gmk = ANY ($2::bigint[]) AND d.member_uri = ANY ($1::text[]) AND (r.kind <> 'revoke'
      OR NOT EXISTS (SELECT FROM served WHERE served.gmk = r.gmk AND served.member_uri = d.member_uri))
    RETURNING d.rekey, d.member_uri`,
    parameters,
  );
  const gone = [rows.map(({ rekey }) => rekey), rows.map(({ member_uri }) => member_uri)];
  for (const table of ["gms_message", "gms_due"]) {
    await sql.query(
      `DELETE FROM ${table} t USING unnest($1::bigint[], $2::text[]) AS gone (rekey, member_uri)
      WHERE t.rekey = gone.rekey AND t.member_uri = gone.member_uri`,
      gone,
    );
  }
  const { rows: touched } = await sql.query<{ id: number }>(
    "SELECT id FROM gms_rekey WHERE gmk = ANY ($1::bigint[]) AND state = 'running' ORDER BY id",
    [gmks],
  );
  await settle(
    sql,
    clock,
    touched.map(({ id }) => id),
  );
}

export async function undelivered(sql: Sql, gmk: number): Promise<MemberRecord[]> {
  const { rows } = await sql.query<MemberRow>(
    `WITH giving AS (SELECT id FROM gms_rekey WHERE gmk = $1 AND kind <> 'revoke'),
    planned AS (
      SELECT DISTINCT ON (m.uri) m.uri, m.kms_uri, m.kind
      FROM giving JOIN gms_chunk c ON c.rekey = giving.id
        CROSS JOIN LATERAL unnest(c.uris, c.kms_uris, c.kinds) AS m (uri, kms_uri, kind)
      WHERE m.uri <> ALL (c.forgotten) ORDER BY m.uri, c.rekey DESC),
    answer AS (
      SELECT member_uri, bool_or(state = 'acknowledged') AS taken,
        (array_agg(state ORDER BY rekey DESC))[1] = 'refused' AS refused
      FROM giving JOIN gms_delivery d ON d.rekey = giving.id GROUP BY member_uri)
    SELECT planned.uri AS member_uri, coalesce(now.kms_uri, planned.kms_uri) AS kms_uri,
      coalesce(now.kind, planned.kind) AS kind
    FROM planned LEFT JOIN answer ON answer.member_uri = planned.uri
      LEFT JOIN LATERAL (
        SELECT kms_uri, kind FROM gms_member WHERE member_uri = planned.uri ORDER BY group_uri LIMIT 1) AS now ON true
    WHERE answer.member_uri IS NULL OR NOT (answer.taken OR answer.refused)
    ORDER BY planned.uri`,
    [gmk],
  );
  return rows.map(memberOf);
}

/**
 * GMKs of these that one of the members may hold: a message with it was handed over, or who got it is not known any more,
 * since its rekeys were purged.
 */
export async function held(
  sql: Sql,
  memberUris: readonly string[],
  gmks: readonly number[],
): Promise<number[]> {
  requireFew(memberUris, "members");
  const { rows } = await sql.query<{ gmk: number }>(
    `SELECT gmk FROM (${SERVED}) AS served
    UNION
    SELECT id FROM gms_gmk WHERE id = ANY ($2::bigint[])
      AND NOT EXISTS (SELECT FROM gms_rekey r WHERE r.gmk = gms_gmk.id AND r.kind <> 'revoke')
    ORDER BY gmk`,
    [memberUris, gmks],
  );
  return rows.map(({ gmk }) => gmk);
}

/** GMKs that a message was planned with for a member, unless it was called off before anything was handed over. */
export async function heldBy(sql: Sql, memberUri: string): Promise<number[]> {
  const { rows } = await sql.query<{ gmk: number }>(
    `SELECT DISTINCT r.gmk FROM gms_rekey r JOIN gms_chunk c ON c.rekey = r.id
    WHERE r.kind <> 'revoke' AND c.uris @> ARRAY[$1::text] AND NOT c.unserved @> ARRAY[$1::text] ORDER BY r.gmk`,
    [memberUri],
  );
  return rows.map(({ gmk }) => gmk);
}

/** Members who have not acknowledged that a GMK is revoked, by URI. */
export async function unaware(sql: Sql, gmk: number): Promise<string[]> {
  const { rows } = await sql.query<{ uri: string }>(
    `WITH told AS (SELECT id FROM gms_rekey WHERE gmk = $1 AND kind = 'revoke')
    SELECT DISTINCT m.uri FROM told JOIN gms_chunk c ON c.rekey = told.id CROSS JOIN LATERAL unnest(c.uris) AS m (uri)
    WHERE m.uri <> ALL (c.forgotten) AND NOT EXISTS (
      SELECT FROM told AS any_told JOIN gms_delivery d ON d.rekey = any_told.id
      WHERE d.member_uri = m.uri AND d.state = 'acknowledged')
    ORDER BY m.uri`,
    [gmk],
  );
  return rows.map(({ uri }) => uri);
}
