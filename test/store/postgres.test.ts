/** PostgreSQL that is lost, slow or not there: told as such, and used again once it is back. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { MikeySakkeError } from "../../base/errors.ts";
import { openDatabase } from "../../store/database/open.ts";
import { openPostgres } from "../../store/database/postgres.ts";
import { type Cluster, describeWithPostgres, startPostgres } from "../support/postgres.ts";
import { ALICE, issuedKey, newMaster, openStore } from "./records.ts";

const LOST = { name: "MikeySakkeError", kind: "transport", code: "STORE_LOST" };
const SLOW = { name: "MikeySakkeError", kind: "transport", code: "STORE_TIMEOUT" };

it("an invalid database URL is refused without being shown", () => {
  for (const url of ["mysql://u:hunter2@h/d", "postgresql://u:hunter2@h:99999/d", "", "hunter2"]) {
    try {
      openPostgres(url);
      expect.fail("was taken");
    } catch (error) {
      expect(error).toMatchObject({ kind: "usage", code: "BAD_STORE_URL" });
      expect((error as Error).message).not.toContain("hunter2");
    }
  }
});

it("an unreachable database is reported as lost, without the password", async () => {
  const error: MikeySakkeError = await openDatabase({ url: "postgresql://u:hunter2@127.0.0.1:1/d" }).then(
    () => expect.fail("was opened"),
    (e) => e,
  );
  expect(error).toBeInstanceOf(MikeySakkeError);
  expect(error).toMatchObject(LOST);
  expect(error.message).not.toContain("hunter2");
});

describeWithPostgres("a PostgreSQL that fails", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startPostgres();
  });
  afterAll(() => cluster.stop());

  it("tells of its connections, those in use and those who wait for one", async () => {
    const db = await openDatabase({ url: await cluster.createDatabase(), max: 1 });
    let waiting: Promise<unknown> | undefined;
    await db.transaction(async () => {
      expect(db.pool!()).toEqual({ max: 1, used: 1, idle: 0, waiting: 0 });
      waiting = db.query("SELECT 1");
      expect(db.pool!()).toEqual({ max: 1, used: 1, idle: 0, waiting: 1 });
    });
    await waiting;
    expect(db.pool!()).toEqual({ max: 1, used: 0, idle: 1, waiting: 0 });
    await db.close();
  });

  it("has all that was committed before kill -9, and the pool reconnects", async () => {
    const db = await openDatabase({ url: await cluster.createDatabase(), max: 2 });
    const store = await openStore(db);
    await store.addMaster(newMaster("a", 0));
    await store.enrol([ALICE], 1);
    const keys = [1, 2, 3].map((period) => issuedKey(ALICE, period));
    await store.saveIssued(keys);
    const interrupted = db.transaction(async (sql) => {
      await sql.query("UPDATE kms_user SET reason = 'never committed'");
      await cluster.crash();
      await sql.query("SELECT 1");
    });
    await expect(interrupted).rejects.toMatchObject(LOST);
    await expect(store.saveIssued(keys)).rejects.toMatchObject(LOST);
    await cluster.start();
    await store.ready();
    expect(await store.issuedKeys(ALICE, [1, 2, 3])).toEqual(keys);
    expect(await store.user(ALICE)).toEqual({ uri: ALICE, enrolledAt: 1 });
    await db.close();
  });

  it("may end a connection between two statements without ending our process", async () => {
    const url = await cluster.createDatabase();
    const db = openPostgres(url, { max: 1 });
    const other = openPostgres(url, { max: 1 });
    const ended = db.transaction(async (sql) => {
      const { rows } = await sql.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
      await other.query("SELECT pg_terminate_backend($1, 5000)", [rows[0]!.pid]);
      await new Promise((resolve) => setTimeout(resolve, 100));
      await sql.query("SELECT 1");
    });
    await expect(ended).rejects.toMatchObject(LOST);
    expect((await db.query("SELECT 1 AS a")).rows).toEqual([{ a: 1 }]);
    await Promise.all([db.close(), other.close()]);
  });

  it("is given up when a statement, a lock or a connection takes too long", async () => {
    const url = await cluster.createDatabase();
    const db = openPostgres(url, { max: 1, statementTimeout: 600 });
    const other = openPostgres(url, { max: 1 });
    await db.query("CREATE TABLE t ()");
    await expect(db.query("SELECT pg_sleep(30)")).rejects.toMatchObject(SLOW);
    await other.transaction(async (sql) => {
      await sql.query("LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
      await expect(db.query("SELECT FROM t")).rejects.toMatchObject(SLOW);
    });
    await db.transaction(async () => {
      await expect(db.query("SELECT 1")).rejects.toMatchObject(SLOW);
    });
    expect((await db.query("SELECT 1 AS a")).rows).toEqual([{ a: 1 }]);
    await Promise.all([db.close(), other.close()]);
  });

  it("is reported when the database or the user does not exist", async () => {
    const url = (await cluster.createDatabase()).replace(/test\d+\?/, "nowhere?");
    await expect(openDatabase({ url })).rejects.toMatchObject({ kind: "usage", code: "STORE_REFUSED" });
  });

  it("closes once however often it is told to, and answers no more", async () => {
    const db = await openDatabase({ url: await cluster.createDatabase() });
    await Promise.all([db.close(), db.close()]);
    await expect(db.query("SELECT 1")).rejects.toMatchObject(LOST);
  });
});
