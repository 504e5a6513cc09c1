/** The one PGlite of a test file, with the tables of this version and the rows that migrations put into them. */
import { migrate } from "../../store/database/migrate.ts";
import { openPglite } from "../../store/database/pglite.ts";
import type { Database, Sql } from "../../store/database/sql.ts";

/** A table, and JSON of the rows that it has after the migrations. */
interface FirstRows {
  readonly table: string;
  readonly rows: string;
}

interface Opened {
  readonly db: Database;
  readonly first: readonly FirstRows[];
}

let opened: Promise<Opened> | undefined;

/**
 * Making a PGlite or its tables takes seconds on a slow machine. So one stays open, in which each call empties the tables, and
 * makes them anew only after a test that has changed them. `close` of what is returned does nothing.
 */
export async function emptyPglite(): Promise<Database> {
  opened ??= open();
  const { db, first } = await opened;
  if (!(await putBack(db, first))) {
    await dropTables(db);
    await migrate(db);
  }
  return samePglite();
}

/** The database that `emptyPglite` returned last, as it is. */
export async function samePglite(): Promise<Database> {
  opened ??= open();
  const { db } = await opened;
  const { kind } = db;
  return {
    kind,
    query: (text, params) => db.query(text, params),
    transaction: (work) => db.transaction(work),
    async close() {},
  };
}

export async function closePglite(): Promise<void> {
  const closing = opened;
  opened = undefined;
  await (await closing)?.db.close();
}

export async function dropTables(sql: Sql): Promise<void> {
  await sql.query("DROP SCHEMA public CASCADE");
  await sql.query("CREATE SCHEMA public");
}

async function open(): Promise<Opened> {
  const db = await openPglite();
  await migrate(db);
  const first: FirstRows[] = [];
  for (const table of await tablesOf(db)) {
    const { rows } = await db.query<{ rows: string }>(
      `SELECT coalesce(json_agg(t), '[]')::text AS rows FROM ${table} t`,
    );
    first.push({ table, rows: rows[0]!.rows });
  }
  return { db, first };
}

/** Returns false where the tables are not those of this version. */
async function putBack(db: Database, first: readonly FirstRows[]): Promise<boolean> {
  const tables = first.map(({ table }) => table);
  if (String(await tablesOf(db)) !== String(tables)) return false;
  const migrations = first.find(({ table }) => table === "schema_migration")!;
  const { rows } = await db.query<{ rows: string }>(
    "SELECT coalesce(json_agg(t), '[]')::text AS rows FROM schema_migration t",
  );
  if (rows[0]!.rows !== migrations.rows) return false;
  await db.query(`TRUNCATE ${tables.join(", ")} RESTART IDENTITY`);
  // Triggers count the rows of some tables. No table that has first rows is among them.
  for (const { table, rows: given } of first) {
    if (given === "[]") continue;
    await db.query(
      `INSERT INTO ${table} OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_recordset(NULL::${table}, $1::json)`,
      [given],
    );
  }
  return true;
}

async function tablesOf(sql: Sql): Promise<string[]> {
  const { rows } = await sql.query<{ name: string }>(
    "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY name",
  );
  return rows.map(({ name }) => name);
}
