/** Opens the database of a server and brings its tables up to date. */
import { MikeySakkeError } from "../../base/errors.ts";
import { migrate } from "./migrate.ts";
import { openPglite } from "./pglite.ts";
import { openPostgres, type PostgresOptions } from "./postgres.ts";
import type { Database } from "./sql.ts";

export interface DatabaseOptions extends PostgresOptions {
  /** postgresql://…, for PostgreSQL. */
  readonly url?: string;
  /** Folder of PGlite. Without URL and folder the database is in memory and gone when it is closed. */
  readonly folder?: string;
}

/** Usage errors: BAD_STORE_URL, STORE_LOCKED, STORE_TOO_NEW (made by a newer version of this package). */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { url, folder } = options;
  if (url !== undefined && folder !== undefined) {
    throw new MikeySakkeError("usage", "BAD_STORE_URL", "a database has a URL or a folder, not both");
  }
  const db = url === undefined ? await openPglite(folder) : openPostgres(url, options);
  try {
    await migrate(db);
    return db;
  } catch (error) {
    await db.close();
    throw error;
  }
}
