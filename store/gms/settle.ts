/** The end of rekeys: nothing planned any more, then nothing to be sent. */
import type { Sql } from "../database/sql.ts";
import type { SqlClock } from "../database/sql-clock.ts";
import type { RekeyState } from "./records.ts";

/**
 * Notes which of these rekeys have nothing planned any more (sealed), or nothing sealed either (done); returns those
 * that are done now. Two processes with one rekey's last answers come here one after the other, or neither would see
 * that the rekey is done.
 */
export async function settle(sql: Sql, clock: SqlClock, ids: readonly number[]): Promise<number[]> {
  if (ids.length === 0) return [];
  await sql.query(
    "SELECT id FROM gms_rekey WHERE id = ANY ($1::bigint[]) AND state = 'running' ORDER BY id FOR UPDATE",
    [ids],
  );
  const { rows } = await sql.query<{ id: number; state: RekeyState }>(
    `WITH part AS (
      SELECT id,
        EXISTS (SELECT FROM gms_chunk WHERE rekey = id AND state = 'planned') AS planned,
        EXISTS (SELECT FROM gms_due WHERE rekey = id AND NOT returned) AS sealed
      FROM gms_rekey WHERE id = ANY ($1::bigint[]) AND state = 'running')
    UPDATE gms_rekey r SET
      sealed_at = coalesce(r.sealed_at, ${clock()}),
      state = CASE WHEN part.sealed THEN 'running' ELSE 'done' END,
      finished_at = CASE WHEN part.sealed THEN NULL ELSE ${clock()} END
    FROM part WHERE r.id = part.id AND NOT part.planned AND (r.sealed_at IS NULL OR NOT part.sealed)
    RETURNING r.id, r.state`,
    [ids],
  );
  return rows.filter(({ state }) => state === "done").map(({ id }) => id);
}
