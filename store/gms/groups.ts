/** Groups: settings, revision and the time of the next rekey. */
import type { Sql } from "../database/sql.ts";
import type { SqlClock } from "../database/sql-clock.ts";
import { requireFew, requireGroupUri, requireLimit, requireMs, usage } from "./checks.ts";
import { GROUP_CHANGED } from "./notices.ts";
import type { GroupChanges, GroupRecord, GroupSettings } from "./records.ts";

interface GroupRow {
  readonly uri: string;
  readonly settings: GroupSettings;
  readonly revision: number;
  readonly created_at: number;
  readonly next_rekey_at: number | null;
}

/**
 * Milliseconds since 1970 by the clock of the database, and ever more: a database that was restored from a backup gives no
 * revision a second time, which a client may hold for another state.
 */
const MILLISECONDS = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

const COLUMNS = "uri, settings, revision, created_at, next_rekey_at";

function record(row: GroupRow): GroupRecord {
  return {
    uri: row.uri,
    settings: row.settings,
    revision: row.revision,
    createdAt: row.created_at,
    nextRekeyAt: row.next_rekey_at ?? undefined,
  };
}

export async function find(sql: Sql, uri: string): Promise<GroupRecord | undefined> {
  const { rows } = await sql.query<GroupRow>(`SELECT ${COLUMNS} FROM gms_group WHERE uri = $1`, [uri]);
  return rows[0] && record(rows[0]);
}

export async function lock(sql: Sql, uri: string): Promise<GroupRecord | undefined> {
  const text = `SELECT ${COLUMNS} FROM gms_group WHERE uri = $1 FOR UPDATE`;
  const { rows } = await sql.query<GroupRow>(text, [uri]);
  return rows[0] && record(rows[0]);
}

export async function list(
  sql: Sql,
  query: { readonly after?: string; readonly limit: number },
): Promise<GroupRecord[]> {
  requireLimit(query.limit);
  const { rows } = await sql.query<GroupRow>(
    `SELECT ${COLUMNS} FROM gms_group WHERE uri > $1 ORDER BY uri LIMIT $2`,
    [query.after ?? "", query.limit],
  );
  return rows.map(record);
}

export async function ofMember(sql: Sql, memberUri: string): Promise<GroupRecord[]> {
  const { rows } = await sql.query<GroupRow>(
    `SELECT ${COLUMNS} FROM gms_group WHERE uri IN (SELECT group_uri FROM gms_member WHERE member_uri = $1)
    ORDER BY uri`,
    [memberUri],
  );
  return rows.map(record);
}

/** For each member, the groups with their revisions. */
export async function revisionsOf(
  sql: Sql,
  memberUris: readonly string[],
): Promise<Map<string, Map<string, number>>> {
  requireFew(memberUris, "members");
  const { rows } = await sql.query<{ member_uri: string; uri: string; revision: number }>(
    `SELECT m.member_uri, g.uri, g.revision FROM gms_member m JOIN gms_group g ON g.uri = m.group_uri
    WHERE m.member_uri = ANY ($1::text[]) ORDER BY g.uri`,
    [memberUris],
  );
  const out = new Map<string, Map<string, number>>(memberUris.map((uri) => [uri, new Map()]));
  for (const row of rows) out.get(row.member_uri)!.set(row.uri, row.revision);
  return out;
}

export async function revisions(sql: Sql, uris: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await sql.query<{ uri: string; revision: number }>(
    "SELECT uri, revision FROM gms_group WHERE uri = ANY ($1::text[])",
    [uris],
  );
  return new Map(rows.map((row) => [row.uri, row.revision]));
}

export async function insert(
  sql: Sql,
  uri: string,
  settings: GroupSettings,
  now: number,
): Promise<GroupRecord> {
  requireGroupUri(uri);
  requireMs(now, "now");
  const next = settings.rekeyEveryMs === undefined ? null : now + settings.rekeyEveryMs;
  const { rows } = await sql.query<GroupRow>(
    `INSERT INTO gms_group (${COLUMNS}) VALUES ($1, $2::jsonb, ${MILLISECONDS}, $3, $4) ON CONFLICT (uri) DO NOTHING
    RETURNING ${COLUMNS}`,
    [uri, settingsJson(uri, settings), now, next],
  );
  if (rows[0] === undefined) throw usage("GROUP_EXISTS", `group ${uri}: there is one of this URI`);
  return { ...record(rows[0]), revision: (await goOn(sql, uri)) ?? rows[0].revision };
}

/** Its own statement, as that before may have waited for the end of another transaction, which deleted the group. */
async function goOn(sql: Sql, uri: string): Promise<number | undefined> {
  const { rows } = await sql.query<{ revision: number }>(
    `UPDATE gms_group g SET revision = greatest(g.revision, gone.revision + 1) FROM gms_group_gone gone
    WHERE g.uri = $1 AND gone.uri = g.uri RETURNING g.revision`,
    [uri],
  );
  return rows[0]?.revision;
}

export async function update(sql: Sql, uri: string, changes: GroupChanges): Promise<GroupRecord> {
  const { settings, nextRekeyAt } = changes;
  if (nextRekeyAt !== undefined && nextRekeyAt !== null) requireMs(nextRekeyAt, "nextRekeyAt");
  const before = await lock(sql, uri);
  if (before === undefined) throw unknownGroup(uri);
  const after = settings ?? before.settings;
  const next = nextRekeyAt === undefined ? scheduled(before, after) : nextRekeyAt;
  const { rows } = await sql.query<GroupRow>(
    `UPDATE gms_group SET settings = $2::jsonb, next_rekey_at = $3, revision = greatest(revision + 1, ${MILLISECONDS})
    WHERE uri = $1 RETURNING ${COLUMNS}`,
    [uri, settingsJson(uri, after), next],
  );
  await sql.query(GROUP_CHANGED, [uri]);
  return record(rows[0]!);
}

/** The time that stays where none is given: none without a period, at once (0) for a period that is new. */
function scheduled(before: GroupRecord, after: GroupSettings): number | null {
  return after.rekeyEveryMs === undefined ? null : (before.nextRekeyAt ?? 0);
}

export async function setNextRekey(sql: Sql, uri: string, nextRekeyAt: number | undefined): Promise<void> {
  if (nextRekeyAt !== undefined) requireMs(nextRekeyAt, "nextRekeyAt");
  await sql.query("UPDATE gms_group SET next_rekey_at = $2 WHERE uri = $1", [uri, nextRekeyAt ?? null]);
}

function settingsJson(uri: string, settings: GroupSettings): string {
  const { rekeyEveryMs } = settings;
  if (rekeyEveryMs !== undefined && (!Number.isSafeInteger(rekeyEveryMs) || rekeyEveryMs < 1)) {
    throw usage("BAD_GROUP", `group ${uri}: rekeyEveryMs is a whole number of milliseconds, at least 1`);
  }
  return JSON.stringify(settings);
}

/** Deletes members and GMKs. The planner of the revocations handles the messages. */
export async function remove(sql: Sql, uri: string): Promise<void> {
  const { affected } = await sql.query(
    `WITH gone AS (DELETE FROM gms_group WHERE uri = $1 RETURNING uri, revision)
    INSERT INTO gms_group_gone (uri, revision) SELECT uri, revision FROM gone
    ON CONFLICT (uri) DO UPDATE SET revision = EXCLUDED.revision`,
    [uri],
  );
  if (affected === 0) throw unknownGroup(uri);
  await sql.query(GROUP_CHANGED, [uri]);
  await sql.query("DELETE FROM gms_member WHERE group_uri = $1", [uri]);
  await sql.query(
    `UPDATE gms_gmk SET
      groups = CASE WHEN cardinality(groups) > 1 THEN array_remove(groups, $1) ELSE groups END,
      state = CASE WHEN cardinality(groups) > 1 THEN state ELSE 'revoked' END
    WHERE groups @> ARRAY[$1::text]`,
    [uri],
  );
}

export function unknownGroup(uri: string): Error {
  return usage("GROUP_UNKNOWN", `group ${uri}: there is none of this URI`);
}

/** One that was due several times over is due once. */
export async function claimDue(sql: Sql, clock: SqlClock, limit: number): Promise<GroupRecord[]> {
  requireLimit(limit);
  const now = clock();
  const { rows } = await sql.query<GroupRow>(
    `WITH due AS (
      SELECT uri AS due_uri, (settings->>'rekeyEveryMs')::bigint AS period FROM gms_group
      WHERE next_rekey_at <= ${now} ORDER BY next_rekey_at LIMIT $1 FOR UPDATE SKIP LOCKED)
    UPDATE gms_group SET next_rekey_at = next_rekey_at + period * (((${now} - next_rekey_at) / period) + 1)
    FROM due WHERE uri = due_uri RETURNING ${COLUMNS}`,
    [limit],
  );
  return rows.map(record).sort((a, b) => (a.uri < b.uri ? -1 : 1));
}
