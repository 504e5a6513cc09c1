/** Users who may have keys. */
import { MikeySakkeError } from "../../base/errors.ts";
import type { Database, Sql } from "../database/sql.ts";
import { lockForChange } from "./issuing-lock.ts";
import type { UserQuery, UserRecord } from "./records.ts";

interface UserRow {
  readonly uri: string;
  readonly enrolled_at: number;
  readonly revoked_at: number | null;
  readonly reason: string | null;
}

const COLUMNS = "uri, enrolled_at, revoked_at, reason";

function record(row: UserRow): UserRecord {
  return {
    uri: row.uri,
    enrolledAt: row.enrolled_at,
    ...(row.revoked_at === null ? {} : { revokedAt: row.revoked_at }),
    ...(row.reason === null ? {} : { reason: row.reason }),
  };
}

/** In order of the URIs, so that two processes with the same users do not wait for each other in a circle. */
export async function enrol(sql: Sql, uris: readonly string[], now: number): Promise<number> {
  const { affected } = await sql.query(
    `INSERT INTO kms_user (uri, enrolled_at) SELECT uri, $2::bigint FROM unnest($1::text[]) AS new (uri)
    ORDER BY uri COLLATE "C" ON CONFLICT (uri) DO NOTHING`,
    [uris, now],
  );
  return affected;
}

export async function find(sql: Sql, uri: string): Promise<UserRecord | undefined> {
  const { rows } = await sql.query<UserRow>(`SELECT ${COLUMNS} FROM kms_user WHERE uri = $1`, [uri]);
  return rows[0] === undefined ? undefined : record(rows[0]);
}

export async function list(sql: Sql, query: UserQuery): Promise<UserRecord[]> {
  const { after = "", limit, notIssued } = query;
  // Not as NOT EXISTS: that may become a join with all keys of the period for every page.
  const open = `AND revoked_at IS NULL
    AND (SELECT true FROM kms_issued i WHERE i.period_no = $3 AND i.user_uri = u.uri) IS NULL`;
  const { rows } = await sql.query<UserRow>(
    `SELECT ${COLUMNS} FROM kms_user u WHERE uri > $1 ${notIssued === undefined ? "" : open}
    ORDER BY uri LIMIT $2`,
    [after, limit, ...(notIssued === undefined ? [] : [notIssued.period])],
  );
  return rows.map(record);
}

/**
 * Waits for keys that are being saved, and has whoever saves after it see the revocation. Who is not enrolled yet would
 * be by the next token, so the revocation enrols.
 */
export function revoke(db: Database, uri: string, reason: string, now: number): Promise<void> {
  return db.transaction(async (sql) => {
    await lockForChange(sql);
    // A second revocation does not move the time of the first.
    await sql.query(
      `INSERT INTO kms_user (uri, enrolled_at, revoked_at, reason) VALUES ($1, $2, $2, $3)
      ON CONFLICT (uri) DO UPDATE SET revoked_at = coalesce(kms_user.revoked_at, $2), reason = $3`,
      [uri, now, reason],
    );
  });
}

/** In order of the times, from `at` on. */
export async function revokedSince(sql: Sql, at: number): Promise<{ uri: string; revokedAt: number }[]> {
  const { rows } = await sql.query<{ uri: string; revoked_at: number }>(
    "SELECT uri, revoked_at FROM kms_user WHERE revoked_at >= $1 ORDER BY revoked_at, uri",
    [at],
  );
  return rows.map(({ uri, revoked_at }) => ({ uri, revokedAt: revoked_at }));
}

export async function reinstate(sql: Sql, uri: string): Promise<void> {
  const text = "UPDATE kms_user SET revoked_at = NULL, reason = NULL WHERE uri = $1";
  const { affected } = await sql.query(text, [uri]);
  if (affected === 0) throw unknown(uri);
}

function unknown(uri: string): MikeySakkeError {
  return new MikeySakkeError("usage", "USER_UNKNOWN", `user ${uri}: not enrolled`);
}
