/**
 * The one clock of all processes on a database is that of the database. A statement that needs the time says so itself,
 * so that it does not matter how right the clock of the process is, or how long the statement waited for a lock.
 */
import type { Sql } from "./sql.ts";

/** Gives the SQL expression of the present time: `bigint`, milliseconds since the Unix epoch. */
export type SqlClock = () => string;

/**
 * The server's time when it received the statement. It is constant within the statement, so that an index can be
 * searched by it.
 */
export const databaseClock: SqlClock = () =>
  "floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint";

/** A time that the caller turns, for tests and simulations in place of the database's. */
export function givenClock(now: () => number): SqlClock {
  return () => `${BigInt(Math.floor(now()))}::bigint`;
}

export async function readClock(sql: Sql, clock: SqlClock): Promise<number> {
  const { rows } = await sql.query<{ now: number }>(`SELECT ${clock()} AS now`);
  return rows[0]!.now;
}
