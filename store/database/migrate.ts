/** Brings the tables up to date, by one process at a time, in one transaction: all migrations or none. */
import { MikeySakkeError } from "../../base/errors.ts";
import { MIGRATIONS } from "../migrations/index.ts";
import type { Migration } from "../migrations/migration.ts";
import type { Database, Sql } from "./sql.ts";

/** Key of the advisory lock; any number that nothing else in the database uses. */
const LOCK = 0x6d73_6b6b;
/** Milliseconds for one step: a large table may have to be written anew. */
const STEP_TIMEOUT = 3_600_000;

export function migrate(db: Database, migrations: readonly Migration[] = MIGRATIONS): Promise<void> {
  return db.transaction((sql) => migrateWithin(sql, migrations), { statementTimeout: STEP_TIMEOUT });
}

/** The same within a transaction that does more. */
export async function migrateWithin(sql: Sql, migrations: readonly Migration[] = MIGRATIONS): Promise<void> {
  await sql.query("SELECT pg_advisory_xact_lock($1::bigint)", [LOCK]);
  await sql.query(
    "CREATE TABLE IF NOT EXISTS schema_migration (version integer PRIMARY KEY, name text NOT NULL)",
  );
  const present = await versionOf(sql);
  requireKnown(present, migrations.length);
  for (const [i, { name, statements }] of migrations.entries()) {
    const version = i + 1;
    if (version <= present) continue;
    for (const statement of statements) await sql.query(statement);
    await sql.query("INSERT INTO schema_migration (version, name) VALUES ($1, $2)", [version, name]);
  }
}

/** Returns how many migrations the tables have had; 0 where there are no tables. */
export async function schemaVersion(sql: Sql): Promise<number> {
  const { rows } = await sql.query<{ there: boolean }>(
    "SELECT to_regclass('schema_migration') IS NOT NULL AS there",
  );
  return rows[0]!.there ? versionOf(sql) : 0;
}

async function versionOf(sql: Sql): Promise<number> {
  const { rows } = await sql.query<{ version: number }>(
    "SELECT coalesce(max(version), 0) AS version FROM schema_migration",
  );
  return rows[0]!.version;
}

/** @throws {MikeySakkeError} usage `STORE_TOO_NEW` */
export function requireKnown(present: number, known: number = MIGRATIONS.length): void {
  if (present <= known) return;
  const text = `the database has tables of version ${present}, this program knows ${known}`;
  throw new MikeySakkeError("usage", "STORE_TOO_NEW", text);
}
