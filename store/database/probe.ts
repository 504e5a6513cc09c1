import type { Sql } from "./sql.ts";
import { readClock, type SqlClock } from "./sql-clock.ts";

/**
 * Throws unless the database answers and can write: a full disk or a standby still answers questions. Returns the
 * database's time.
 */
export async function requireWritable(sql: Sql, clock: SqlClock): Promise<number> {
  const now = await readClock(sql, clock);
  await sql.query("UPDATE store_probe SET at = $1", [now]);
  return now;
}
