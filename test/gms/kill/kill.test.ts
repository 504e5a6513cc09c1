/**
 * kill -9 of a GMS in the midst of a rekey, again and again, on each database: whoever stays in the group ends with exactly
 * the newest GMK, who was removed has none, nobody is lost, and each change made one GMK. MIKEY_SAKKE_LONG=1
 * makes it longer, as `npm run test:kill` does.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { migrate } from "../../../store/database/migrate.ts";
import { type DatabaseOptions, openDatabase } from "../../../store/index.ts";
import { type Cluster, describeWithPostgres, startPostgres } from "../../support/postgres.ts";
import { killAgainAndAgain, type Plan } from "./killing.ts";

const LONG = process.env.MIKEY_SAKKE_LONG === "1";
const KILLS = LONG ? { pglite: 20, postgres: 50 } : { pglite: 3, postgres: 3 };
const MEMBERS = LONG ? 5000 : 300;
const HOURS = 3_600_000;

async function prepared(database: DatabaseOptions): Promise<DatabaseOptions> {
  const db = await openDatabase(database);
  try {
    await migrate(db);
  } finally {
    await db.close();
  }
  return database;
}

async function expectUnharmed(plan: Plan): Promise<void> {
  const result = await killAgainAndAgain(plan);
  expect(result.kills).toBe(plan.kills);
  // Most are to hit a rekey that is not done.
  expect(result.atWork).toBeGreaterThanOrEqual(Math.floor(plan.kills / 2));
}

describe("kill -9 of a GMS, PGlite", () => {
  let folder = "";
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "gms-kill-"));
    await prepared({ folder });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it(
    "loses no member and makes no second GMK",
    () => expectUnharmed({ database: { folder }, kills: KILLS.pglite, members: MEMBERS }),
    HOURS,
  );
});

describeWithPostgres("kill -9 of a GMS, PostgreSQL", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startPostgres();
  });
  afterAll(() => cluster.stop());

  it(
    "loses no member and makes no second GMK",
    async () => {
      const database = await prepared({ url: await cluster.createDatabase(), max: 4 });
      await expectUnharmed({ database, kills: KILLS.postgres, members: MEMBERS });
    },
    HOURS,
  );
});
