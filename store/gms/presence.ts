/**
 * Records which process has a SIP subscription of which member, and which processes live. What is to be sent to a member
 * names one of its processes as its holder, so that a process finds its own work without looking at that of others, or
 * of members who are away.
 *
 * Nobody locks out anybody. A process that stores messages looks up who is present, and one whose member arrives looks
 * for messages; both look once more after their commit, and the later of the two sees what the other has done. A holder
 * that is wrong all the same is either dead, and then `expire` finds it, or learns from its claim that the member is
 * not with it.
 */
import type { Database, Sql } from "../database/sql.ts";
import type { SqlClock } from "../database/sql-clock.ts";
import { requireFew, requireInstance, requireLease, requireMemberUri } from "./checks.ts";
import { wakeHolders } from "./notices.ts";
import { freshAt } from "./queue-times.ts";

export interface Lease {
  /** False if the lease was over: the presence of the process is forgotten, and it must report its members again. */
  readonly kept: boolean;
  /** Time of the database. */
  readonly now: number;
}

export async function renew(
  db: Database,
  clock: SqlClock,
  instance: string,
  leaseMs: number,
): Promise<Lease> {
  requireInstance(instance);
  requireLease(leaseMs);
  const until = `${clock()} + $2::bigint`;
  const parameters = [instance, leaseMs];
  const { rows } = await db.query<{ now: number }>(
    `UPDATE gms_instance SET until = ${until} WHERE instance = $1 RETURNING ${clock()} AS now`,
    parameters,
  );
  if (rows[0] !== undefined) return { kept: true, now: rows[0].now };
  const fresh = await db.query<{ now: number }>(
    `INSERT INTO gms_instance (instance, until) VALUES ($1, ${until})
    ON CONFLICT (instance) DO UPDATE SET until = excluded.until RETURNING ${clock()} AS now`,
    parameters,
  );
  return { kept: false, now: fresh.rows[0]!.now };
}

export async function add(
  db: Database,
  clock: SqlClock,
  instance: string,
  memberUris: readonly string[],
): Promise<void> {
  requireInstance(instance);
  requireFew(memberUris, "members");
  for (const uri of memberUris) requireMemberUri(uri);
  const uris = [...new Set(memberUris)];
  if (uris.length === 0) return;
  await db.query(
    `INSERT INTO gms_presence (member_uri, instance) SELECT uri, $1 FROM unnest($2::text[]) AS new (uri)
    ORDER BY uri COLLATE "C" ON CONFLICT (member_uri, instance) DO NOTHING`,
    [instance, uris],
  );
  await adopt(db, clock, instance, uris);
}

/**
 * Also from another process, which may be dead; what that one has claimed waits for the lease. A GMK that is not live
 * goes to nobody who was unreachable. Messages are locked before what is due, as everywhere.
 */
async function adopt(
  db: Database,
  clock: SqlClock,
  instance: string,
  uris: readonly string[],
): Promise<void> {
  const now = clock();
  await db.query(
    `WITH waiting AS (
      SELECT d.rekey, d.member_uri, d.state = 'unreachable' AS returned
      FROM gms_delivery d JOIN gms_rekey r ON r.id = d.rekey JOIN gms_gmk g ON g.id = r.gmk
      WHERE d.member_uri = ANY ($2::text[]) AND d.state IN ('sealed', 'unreachable')
        AND (g.state = 'live' OR r.kind = 'revoke')
      FOR UPDATE OF d)
    INSERT INTO gms_due AS due (rekey, member_uri, holder, next_at, returned)
    SELECT rekey, member_uri, $1, ${freshAt(now, "0")}, returned FROM waiting ORDER BY rekey, member_uri
    ON CONFLICT (rekey, member_uri) DO UPDATE SET holder = excluded.holder,
      next_at = CASE WHEN due.holder IS NULL THEN least(due.next_at, ${now}) ELSE due.next_at END,
      taken_until = CASE WHEN due.holder IS NULL THEN 0 ELSE due.taken_until END`,
    [instance, uris],
  );
}

/** For a rekey whose messages were just committed: those of members who came meanwhile get their holder. */
export async function adoptLate(sql: Sql, rekey: number, uris: readonly string[]): Promise<void> {
  if (uris.length === 0) return;
  await sql.query(
    `WITH late AS (
      UPDATE gms_due due SET holder = p.instance FROM gms_presence p
      WHERE due.rekey = $1 AND due.member_uri = ANY ($2::text[]) AND due.holder IS NULL AND p.member_uri = due.member_uri
      RETURNING due.holder)
    ${wakeHolders("late")}`,
    [rekey, uris],
  );
}

export async function remove(db: Database, instance: string, memberUris: readonly string[]): Promise<void> {
  requireInstance(instance);
  requireFew(memberUris, "members");
  if (memberUris.length === 0) return;
  await db.transaction(async (sql) => {
    await sql.query("DELETE FROM gms_presence WHERE instance = $1 AND member_uri = ANY ($2::text[])", [
      instance,
      memberUris,
    ]);
    await handOn(sql, "due.holder = $1 AND due.member_uri = ANY ($2::text[])", [instance, memberUris]);
  });
}

/** Hands the messages that a process held to another that has the member too, if there is one. */
async function handOn(sql: Sql, which: string, parameters: readonly unknown[]): Promise<void> {
  await sql.query(
    `WITH moved AS (
      UPDATE gms_due due SET holder = (
        SELECT p.instance FROM gms_presence p
        WHERE p.member_uri = due.member_uri AND p.instance <> due.holder ORDER BY p.instance LIMIT 1)
      WHERE ${which} RETURNING due.holder)
    ${wakeHolders("moved")}`,
    parameters,
  );
}

/** Forgets the members and the lease of a process, or of all processes if no name is given. */
export async function recover(db: Database, instance: string | undefined): Promise<void> {
  await db.transaction(async (sql) => {
    const whose = instance === undefined ? await everyInstance(sql) : [instance];
    await forget(sql, whose);
  });
}

/** Forgets processes whose lease is over. */
export async function expire(db: Database, clock: SqlClock): Promise<void> {
  await db.transaction(async (sql) => {
    await sql.query(`DELETE FROM gms_instance WHERE until <= ${clock()}`);
    const { rows } = await sql.query<{ instance: string }>("SELECT instance FROM gms_instance");
    const living = new Set(rows.map(({ instance }) => instance));
    const dead = (await everyInstance(sql)).filter((instance) => !living.has(instance));
    await forget(sql, dead);
  });
}

async function forget(sql: Sql, instances: readonly string[]): Promise<void> {
  if (instances.length === 0) return;
  await sql.query("DELETE FROM gms_instance WHERE instance = ANY ($1::text[])", [instances]);
  await sql.query("DELETE FROM gms_presence WHERE instance = ANY ($1::text[])", [instances]);
  await handOn(sql, "due.holder = ANY ($1::text[])", [instances]);
}

/** Names that are in use anywhere. The indexes are asked for one name after the other, not for every row. */
async function everyInstance(sql: Sql): Promise<string[]> {
  const names = (table: string, column: string) => `
    (WITH RECURSIVE name AS (
      (SELECT ${column} AS one FROM ${table} WHERE ${column} IS NOT NULL ORDER BY ${column} LIMIT 1)
      UNION ALL
      SELECT (SELECT ${column} FROM ${table} WHERE ${column} > name.one ORDER BY ${column} LIMIT 1) FROM name
      WHERE name.one IS NOT NULL)
    SELECT one FROM name WHERE one IS NOT NULL)`;
  const { rows } = await sql.query<{ one: string }>(
    `SELECT instance AS one FROM gms_instance UNION ${names("gms_presence", "instance")}
    UNION ${names("gms_due", "holder")}`,
  );
  return rows.map(({ one }) => one);
}
