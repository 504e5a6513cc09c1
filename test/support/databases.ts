/** The same tests on PGlite and on PostgreSQL, each test with an empty database whose tables are up to date. */
import { afterAll, afterEach, beforeAll, describe } from "vitest";
import { openDatabase } from "../../store/database/open.ts";
import type { Database } from "../../store/database/sql.ts";
import { closePglite, emptyPglite, samePglite } from "./empty-pglite.ts";
import { type Cluster, describeWithPostgres, startPostgres } from "./postgres.ts";

export interface TestDatabases {
  fresh(): Promise<Database>;
  /** Opens the database as another process would; on PGlite it is the same object, as only one process can have it. */
  again(): Promise<Database>;
}

export function onEachDatabase(name: string, tests: (databases: TestDatabases) => void): void {
  describe(`${name}, PGlite`, () => {
    afterAll(closePglite);
    tests({ fresh: emptyPglite, again: samePglite });
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
