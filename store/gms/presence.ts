/**
 * Which process has a SIP subscription of which member. What is to be sent to a member names one of them as its holder,
 * so that a process finds its own work without looking at that of others, or of members who are away.
 */
import type { Database, Sql } from "../sql.ts";
import { requireFew, requireInstance, requireMemberUri, requireMs } from "./checks.ts";

/** Nobody comes or goes until the transaction ends: whoever comes after it finds its messages. */
export async function holdPresence(sql: Sql): Promise<void> {
  await sql.query("LOCK TABLE gms_presence_change IN SHARE MODE");
}

async function changePresence(sql: Sql): Promise<void> {
  await sql.query("LOCK TABLE gms_presence_change IN ROW EXCLUSIVE MODE");
}

export async function add(
  db: Database,
  instance: string,
  memberUris: readonly string[],
  until: number,
): Promise<void> {
  requireInstance(instance);
  requireMs(until, "until");
  requireFew(memberUris, "members");
  for (const uri of memberUris) requireMemberUri(uri);
  const uris = [...new Set(memberUris)];
  if (uris.length === 0) return;
  await db.transaction(async (sql) => {
    await changePresence(sql);
    const { rows } = await sql.query<{ member_uri: string }>(
      "SELECT member_uri FROM gms_presence WHERE instance = $1 AND member_uri = ANY ($2::text[])",
      [instance, uris],
    );
    const known = new Set(rows.map((row) => row.member_uri));
    await sql.query(
      `INSERT INTO gms_presence (member_uri, instance, until)
      SELECT uri, $1, $2::bigint FROM unnest($3::text[]) AS new (uri) ORDER BY uri COLLATE "C"
      ON CONFLICT (member_uri, instance) DO UPDATE SET until = excluded.until`,
      [instance, until, uris],
    );
    await adopt(
      sql,
      instance,
      uris.filter((uri) => !known.has(uri)),
    );
  });
}

/**
 * Also from another process, which may be dead; what that one has claimed waits for the lease. A GMK that is not live
 * goes to nobody who was unreachable.
 */
async function adopt(sql: Sql, instance: string, uris: readonly string[]): Promise<void> {
  if (uris.length === 0) return;
  await sql.query(
    `UPDATE gms_delivery d SET holder = $1, next_at = CASE WHEN d.holder IS NULL THEN 0 ELSE d.next_at END
    FROM gms_rekey r JOIN gms_gmk g ON g.id = r.gmk
    WHERE d.member_uri = ANY ($2::text[]) AND d.state IN ('sealed', 'unreachable') AND r.id = d.rekey
      AND (g.state = 'live' OR r.kind = 'revoke')`,
    [instance, uris],
  );
}

export async function remove(db: Database, instance: string, memberUris: readonly string[]): Promise<void> {
  requireInstance(instance);
  await dropped(db, "instance = $1 AND member_uri = ANY ($2::text[])", [instance, memberUris]);
}

/** Those of one process; of all without a name. */
export async function recover(db: Database, instance: string | undefined): Promise<void> {
  if (instance === undefined) await dropped(db, "true", []);
  else await dropped(db, "instance = $1", [instance]);
}

export async function expire(db: Database, now: number): Promise<void> {
  await dropped(db, "until <= $1", [now]);
}

/** What they held goes to a process that has the member too, if there is one. */
async function dropped(db: Database, which: string, params: readonly unknown[]): Promise<void> {
  await db.transaction(async (sql) => {
    await changePresence(sql);
    await sql.query(
      `WITH gone AS (DELETE FROM gms_presence WHERE ${which} RETURNING member_uri AS uri, instance AS process)
      UPDATE gms_delivery d SET holder =
        (SELECT instance FROM gms_presence p WHERE p.member_uri = d.member_uri AND NOT (${which}) LIMIT 1)
      FROM gone WHERE d.member_uri = gone.uri AND d.holder = gone.process AND d.state IN ('sealed', 'unreachable')`,
      params,
    );
  });
}
