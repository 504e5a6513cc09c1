/** The processes of GMS and MCX server on a database, as each reports itself from time to time. */
import type { Sql } from "./sql.ts";
import type { SqlClock } from "./sql-clock.ts";

export type ProcessServer = "gms" | "mcx";

export interface ProcessReport {
  readonly server: ProcessServer;
  /** Unique among the processes of the server. */
  readonly name: string;
  /** Milliseconds since the Unix epoch by the clock of the process's host. */
  readonly hostNow: number;
  /** Why the process is not ready: the code of an error. */
  readonly fault?: string;
}

/** Times are milliseconds since the Unix epoch by the clock of the database. */
export interface ProcessRecord {
  readonly server: ProcessServer;
  readonly name: string;
  /** First of its reports without a gap. */
  readonly since: number;
  readonly seenAt: number;
  /** How far the clock of the host was ahead of the database's at the last report, in milliseconds. */
  readonly clockAhead: number;
  readonly fault?: string;
}

/** Processes that are listed. */
const MOST = 1000;

interface Row {
  readonly server: ProcessServer;
  readonly name: string;
  readonly since: number;
  readonly seen_at: number;
  readonly clock_ahead: number;
  readonly fault: string | null;
}

export class Processes {
  readonly #db: Sql;
  readonly #clock: SqlClock;

  constructor(db: Sql, clock: SqlClock) {
    this.#db = db;
    this.#clock = clock;
  }

  /** Keeps the report for so many milliseconds. */
  async report({ server, name, hostNow, fault }: ProcessReport, lifeMs: number): Promise<void> {
    const now = this.#clock();
    await this.#db.query(
      `INSERT INTO server_process AS known (server, name, since, seen_at, until, clock_ahead, fault)
      VALUES ($1, $2, ${now}, ${now}, ${now} + $3::bigint, $4::bigint - ${now}, $5)
      ON CONFLICT (server, name) DO UPDATE SET seen_at = excluded.seen_at, until = excluded.until,
        clock_ahead = excluded.clock_ahead, fault = excluded.fault,
        since = CASE WHEN known.until > ${now} THEN known.since ELSE excluded.since END`,
      [server, name, lifeMs, Math.round(hostNow), fault ?? null],
    );
  }

  /** The process ends. */
  async end(server: ProcessServer, name: string): Promise<void> {
    // A process that died without a word leaves its row, which the next one that ends takes along.
    await this.#db.query(
      `DELETE FROM server_process WHERE (server = $1 AND name = $2) OR until <= ${this.#clock()}`,
      [server, name],
    );
  }

  /** Lists the processes of a server whose reports are still kept, by name. */
  async list(server: ProcessServer): Promise<ProcessRecord[]> {
    const { rows } = await this.#db.query<Row>(
      `SELECT server, name, since, seen_at, clock_ahead, fault FROM server_process
      WHERE server = $1 AND until > ${this.#clock()} ORDER BY name LIMIT ${MOST}`,
      [server],
    );
    return rows.map(({ seen_at, clock_ahead, fault, ...row }) => ({
      ...row,
      seenAt: seen_at,
      clockAhead: clock_ahead,
      ...(fault !== null && { fault }),
    }));
  }
}
