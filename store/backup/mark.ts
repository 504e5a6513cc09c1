/**
 * The marks that make a restored database go on safely, although the server that was lost did more after the backup than
 * is known here: nothing that it may have sent is sent a second time with another meaning, and every group gets a new
 * GMK.
 *
 * - T: `store/gms/clock.ts` gives none that the lost server can have given.
 * - GMKs: each that is live is marked, and the schedule replaces it at once.
 * - Messages that were planned and not sealed have a T that the lost server may have used: they are given up. Whom they
 *   were for gets the new GMK; revocations are planned anew.
 * - Requests and CSKs from before the restoration are refused, since they may have been seen: `lastRestored`.
 * - CacheNum of the KMS goes up, so that clients fetch all certificates anew.
 */
import type { Sql } from "../database/sql.ts";
import { countChange } from "../kms/certificates.ts";

const ACTOR = "restore";

export async function markRestored(
  sql: Sql,
  { madeAt, now }: { readonly madeAt: number; readonly now: number },
): Promise<void> {
  await sql.query("INSERT INTO store_restored (restored_at, made_at) VALUES ($1, $2)", [now, madeAt]);
  await countChange(sql);
  await planAnew(sql, now);
  await sql.query("UPDATE gms_gmk SET restored = true WHERE state = 'live'");
  await sql.query("UPDATE gms_group SET next_rekey_at = $1", [now]);
  // Processes that have claimed something are gone.
  await sql.query(
    "UPDATE gms_due SET holder = NULL, taken_until = 0 WHERE holder IS NOT NULL OR taken_until > 0",
  );
  await sql.query("UPDATE gms_chunk SET claimed_by = NULL WHERE claimed_by IS NOT NULL");
  const detail = JSON.stringify({ madeAt: new Date(madeAt).toISOString() });
  for (const table of ["kms_audit", "gms_audit"]) {
    await sql.query(
      `INSERT INTO ${table} (at, actor, action, outcome, detail) VALUES ($1, $2, 'restore', 'ok', $3::jsonb)`,
      [now, ACTOR, detail],
    );
  }
}

async function planAnew(sql: Sql, now: number): Promise<void> {
  // A revocation of which messages are not sealed yet begins again: the schedule revokes what has an end (revoke_at).
  const { rows } = await sql.query<{ id: number; gmk: number }>(
    `SELECT id, gmk FROM gms_rekey r WHERE kind = 'revoke' AND state = 'running'
      AND EXISTS (SELECT FROM gms_chunk c WHERE c.rekey = r.id AND c.state = 'planned') ORDER BY id`,
  );
  await sql.query(
    `UPDATE gms_gmk SET state = 'retired', revoke_at = $2, revoke_actor = coalesce(revoke_actor, $3)
    WHERE id = ANY ($1::bigint[]) AND state = 'revoked'`,
    [rows.map(({ gmk }) => gmk), now, ACTOR],
  );
  await sql.query("UPDATE gms_chunk SET state = 'superseded', claimed_by = NULL WHERE state = 'planned'");
}
