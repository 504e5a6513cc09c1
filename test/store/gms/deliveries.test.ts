/** Messages on their way: present members, claims, outcomes. */
import { expect, it } from "vitest";
import type { GmsStore } from "../../../store/gms/gms-store.ts";
import type { DeliveryResult } from "../../../store/gms/records.ts";
import { onEachDatabase } from "../../support/databases.ts";
import {
  at,
  claimant,
  G2,
  LEASE,
  members,
  NOW,
  newGmk,
  openStore,
  planned,
  present,
  refused,
  sealAll,
  started,
  stateOf,
  urisOf,
} from "./records.ts";

const USERS = members(6);
const URIS = urisOf(USERS);
const [A, B, C, D, E, F] = URIS as [string, string, string, string, string, string];
const UNTIL = NOW + 3_600_000;

async function claimed(store: GmsStore, instance: string, now = NOW, limit = 100): Promise<string[]> {
  return (await store.claimDeliveries({ ...claimant(instance, now), limit })).map((d) => d.memberUri).sort();
}

async function sealed(store: GmsStore): Promise<number> {
  const { rekey } = await started(store, { who: USERS });
  await sealAll(store);
  return rekey;
}

onEachDatabase("messages", ({ fresh }) => {
  it("messages to deliver are for the process that has the member, whoever came first", async () => {
    const store = await openStore(await fresh());
    await present(store, "a", [A, B, "sip:other@home.example"], UNTIL);
    const rekey = await sealed(store);
    await present(store, "b", [C, C], UNTIL);
    await present(store, "b", [], UNTIL);
    const all = await store.claimDeliveries({ ...claimant("a"), limit: 100 });
    expect(all).toEqual([
      { rekey, memberUri: A, kind: "distribute", attempts: 1 },
      { rekey, memberUri: B, kind: "distribute", attempts: 1 },
    ]);
    expect(await claimed(store, "b")).toEqual([C]);
    expect(await claimed(store, "c")).toEqual([]);
  });

  it("messages to deliver are offered again when the lease is over, or at the time that a failure set", async () => {
    const store = await openStore(await fresh());
    const rekey = await sealed(store);
    await present(store, "a", [A, B], UNTIL);
    expect(await claimed(store, "a", NOW, 1)).toHaveLength(1);
    expect(await claimed(store, "a")).toHaveLength(1);
    expect(await claimed(store, "a", NOW + LEASE - 1)).toEqual([]);
    expect(await claimed(store, "a", NOW + LEASE)).toEqual([A, B]);
    const failure = { rekey, memberUri: A, state: "sealed", status: 408, waitMs: 90_000 - LEASE } as const;
    await at(NOW + LEASE, store).record([failure]);
    expect(await claimed(store, "a", NOW + 60_000)).toEqual([B]);
    expect(await claimed(store, "a", NOW + 90_000)).toEqual([A, B]);
    const [first] = await store.deliveries(rekey, { limit: 1 });
    expect(first).toMatchObject({ memberUri: A, state: "sealed", attempts: 3, status: 408 });
  });

  it("messages of rekeys take turns, so that a small rekey does not wait for a large one", async () => {
    const store = await openStore(await fresh());
    const crowd = members(30, 100);
    const { rekey: large } = await started(store, { who: crowd });
    const { rekey: small } = await started(store, { groupUri: G2, gmkId: 2, who: USERS.slice(0, 3) });
    await sealAll(store);
    await present(store, "a", [...urisOf(crowd), ...URIS], UNTIL);
    const order = async () =>
      (await store.claimDeliveries({ ...claimant("a"), limit: 5 })).map((d) => d.rekey);
    expect(await order()).toEqual([large, small, large, small, large]);
    expect((await order()).sort()).toEqual([large, large, large, large, small]);
  });

  it("messages to deliver move to another process of the member when theirs loses the member", async () => {
    const store = await openStore(await fresh());
    await sealed(store);
    await present(store, "a", [A, B, C], UNTIL);
    await present(store, "b", [B], NOW + 1000);
    expect(await claimed(store, "b")).toEqual([B]);
    await store.absent("b", [B]);
    await store.absent("a", [C]);
    expect(await claimed(store, "a", NOW + LEASE)).toEqual([A, B]);
    await present(store, "b", [C], UNTIL);
    expect(await claimed(store, "b")).toEqual([C]);
  });

  it("messages of a dead process go to others when its presence runs out, or back when it starts again", async () => {
    const db = await fresh();
    const store = await openStore(db);
    await sealed(store);
    await present(store, "dead", [A, B], NOW + 1000);
    await present(store, "b", [B], UNTIL);
    await present(store, "c", [C], UNTIL);
    expect(await claimed(store, "dead")).toEqual([A]);
    // A comes to b, which waits for the lease of the dead; then B's only other holder runs out.
    await present(store, "b", [A], UNTIL);
    expect(await claimed(store, "b")).toEqual([B]);
    expect(await claimed(store, "b", NOW + LEASE)).toEqual([A, B]);
    await present(store, "d", [B], NOW + LEASE + 2000);
    await at(NOW + LEASE + 2000, store).giveUp({ olderThanMs: 10 ** 9 });
    expect(await claimed(store, "b", NOW + 2 * LEASE)).toEqual([A, B]);
    await store.recover("b");
    await present(store, "b", [A], UNTIL);
    expect(await claimed(store, "b", NOW + 2 * LEASE)).toEqual([A]);
    // A database of PGlite has no other process that could be alive.
    expect(await claimed(store, "c")).toEqual(db.kind === "pglite" ? [] : [C]);
  });

  it("deliveries keep the best known state of their messages", async () => {
    const store = await openStore(await fresh());
    const rekey = await sealed(store);
    const states: DeliveryResult["state"][] = [
      "sealed",
      "unreachable",
      "delivered",
      "refused",
      "acknowledged",
    ];
    const after: Record<string, string[]> = {};
    for (const [i, first] of states.entries()) {
      const memberUri = URIS[i]!;
      const seen = [];
      for (const next of states.toReversed()) {
        if (states.indexOf(next) > i) continue;
        await at(NOW, store).record([{ rekey, memberUri, state: first }]);
        await at(NOW, store).record([{ rekey, memberUri, state: next }]);
        seen.push(await stateOf(store, rekey, memberUri));
      }
      after[first] = seen as string[];
    }
    expect(after).toEqual({
      sealed: ["sealed"],
      unreachable: ["unreachable", "unreachable"],
      delivered: ["delivered", "delivered", "delivered"],
      refused: ["refused", "refused", "refused", "refused"],
      acknowledged: Array(5).fill("acknowledged"),
    });
  });

  it("deliveries record many outcomes at once, the last for each message, none for a missing message", async () => {
    const store = await openStore(await fresh());
    const rekey = await sealed(store);
    const outcome = (memberUri: string, state: DeliveryResult["state"], reason?: string) => ({
      rekey,
      memberUri,
      state,
      ...(reason === undefined ? {} : { reason }),
    });
    const results = [
      outcome(A, "refused", "x".repeat(2000)),
      outcome(B, "refused"),
      outcome(B, "acknowledged"),
      outcome("sip:nobody@home.example", "acknowledged"),
      { ...outcome(C, "acknowledged"), rekey: rekey + 1 },
    ];
    expect(await at(NOW + 9, store).record(results)).toEqual([]);
    expect(await at(NOW, store).record([])).toEqual([]);
    const listed = await store.deliveries(rekey, { limit: 3 });
    expect(listed.map((d) => d.state)).toEqual(["refused", "acknowledged", "sealed"]);
    expect(listed[0]).toMatchObject({ reason: "x".repeat(500), changedAt: NOW + 9 });
    expect(await refused(at(NOW, store).record([outcome(A, "planned" as never)]))).toBe("BAD_STATE");
  });

  it("deliveries are listed by state and page", async () => {
    const store = await openStore(await fresh());
    const { rekey } = await started(store, { who: USERS });
    const page = async (query: Parameters<GmsStore["deliveries"]>[1]) =>
      (await store.deliveries(rekey, query)).map((d) => d.memberUri);
    expect(await page({ state: "planned", limit: 9 })).toEqual(URIS);
    const claim = (await store.claimChunk(claimant("a")))!;
    await store.saveChunk(
      claim,
      claim.members.map(({ uri }) => ({ uri, octets: new Uint8Array(9) })),
    );
    expect(await page({ after: B, limit: 3 })).toEqual([C, D, E]);
    expect(await page({ state: "planned", limit: 9 })).toEqual([E, F]);
    expect(await page({ state: "sealed", after: C, limit: 9 })).toEqual([D]);
    expect(await refused(store.deliveries(rekey, { state: "gone" as never, limit: 1 }))).toBe("BAD_STATE");
  });

  it("messages to a member who is nowhere are given up, and sent when the member shows up", async () => {
    const store = await openStore(await fresh());
    const rekey = await sealed(store);
    await present(store, "a", [A], UNTIL);
    const giveUp = (now: number) => at(now, store).giveUp({ olderThanMs: 1000 });
    expect(await giveUp(NOW + 999)).toBe(0);
    expect(await giveUp(NOW + 1000)).toBe(5);
    expect(await giveUp(NOW + 1000)).toBe(0);
    expect(await stateOf(store, rekey, B)).toBe("unreachable");
    expect(await store.rekey(rekey)).toMatchObject({
      state: "running",
      counts: { sealed: 1, unreachable: 5 },
    });
    await at(NOW + 1500, store).record([{ rekey, memberUri: A, state: "acknowledged" }]);
    expect(await store.rekey(rekey)).toMatchObject({ state: "done" });
    await present(store, "a", [B, C], UNTIL);
    expect(await claimed(store, "a", NOW + 2000)).toEqual([B, C]);
    const failure = { rekey, memberUri: B, state: "sealed", waitMs: 47_999 } as const;
    await at(NOW + 2001, store).record([failure, { rekey, memberUri: C, state: "acknowledged" }]);
    expect(await store.rekey(rekey)).toMatchObject({ state: "done", counts: { sealed: 0, unreachable: 4 } });
    expect(await claimed(store, "a", NOW + 49_999)).toEqual([]);
    expect(await claimed(store, "a", NOW + 50_000)).toEqual([B]);
  });

  it("messages that a process gave up wait until the member subscribes again", async () => {
    const store = await openStore(await fresh());
    const rekey = await sealed(store);
    await present(store, "a", [A], UNTIL);
    await at(NOW, store).record([{ rekey, memberUri: A, state: "unreachable" }]);
    expect(await claimed(store, "a", NOW + 10 ** 6)).toEqual([]);
    await store.absent("a", [A]);
    expect(await claimed(store, "a", NOW + 10 ** 6)).toEqual([]);
    await present(store, "a", [A], UNTIL);
    expect(await claimed(store, "a", NOW + 10 ** 6)).toEqual([A]);
  });

  it("latecomers get no messages of a GMK that is no longer live, but its revocation", async () => {
    const store = await openStore(await fresh());
    const { gmk } = await started(store, { who: USERS });
    await sealAll(store);
    await at(NOW + 1000, store).giveUp({ olderThanMs: 0 });
    const revocation = await store.change(async (tx) => {
      await tx.setGmkState([gmk.id], "revoked");
      return planned(tx, gmk, USERS, { kind: "revoke" });
    });
    await sealAll(store);
    await at(NOW + 2000, store).giveUp({ olderThanMs: 0 });
    await present(store, "a", [A], UNTIL);
    const all = await store.claimDeliveries({ ...claimant("a", NOW + 3000), limit: 9 });
    expect(all).toEqual([{ rekey: revocation, memberUri: A, kind: "revoke", attempts: 1 }]);
  });
});

onEachDatabase("documents", ({ fresh }) => {
  it("documents hold the newest message of each live GMK, in order of the rekeys, by group", async () => {
    const store = await openStore(await fresh());
    const one = await started(store, { who: USERS });
    const two = await started(store, { groupUri: G2, gmkId: 2, who: USERS.slice(0, 2) });
    await sealAll(store);
    const renewal = await store.change((tx) => planned(tx, one.gmk, USERS.slice(0, 1), { kind: "renew" }));
    const ids = async (uri: string, group?: string) => (await store.gktpOf(uri, group)).map((m) => m.rekey);
    expect(await ids(A)).toEqual([one.rekey, two.rekey]);
    await sealAll(store);
    expect(await ids(A)).toEqual([two.rekey, renewal]);
    expect(await ids(A, G2)).toEqual([two.rekey]);
    expect(await ids(B)).toEqual([one.rekey, two.rekey]);
    expect((await store.gktpOf(A, G2))[0]).toMatchObject({
      memberUri: A,
      kind: "distribute",
      gmkId: 2,
      groups: [G2],
      activation: NOW,
      state: "sealed",
    });
    await store.change((tx) => tx.setGmkState([one.gmk.id], "retired"));
    expect(await ids(A)).toEqual([two.rekey]);
    const revocation = await store.change(async (tx) => {
      await tx.setGmkState([one.gmk.id], "revoked");
      return planned(tx, one.gmk, USERS, { kind: "revoke" });
    });
    await sealAll(store);
    expect(await ids(A)).toEqual([two.rekey, revocation]);
    expect(await ids(C)).toEqual([revocation]);
  });

  it("documents have stamps that change with their entries and with nothing else", async () => {
    const store = await openStore(await fresh());
    const one = await started(store, { who: USERS.slice(0, 2) });
    const stamp = async (uri: string, group?: string) => (await store.gktpStamps([uri], group)).get(uri);
    expect(await stamp(A)).toBe("");
    await sealAll(store);
    const first = await stamp(A);
    expect(await store.gktpStamps([A, B, C])).toEqual(
      new Map([
        [A, first],
        [B, first],
        [C, ""],
      ]),
    );
    expect(first).not.toBe("");
    expect(await stamp(A, G2)).toBe("");
    await at(NOW, store).record([{ rekey: one.rekey, memberUri: A, state: "acknowledged" }]);
    expect(await stamp(A)).toBe(first);
    await store.change(async (tx) => {
      const gmk = await tx.insertGmk(newGmk(2, { groups: [G2] }), NOW);
      await planned(tx, gmk, USERS.slice(0, 1));
    });
    await sealAll(store);
    const second = await stamp(A);
    expect(second).not.toBe(first);
    expect(await stamp(B)).toBe(first);
    await store.change((tx) => tx.setGmkState([one.gmk.id], "retired"));
    expect([first, second, ""]).not.toContain(await stamp(A));
    expect(await stamp(B)).toBe("");
    expect(await stamp(A)).toBe(await stamp(A, G2));
  });
});
