/** The same tests on PGlite and on PostgreSQL, each test with an empty database whose tables are up to date. */
import { afterAll, afterEach, beforeAll, describe } from "vitest";
import { migrate } from "../../store/database/migrate.ts";
import { openDatabase } from "../../store/database/open.ts";
import { openPglite } from "../../store/database/pglite.ts";
import type { Database } from "../../store/database/sql.ts";
import { type Cluster, describeWithPostgres, startPostgres } from "./postgres.ts";

export interface TestDatabases {
  fresh(): Promise<Database>;
  /** Opens the database as another process would; on PGlite it is the same object, as only one process can have it. */
  again(): Promise<Database>;
}

export function onEachDatabase(name: string, tests: (databases: TestDatabases) => void): void {
  describe(`${name}, PGlite`, () => {
    let pglite: Database;
    beforeAll(async () => {
      pglite = await openPglite();
    });
    afterAll(() => pglite.close());
    // Making a PGlite takes seconds: one is emptied for every test, and stays open.
    const shared = (): Database => ({
      kind: pglite.kind,
      query: (text, params) => pglite.query(text, params),
      transaction: (work) => pglite.transaction(work),
      close: async () => {},
    });
    tests({
      async fresh() {
        await pglite.query("DROP SCHEMA public CASCADE");
        await pglite.query("CREATE SCHEMA public");
        await migrate(pglite);
        return shared();
      },
      again: async () => shared(),
    });
  });

  describeWithPostgres(`${name}, PostgreSQL`, () => {
    let cluster: Cluster;
    let url = "";
    const open: Database[] = [];
    const opened = async () => {
      const db = await openDatabase({ url, max: 4 });
      open.push(db);
      return db;
    };
    beforeAll(async () => {
      cluster = await startPostgres();
    });
    afterEach(async () => {
      await Promise.all(open.splice(0).map((db) => db.close()));
    });
    afterAll(() => cluster.stop());
    tests({
      async fresh() {
        url = await cluster.createDatabase();
        return opened();
      },
      again: opened,
    });
  });
}
