/** Digests of requests that were seen, until they are too old to be taken anyway. */
import type { Sql } from "../database/sql.ts";
import type { SqlClock } from "../database/sql-clock.ts";

/** Expired rows to clear at each call: more than one comes in. */
const SWEEP = 16;

export async function remember(
  sql: Sql,
  clock: SqlClock,
  {
    digest,
    expires,
    madeAt,
  }: { readonly digest: Uint8Array; readonly expires: number; readonly madeAt: number },
): Promise<boolean> {
  const now = clock();
  const { affected } = await sql.query(
    `WITH swept AS (
      DELETE FROM kms_seen WHERE digest IN (
        SELECT digest FROM kms_seen WHERE expires <= ${now} AND digest <> $1 LIMIT ${SWEEP} FOR UPDATE SKIP LOCKED))
    INSERT INTO kms_seen (digest, expires)
      SELECT $1, $2::bigint WHERE NOT EXISTS (SELECT FROM store_restored WHERE restored_at > $3)
    ON CONFLICT (digest) DO UPDATE SET expires = excluded.expires WHERE kms_seen.expires <= ${now}`,
    [digest, expires, madeAt],
  );
  return affected === 1;
}
