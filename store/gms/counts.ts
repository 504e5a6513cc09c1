/**
 * Figures of the whole GMS, for metrics. Groups and members are sums of changes, which triggers write down; what is
 * under way is counted, by one process for all. Both are in gms_count.
 */
import type { Database, Sql } from "../database/sql.ts";
import type { SqlClock } from "../database/sql-clock.ts";
import type { GmsCounts } from "./records.ts";
import { takeStep } from "./steps.ts";

/** @param maxAgeMs what was counted by another process may be so old */
export async function counts(db: Database, clock: SqlClock, maxAgeMs: number): Promise<GmsCounts> {
  await db.transaction(async (sql) => {
    if (await takeStep(sql, clock, "counts", maxAgeMs)) await count(sql);
  });
  const { rows } = await db.query<{ name: keyof GmsCounts; n: number }>(
    "SELECT name, sum(delta)::bigint AS n FROM gms_count GROUP BY name",
  );
  const sums = new Map(rows.map(({ name, n }) => [name, n]));
  const sum = (name: keyof GmsCounts) => sums.get(name) ?? 0;
  return {
    groups: sum("groups"),
    members: sum("members"),
    runningRekeys: sum("runningRekeys"),
    backlog: sum("backlog"),
    oldestAt: sums.get("oldestAt"),
  };
}

/** Puts one row in place of many, also while others add theirs. */
async function count(sql: Sql): Promise<void> {
  await sql.query(
    `WITH changes AS (DELETE FROM gms_count RETURNING name, delta)
    INSERT INTO gms_count (name, delta)
    SELECT name, sum(delta) FROM changes WHERE name IN ('groups', 'members') GROUP BY name
    UNION ALL SELECT 'runningRekeys', count(*) FROM gms_rekey WHERE state = 'running'
    UNION ALL SELECT 'backlog', (SELECT count(*) FROM gms_due WHERE NOT returned)
      + (SELECT coalesce(sum(size), 0) FROM gms_chunk WHERE state = 'planned')
    UNION ALL SELECT 'oldestAt', min(created_at) FROM gms_rekey WHERE state = 'running' HAVING count(*) > 0`,
  );
}
