/**
 * All that the tables hold at one moment, as lines of JSON, while others go on writing. The database writes the JSON and
 * reads it again, so that a row is the same on PGlite and on PostgreSQL.
 */
import { MikeySakkeError } from "../../base/errors.ts";
import { requireKnown, schemaVersion } from "./migrate.ts";
import { controlLine } from "./snapshot-lines.ts";
import type { Database, Sql } from "./sql.ts";
import { databaseClock, readClock } from "./sql-clock.ts";

/** Milliseconds for one statement, and for a pause between two. */
const PATIENCE_MS = 3_600_000;
/** Rows that are read at a time; the largest have some 20 KB. */
const ROWS = 500;

/**
 * The tables in which living processes know of each other. A process that starts on the restored database is none of
 * them.
 */
const PASSING: readonly string[] = [
  "gms_instance",
  "gms_presence",
  "mcx_instance",
  "mcx_group",
  "mcx_message",
  "server_process",
  "store_probe",
];

/** Takes some lines, each with its end. */
export type WriteLines = (lines: string) => Promise<void>;

/**
 * On PGlite everything else waits until it is done: `write` must not wait for whoever reads.
 *
 * @throws {MikeySakkeError} usage `NO_DATABASE`: there are no tables; `STORE_TOO_NEW`
 */
export async function writeSnapshot(db: Database, write: WriteLines): Promise<void> {
  let begun = false;
  await db.transaction(
    async (sql) => {
      // What was written is written: there is no second try.
      if (begun) throw new MikeySakkeError("transport", "STORE_BUSY", "the snapshot was broken off");
      begun = true;
      await sql.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
      await writeAll(sql, write);
    },
    { statementTimeout: PATIENCE_MS },
  );
}

async function writeAll(sql: Sql, write: WriteLines): Promise<void> {
  const version = await schemaVersion(sql);
  if (version === 0)
    throw new MikeySakkeError("usage", "NO_DATABASE", "the database has no tables of a server");
  requireKnown(version);
  await write(controlLine(["schema", version, await readClock(sql, databaseClock)]));
  for (const { table, column } of await identityColumns(sql)) {
    const { rows } = await sql.query<{ last: number }>(
      `SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('${table}', '${column}')::regclass), 0) AS last`,
    );
    await write(controlLine(["sequence", table, column, rows[0]!.last]));
  }
  let count = 0;
  for (const table of await ownTables(sql)) {
    if (PASSING.includes(table)) continue;
    await write(controlLine(["table", table]));
    await sql.query(
      `DECLARE rows_of_table NO SCROLL CURSOR FOR SELECT row_to_json(t)::text AS line FROM ${table} AS t`,
    );
    for (;;) {
      const { rows } = await sql.query<{ line: string }>(`FETCH ${ROWS} FROM rows_of_table`);
      if (rows.length === 0) break;
      count += rows.length;
      await write(rows.map(({ line }) => `${line}\n`).join(""));
    }
    await sql.query("CLOSE rows_of_table");
  }
  await write(controlLine(["end", count]));
}

/** In order of name. A database of PostgreSQL may have tables of others. */
export async function ownTables(sql: Sql): Promise<string[]> {
  const { rows } = await sql.query<{ name: string }>(
    `SELECT tablename::text AS name FROM pg_tables
    WHERE schemaname = current_schema() AND tablename ~ '^(store|kms|gms|mcx)_[a-z_]+$' ORDER BY name`,
  );
  return rows.map(({ name }) => name);
}

export async function identityColumns(sql: Sql): Promise<{ table: string; column: string }[]> {
  const { rows } = await sql.query<{ table: string; column: string }>(
    `SELECT table_name::text AS "table", column_name::text AS "column" FROM information_schema.columns
    WHERE table_schema = current_schema() AND is_identity = 'YES' ORDER BY 1, 2`,
  );
  const own = new Set(await ownTables(sql));
  return rows.filter(({ table }) => own.has(table));
}
