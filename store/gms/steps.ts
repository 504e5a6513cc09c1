/** The steps that one process does for all of them, once in a while. */
import type { Sql } from "../database/sql.ts";
import type { SqlClock } from "../database/sql-clock.ts";

/** True for one process in each interval: it is to do the step now. */
export async function takeStep(sql: Sql, clock: SqlClock, name: string, everyMs: number): Promise<boolean> {
  const now = clock();
  const { affected } = await sql.query(
    `INSERT INTO gms_step AS step (name, done_at) VALUES ($1, ${now})
    ON CONFLICT (name) DO UPDATE SET done_at = excluded.done_at
      WHERE step.done_at <= ${now} - $2::bigint OR step.done_at > ${now}`,
    [name, everyMs],
  );
  return affected === 1;
}
