/** Several processes on one PostgreSQL, here several pools: who saves, who rotates and who revokes do not mix. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { MikeySakkeError } from "../../base/errors.ts";
import { openDatabase } from "../../store/database/open.ts";
import type { Database } from "../../store/database/sql.ts";
import type { KmsStore } from "../../store/kms/kms-store.ts";
import { masterOf } from "../../store/kms/records.ts";
import { type Cluster, describeWithPostgres, startPostgres } from "../support/postgres.ts";
import { ALICE, issuedKey, newMaster, openStore, uris } from "./records.ts";

const codeOf = (error: unknown) => (error instanceof MikeySakkeError ? error.code : String(error));

describeWithPostgres("processes on one PostgreSQL", () => {
  let cluster: Cluster;
  let databases: Database[];
  let stores: [KmsStore, KmsStore, KmsStore];

  beforeAll(async () => {
    cluster = await startPostgres();
  });
  beforeEach(async () => {
    const url = await cluster.createDatabase();
    // Processes that start at once on an empty database.
    databases = await Promise.all([1, 2, 3].map(() => openDatabase({ url, max: 4 })));
    stores = (await Promise.all(databases.map((db) => openStore(db)))) as typeof stores;
  });
  afterEach(async () => {
    await Promise.all(databases.map((db) => db.close()));
  });
  afterAll(() => cluster.stop());

  it("save the same keys in any order without a deadlock, each once", async () => {
    const all = uris(300);
    await stores[0].addMaster(newMaster("a", 0));
    await Promise.all([stores[0].enrol(all, 1), stores[1].enrol(all.toReversed(), 1)]);
    const keys = all.map((uri) => issuedKey(uri, 5));
    const orders = [keys, keys.toReversed(), [...keys.slice(150), ...keys.slice(0, 150)]];
    const audit = { actor: "job" };
    const saved = await Promise.all(stores.map((store, i) => store.saveIssued(orders[i]!, audit)));
    expect(saved.reduce((sum, one) => sum + one.saved, 0)).toBe(300);
    expect(await stores[0].issuedFor(keys)).toEqual(keys);
    expect(await stores[0].auditLog({ limit: 1000 })).toHaveLength(300);
  });

  it("never save keys of a master that was replaced", async () => {
    const all = uris(400);
    await stores[0].addMaster(newMaster("a", 0));
    await stores[0].enrol(all, 1);
    const answers: string[] = [];
    const issue = async (store: KmsStore, part: readonly string[]) => {
      for (const uri of part) {
        const records = [10, 11].map((period) => issuedKey(uri, period, 1));
        answers.push(await store.saveIssued(records).then(() => "saved", codeOf));
      }
    };
    const rotate = async () => {
      while (answers.length < 60) await new Promise((resolve) => setTimeout(resolve, 1));
      const refused = await stores[2].addMaster(newMaster("b", 11)).then(() => "added", codeOf);
      expect(refused).toBe("PERIOD_ISSUED");
      await stores[2].addMaster(newMaster("b", 11), { replaceIssued: true });
    };
    await Promise.all([issue(stores[0], all.slice(0, 200)), issue(stores[1], all.slice(200)), rotate()]);
    expect(new Set(answers)).toEqual(new Set(["saved", "MASTER_REPLACED"]));
    const masters = await stores[0].masters();
    const { rows } = await databases[0]!.query<{ period_no: number; master_id: number; n: number }>(
      "SELECT period_no, master_id, count(*) AS n FROM kms_issued GROUP BY 1, 2",
    );
    // All of period 11 was dropped, and what was saved of period 10 stayed.
    expect(rows).toEqual([
      { period_no: 10, master_id: 1, n: answers.filter((answer) => answer === "saved").length },
    ]);
    expect(masterOf(masters, 11)!.id).toBe(2);
  });

  it("make one first master", async () => {
    const made = await Promise.all(
      stores.map((store, i) =>
        store.addMaster(newMaster(`m${i}`, 0), { first: true }).then(() => "made", codeOf),
      ),
    );
    expect(made.sort()).toEqual(["MASTER_EXISTS", "MASTER_EXISTS", "made"]);
    expect(await stores[0].masters()).toHaveLength(1);
  });

  it("save nothing of a user once the revocation has returned", async () => {
    await stores[0].addMaster(newMaster("a", 0));
    await stores[0].enrol([ALICE], 1);
    let revoked = false;
    let late = 0;
    const issue = async (store: KmsStore, first: number) => {
      for (let period = first; period < first + 150; period++) {
        const before = revoked;
        const answer = await store.saveIssued([issuedKey(ALICE, period)]).then(() => "saved", codeOf);
        if (before && answer !== "USER_REVOKED") late++;
      }
    };
    const revoke = async () => {
      while ((await stores[2].issuedKeys(ALICE, [20])).length === 0);
      await stores[2].revokeUser(ALICE, "lost", 2);
      revoked = true;
    };
    await Promise.all([issue(stores[0], 0), issue(stores[1], 1000), revoke()]);
    expect(late).toBe(0);
    expect((await stores[0].issuedKeys(ALICE, [149, 1149])).length).toBe(0);
  });

  it("retry what the database aborted to end a deadlock", async () => {
    const [one, two] = databases as [Database, Database];
    await one.query("CREATE TABLE t (a integer PRIMARY KEY, n integer)");
    await one.query("INSERT INTO t VALUES (1, 0), (2, 0)");
    let arrived = 0;
    let open = () => {};
    const both = new Promise<void>((resolve) => {
      open = resolve;
    });
    const crossing = (db: Database, first: number, second: number) =>
      db.transaction(async (sql) => {
        await sql.query("UPDATE t SET n = n + 1 WHERE a = $1", [first]);
        if (++arrived === 2) open();
        await both;
        await sql.query("UPDATE t SET n = n + 1 WHERE a = $1", [second]);
      });
    await Promise.all([crossing(one, 1, 2), crossing(two, 2, 1)]);
    expect(arrived).toBe(3);
    expect((await one.query("SELECT a, n FROM t ORDER BY a")).rows).toEqual([
      { a: 1, n: 2 },
      { a: 2, n: 2 },
    ]);
  });
});
