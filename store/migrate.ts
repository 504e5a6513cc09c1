/** Brings the tables up to date, by one process at a time, in one transaction: all migrations or none. */
import { MikeySakkeError } from "../bindings/errors.ts";
import { MIGRATIONS } from "./migrations/index.ts";
import type { Migration } from "./migrations/migration.ts";
import type { Database } from "./sql.ts";

/** Key of the advisory lock; any number that nothing else in the database uses. */
const LOCK = 0x6d73_6b6b;

export function migrate(db: Database, migrations: readonly Migration[] = MIGRATIONS): Promise<void> {
  return db.transaction(async (sql) => {
    await sql.query("SELECT pg_advisory_xact_lock($1::bigint)", [LOCK]);
    await sql.query(
      "CREATE TABLE IF NOT EXISTS schema_migration (version integer PRIMARY KEY, name text NOT NULL)",
    );
    const { rows } = await sql.query<{ version: number }>(
      "SELECT coalesce(max(version), 0) AS version FROM schema_migration",
    );
    const present = rows[0]!.version;
    if (present > migrations.length) {
      const text = `the database has tables of version ${present}, this program knows ${migrations.length}`;
      throw new MikeySakkeError("usage", "STORE_TOO_NEW", text);
    }
    for (const [i, { name, statements }] of migrations.entries()) {
      const version = i + 1;
      if (version <= present) continue;
      for (const statement of statements) await sql.query(statement);
      await sql.query("INSERT INTO schema_migration (version, name) VALUES ($1, $2)", [version, name]);
    }
  });
}
