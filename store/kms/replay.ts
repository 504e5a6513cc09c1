/** Digests of requests that were seen, until they are too old to be taken anyway. */
import type { Sql } from "../sql.ts";

/** Expired rows to clear at each call: more than one comes in. */
const SWEEP = 16;

export async function remember(sql: Sql, digest: Uint8Array, expires: number, now: number): Promise<boolean> {
  const { affected } = await sql.query(
    `WITH swept AS (
      DELETE FROM kms_seen WHERE digest IN (
        SELECT digest FROM kms_seen WHERE expires <= $3 AND digest <> $1 LIMIT ${SWEEP} FOR UPDATE SKIP LOCKED))
    INSERT INTO kms_seen (digest, expires) VALUES ($1, $2)
    ON CONFLICT (digest) DO UPDATE SET expires = excluded.expires WHERE kms_seen.expires <= $3`,
    [digest, expires, now],
  );
  return affected === 1;
}
