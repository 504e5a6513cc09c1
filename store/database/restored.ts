/** Finds out whether a database came out of a backup, see `store/backup/mark.ts`. */
import type { Sql } from "./sql.ts";

/** In milliseconds since the Unix epoch, by the clock of the database. */
export interface Restored {
  readonly restoredAt: number;
  /** When the backup was made. */
  readonly madeAt: number;
}

/** The last time, if ever. */
export async function lastRestored(sql: Sql): Promise<Restored | undefined> {
  const { rows } = await sql.query<{ restored_at: number; made_at: number }>(
    "SELECT restored_at, made_at FROM store_restored ORDER BY restored_at DESC LIMIT 1",
  );
  return rows[0] && { restoredAt: rows[0].restored_at, madeAt: rows[0].made_at };
}
