/** Tests what is written, and how much of it, where nothing changes; counted in the statements that a store makes. */
import { expect, it } from "vitest";
import { Envelope } from "../../../store/database/envelope.ts";
import type { Database, Sql } from "../../../store/database/sql.ts";
import { GmsStore } from "../../../store/gms/gms-store.ts";
import { onEachDatabase } from "../../support/databases.ts";
import { claimant, KEK, members, NOW, openStore, sealAll, started, stateOf, urisOf } from "./records.ts";

/** Rows that a store writes: the sum of what its statements affect, SELECTs left out. */
function counting(db: Database): { db: Database; written: () => number } {
  let rows = 0;
  const counted = (sql: Sql): Sql => ({
    async query(text, params) {
      const result = await sql.query(text, params);
      if (!/^\s*(SELECT|WITH RECURSIVE|LOCK)/.test(text)) rows += result.affected;
      return result as never;
    },
  });
  const wrapped: Database = {
    kind: db.kind,
    ...counted(db),
    transaction: (work, options) => db.transaction((sql) => work(counted(sql)), options),
    close: () => db.close(),
  };
  return {
    db: wrapped,
    written() {
      const sum = rows;
      rows = 0;
      return sum;
    },
  };
}

onEachDatabase("the cost of a GMS", ({ fresh, again }) => {
  const USERS = members(500);
  const URIS = urisOf(USERS);

  it("an idle process writes one row a lease, however many members are present", async () => {
    const { db, written } = counting(await fresh());
    const store = GmsStore.open(db, await Envelope.open(db, KEK));
    await store.renewLease("a", 15_000);
    await store.present("a", URIS);
    written();
    expect(await store.renewLease("a", 15_000)).toMatchObject({ kept: true });
    expect(written()).toBe(1);
    expect(await store.claimDeliveries({ instance: "a", leaseMs: 1000, limit: 256 })).toEqual([]);
    expect(await store.claimChunk({ instance: "a", leaseMs: 1000 })).toBeUndefined();
    expect(written()).toBe(0);
    // One note of who does it, by the process that does it.
    await store.giveUp({ olderThanMs: 1000, everyMs: 60_000 });
    expect(written()).toBe(1);
    for (let i = 0; i < 3; i++) await store.giveUp({ olderThanMs: 1000, everyMs: 60_000 });
    expect(written()).toBe(0);
  });

  it("the count of members needs no reading of them, and is right after insertions, removals and rollbacks", async () => {
    const db = await fresh();
    const store = await openStore(db);
    expect((await store.counts()).oldestAt).toBeUndefined();
    await started(store, { who: USERS.slice(0, 20) });
    expect(await store.counts()).toEqual({
      groups: 1,
      members: 20,
      runningRekeys: 1,
      backlog: 20,
      oldestAt: NOW,
    });
    const group = (await store.groups({ limit: 1 }))[0]!.uri;
    await store.change((tx) => tx.insertMembers(group, USERS.slice(20, 25), NOW));
    await store.change((tx) => tx.deleteMembers(group, [URIS[0]!, URIS[1]!, "sip:nobody@home.example"]));
    const failed = store.change(async (tx) => {
      await tx.insertMembers(group, USERS.slice(30, 40), NOW);
      throw new Error("no");
    });
    await expect(failed).rejects.toThrow("no");
    expect(await store.counts()).toMatchObject({ groups: 1, members: 23 });
    await store.change((tx) => tx.deleteGroup(group));
    expect(await store.counts()).toMatchObject({ groups: 0, members: 0 });
    // Each count has one row once it has been added up.
    const { rows } = await db.query("SELECT name FROM gms_count ORDER BY name");
    const names = ["backlog", "groups", "members", "oldestAt", "runningRekeys"];
    expect(rows).toEqual(names.map((name) => ({ name })));
  });

  it("the count of members is made by one process, which the others believe for a while", async () => {
    const one = counting(await fresh());
    const two = counting(await again());
    const stores: GmsStore[] = [];
    for (const { db } of [one, two]) stores.push(GmsStore.open(db, await Envelope.open(db, KEK)));
    await stores[0]!.counts(60_000);
    expect(one.written()).toBeGreaterThan(0);
    two.written();
    await stores[1]!.counts(60_000);
    expect(two.written()).toBe(0);
  });

  it("messages of members who come while they are stored find their way, whoever looks first", async () => {
    const store = await openStore(await fresh());
    for (let round = 0; round < 8; round++) {
      const uri = `sip:g${round}@home.example`;
      const who = USERS.slice(round * 10, round * 10 + 10);
      const { rekey } = await started(store, { groupUri: uri, gmkId: round + 1, who, chunkSize: 10 });
      await store.renewLease("a", 3_600_000);
      await Promise.all([sealAll(store), store.present("a", urisOf(who))]);
      const claims = await store.claimDeliveries({ ...claimant("a"), limit: 100 });
      expect(claims.map((claim) => claim.memberUri).sort()).toEqual(urisOf(who).sort());
      await store.record(claims.map((claim) => ({ ...claim, state: "acknowledged" as const })));
      expect(await store.rekey(rekey)).toMatchObject({ state: "done" });
    }
  });

  it("a process whose lease was over is told so, and reports its members anew", async () => {
    const store = await openStore(await fresh());
    const who = USERS.slice(0, 2);
    const { rekey } = await started(store, { who });
    claimant("a", NOW);
    await store.renewLease("a", 1000);
    await store.present("a", urisOf(who));
    await sealAll(store, NOW);
    claimant("a", NOW + 1000);
    await store.giveUp({ olderThanMs: 10 ** 9 });
    expect(await store.claimDeliveries({ ...claimant("a", NOW + 1000), limit: 9 })).toEqual([]);
    expect(await store.renewLease("a", 1000)).toMatchObject({ kept: false });
    await store.present("a", urisOf(who));
    expect(await store.claimDeliveries({ ...claimant("a", NOW + 1000), limit: 9 })).toHaveLength(2);
    expect(await stateOf(store, rekey, URIS[0]!)).toBe("sealed");
  });
});
