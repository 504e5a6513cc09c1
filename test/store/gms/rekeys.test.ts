/** Rekeys from the plan to the end, and who is to get a GMK and who not. */
import { expect, it } from "vitest";
import { ntpFold, ntpFromUnixMs, ntpUnfold } from "../../../bindings/index.ts";
import type { GmsStore } from "../../../store/gms/gms-store.ts";
import { onEachDatabase } from "../../support/databases.ts";
import {
  at,
  claimant,
  G1,
  G2,
  gukId,
  members,
  messages,
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

const USERS = members(10);
const [A, B, C] = urisOf(USERS) as [string, string, string];

async function answer(store: GmsStore, rekey: number, ...answers: [string, "acknowledged" | "refused"][]) {
  return at(NOW + 50, store).record(answers.map(([memberUri, state]) => ({ rekey, memberUri, state })));
}

onEachDatabase("rekeys", ({ fresh }) => {
  it("rekeys are counted by the states of their members from plan to end", async () => {
    const store = await openStore(await fresh());
    const { gmk, rekey } = await started(store, { who: USERS });
    const none = { delivered: 0, acknowledged: 0, refused: 0, unreachable: 0, superseded: 0 };
    const before = {
      id: rekey,
      kind: "distribute",
      gmk: gmk.id,
      gmkId: 1,
      groups: [G1],
      cause: "on demand",
      actor: "operator",
      state: "running",
      total: 10,
      counts: { ...none, planned: 10, sealed: 0 },
      createdAt: NOW,
      sealedAt: undefined,
      finishedAt: undefined,
    };
    expect(await store.rekey(rekey)).toEqual(before);
    expect(await store.rekey(rekey + 1)).toBeUndefined();
    expect(await store.counts()).toEqual({
      groups: 1,
      members: 10,
      runningRekeys: 1,
      backlog: 10,
      oldestAt: NOW,
    });
    const claim = (await store.claimChunk(claimant("a")))!;
    await at(NOW + 5, store).saveChunk(claim, messages(claim));
    expect(await store.rekey(rekey)).toMatchObject({
      counts: { ...none, planned: 6, sealed: 4 },
      total: 10,
      sealedAt: undefined,
    });
    await sealAll(store, NOW + 10);
    expect(await store.rekey(rekey)).toMatchObject({ sealedAt: NOW + 10, state: "running" });
    expect(await answer(store, rekey, [A, "acknowledged"], [B, "refused"])).toEqual([]);
    expect(await store.rekey(rekey)).toMatchObject({
      total: 10,
      counts: { ...none, planned: 0, sealed: 8, acknowledged: 1, refused: 1 },
    });
    const rest = urisOf(USERS)
      .slice(2)
      .map((uri) => [uri, "acknowledged"] as [string, "acknowledged"]);
    expect(await answer(store, rekey, ...rest)).toEqual([rekey]);
    expect(await answer(store, rekey, ...rest)).toEqual([]);
    expect(await store.rekey(rekey)).toMatchObject({ state: "done", finishedAt: NOW + 50, total: 10 });
    expect(await store.counts()).toMatchObject({ runningRekeys: 0, backlog: 0, oldestAt: undefined });
  });

  it("rekeys are listed newest first, of one group or all", async () => {
    const store = await openStore(await fresh());
    const one = await started(store, { who: USERS });
    const two = await started(store, { groupUri: G2, gmkId: 2, who: USERS });
    const both = await store.change(async (tx) => {
      const gmk = await tx.insertGmk(newGmk(3, { groups: [G1, G2] }), NOW);
      return planned(tx, gmk, USERS);
    });
    const ids = async (query: Parameters<GmsStore["rekeys"]>[0]) =>
      (await store.rekeys(query)).map((r) => r.id);
    expect(await ids({ limit: 2 })).toEqual([both, two.rekey]);
    expect(await ids({ groupUri: G1, limit: 9 })).toEqual([both, one.rekey]);
    await store.change((tx) => tx.supersede([one.rekey], NOW));
    const running = await store.change((tx) => tx.runningRekeys(G1));
    expect(running.map((r) => r.id)).toEqual([both]);
  });

  it("rekeys without members are done at once", async () => {
    const store = await openStore(await fresh());
    const { rekey } = await started(store, { who: [] });
    expect(await store.rekey(rekey)).toMatchObject({
      state: "done",
      total: 0,
      sealedAt: NOW,
      finishedAt: NOW,
    });
    expect(await store.claimChunk(claimant("a"))).toBeUndefined();
  });

  it("superseded rekeys drop planned and open messages, and keep those that were acknowledged", async () => {
    const store = await openStore(await fresh());
    const { rekey } = await started(store, { who: USERS });
    const saved = (await store.claimChunk(claimant("a")))!;
    await at(NOW, store).saveChunk(saved, messages(saved));
    await answer(store, rekey, [A, "acknowledged"], [B, "refused"]);
    const late = (await store.claimChunk(claimant("a")))!;
    await store.change((tx) => tx.supersede([rekey], NOW + 60));
    expect(await at(NOW + 61, store).saveChunk(late, messages(late))).toBe(false);
    expect(await store.claimChunk(claimant("a", NOW + 10 ** 9))).toBeUndefined();
    expect(await store.rekey(rekey)).toMatchObject({
      state: "superseded",
      finishedAt: NOW + 60,
      total: 10,
      counts: { acknowledged: 1, superseded: 9, planned: 0, sealed: 0 },
    });
    expect(await answer(store, rekey, [C, "acknowledged"])).toEqual([]);
    expect(await stateOf(store, rekey, C)).toBe("superseded");
  });

  it("rekeys drop a removed member: messages, plans, and themselves when nothing is left", async () => {
    const store = await openStore(await fresh());
    const { gmk, rekey } = await started(store, { who: USERS });
    const saved = (await store.claimChunk(claimant("a")))!;
    await at(NOW, store).saveChunk(saved, messages(saved));
    const late = urisOf(USERS).slice(4);
    await store.change((tx) => tx.forget([A, late[0]!, "sip:nobody@home.example"], [gmk.id]));
    await store.change((tx) => tx.forget([A, late[0]!], [gmk.id]));
    expect(await store.rekey(rekey)).toMatchObject({ total: 8, counts: { planned: 5, sealed: 3 } });
    expect(await store.gktpOf(A)).toEqual([]);
    const listed = await store.deliveries(rekey, { limit: 20 });
    expect(listed.map((d) => d.memberUri)).toEqual(
      urisOf(USERS).filter((uri) => uri !== A && uri !== late[0]),
    );
    const claim = (await store.claimChunk(claimant("a")))!;
    expect(urisOf(claim.members)).toEqual(late.slice(1, 4));
    // A member leaves while the chunk is being sealed.
    await store.change((tx) => tx.forget([late[1]!], [gmk.id]));
    expect(await at(NOW, store).saveChunk(claim, messages(claim))).toBe(true);
    expect(await store.gktpOf(late[1]!)).toEqual([]);
    expect(await store.gktpOf(late[2]!)).toHaveLength(1);
    await at(NOW + 70, store).change((tx) => tx.forget(urisOf(USERS), [gmk.id]));
    expect(await store.rekey(rekey)).toMatchObject({ state: "done", total: 0, finishedAt: NOW + 70 });
    expect(await store.claimChunk(claimant("a"))).toBeUndefined();
    const ever = await store.change((tx) => tx.recipients(gmk.id));
    expect(ever).toEqual(USERS.map((m) => ({ ...m, csbId: gukId(m.uri) })));
  });

  it("revoking rekeys keep the messages to holders of the GMK, and drop those to members who never had it", async () => {
    const store = await openStore(await fresh());
    const { gmk, rekey } = await started(store, { who: USERS });
    await sealAll(store);
    await answer(store, rekey, [A, "acknowledged"], [B, "refused"]);
    expect(await store.handOver([{ rekey, memberUri: C }])).toEqual([]);
    const revocation = await store.change(async (tx) => {
      await tx.setGmkState([gmk.id], "revoked");
      return planned(tx, gmk, USERS, { kind: "revoke" });
    });
    const [D, E] = urisOf(USERS).slice(3);
    await store.change((tx) => tx.forget([A, D!], [gmk.id]));
    await sealAll(store);
    await store.change((tx) => tx.forget([B, C, E!], [gmk.id]));
    // Also when they are forgotten once more.
    await store.change((tx) => tx.forget([A, B, C, D!, E!], [gmk.id]));
    for (const uri of [A, B, C]) {
      expect(await store.gktpOf(uri), uri).toMatchObject([{ rekey: revocation, kind: "revoke" }]);
    }
    for (const uri of [D!, E!]) expect(await store.gktpOf(uri), uri).toEqual([]);
    const served = urisOf(await store.change((tx) => tx.served(gmk.id)));
    expect(served).toEqual(urisOf(USERS).filter((uri) => uri !== D && uri !== E));
  });

  it("rekeys count a message as handed over once it was tried", async () => {
    const store = await openStore(await fresh());
    const { gmk } = await started(store, { who: USERS.slice(0, 2) });
    await present(store, "a", [A], NOW + 1000);
    await sealAll(store);
    expect(await store.claimDeliveries({ ...claimant("a"), limit: 5 })).toMatchObject([{ memberUri: A }]);
    await store.change((tx) => tx.forget([A, B], [gmk.id]));
    expect(urisOf(await store.change((tx) => tx.served(gmk.id)))).toEqual([A]);
  });

  it("rekeys know who is still without the GMK, by today's members", async () => {
    const store = await openStore(await fresh());
    const { gmk, rekey } = await started(store, { who: USERS.slice(0, 6) });
    await sealAll(store);
    await answer(store, rekey, [A, "acknowledged"], [B, "refused"]);
    await store.change((tx) => tx.setKms(C, "kms.other.example"));
    const without = () => store.change((tx) => tx.undelivered(gmk.id));
    expect(await without()).toEqual([{ ...USERS[2], kmsUri: "kms.other.example" }, ...USERS.slice(3, 6)]);
    const renewal = await store.change((tx) => planned(tx, gmk, USERS.slice(1, 8), { kind: "renew" }));
    await store.change((tx) => tx.forget([urisOf(USERS)[3]!], [gmk.id]));
    await sealAll(store);
    await answer(store, renewal, [C, "acknowledged"]);
    expect(urisOf(await without())).toEqual([1, 4, 5, 6, 7].map((i) => urisOf(USERS)[i]));
  });

  it("rekeys name GMKs to be revoked when they are done, each once", async () => {
    const store = await openStore(await fresh());
    const { gmk } = await started(store, { who: USERS.slice(0, 1) });
    await sealAll(store);
    const next = await store.change(async (tx) => {
      const other = await tx.insertGmk(newGmk(2), NOW);
      return planned(tx, other, USERS.slice(0, 1), {
        revokeAfter: [gmk.id, 77],
        actor: "sip:boss@home.example",
      });
    });
    await sealAll(store);
    const due = () => store.change((tx) => tx.claimDueRevocations(10));
    expect(await due()).toEqual([]);
    await answer(store, next, [A, "acknowledged"]);
    const failed = store.change(async (tx) => {
      expect(await tx.claimDueRevocations(10)).toHaveLength(1);
      throw new Error("killed");
    });
    await expect(failed).rejects.toThrow("killed");
    expect(await due()).toEqual([{ rekey: next, actor: "sip:boss@home.example", gmks: [gmk.id, 77] }]);
    expect(await due()).toEqual([]);
  });

  it("rekeys are dropped when they and their GMK are over", async () => {
    const db = await fresh();
    const store = await openStore(db);
    const { gmk, rekey } = await started(store, { who: USERS });
    const { rekey: live } = await started(store, { groupUri: G2, gmkId: 2, who: USERS });
    await sealAll(store);
    await store.change((tx) => tx.supersede([rekey, live], NOW));
    const purge = (before: number) => at(before + 1000, store).purge({ olderThanMs: 1000, limit: 10 });
    expect(await purge(NOW + 100)).toBe(0);
    await store.change((tx) => tx.setGmkState([gmk.id], "retired"));
    expect(await purge(NOW + 100)).toBe(0);
    await store.change((tx) => tx.setGmkState([gmk.id], "revoked"));
    expect(await purge(NOW)).toBe(0);
    expect(await purge(NOW + 100)).toBe(1);
    expect((await store.rekeys({ limit: 9 })).map((r) => r.id)).toEqual([live]);
    for (const table of ["gms_delivery", "gms_chunk"]) {
      const { rows } = await db.query(`SELECT DISTINCT rekey FROM ${table}`);
      expect(rows).toEqual([{ rekey: live }]);
    }
    expect(await refused(store.change((tx) => tx.insertGmk(newGmk(1), NOW)))).toBe("GMK_ID_EXISTS");
  });

  it("rekeys that do not fit are refused, and leave nothing behind", async () => {
    const store = await openStore(await fresh());
    const { gmk } = await started(store, { who: USERS.slice(0, 2) });
    const plan = (changes: Parameters<typeof planned>[3], who = USERS.slice(2, 4)) =>
      refused(store.change((tx) => planned(tx, gmk, who, changes)));
    expect(await plan({ gmk: 99 })).toBe("GMK_UNKNOWN");
    expect(await plan({ kind: "rekey" as never })).toBe("BAD_KIND");
    for (const chunkSize of [0, 1.5, 5000]) expect(await plan({ chunkSize })).toBe("BAD_CHUNK_SIZE");
    const [x, y] = USERS.slice(2, 4) as [(typeof USERS)[0], (typeof USERS)[0]];
    const at = (one: number, other: number) => ({
      members: [
        { ...x, csbId: one },
        { ...y, csbId: other },
      ],
    });
    expect(await plan(at(1, 1))).toBe("GUK_ID_COLLISION");
    expect(await plan(at(1, gukId(A)))).toBe("GUK_ID_COLLISION");
    expect(await plan(at(1, 2 ** 32))).toBe("BAD_KEY_ID");
    expect(await plan({}, [x, x])).toBe("DUPLICATE_MEMBER");
    const last = ntpFold(ntpUnfold(ntpFromUnixMs(Math.floor(NOW / 1000) * 1000)) + 0xffffffffn);
    expect(await plan({ time: last })).toBe("BAD_TIME");
    await store.change((tx) => tx.setGmkState([gmk.id], "retired"));
    expect(await plan({})).toBe("GMK_RETIRED");
    await store.change((tx) => tx.setGmkState([gmk.id], "revoked"));
    expect(await plan({})).toBe("GMK_REVOKED");
    expect(await store.rekeys({ limit: 9 })).toHaveLength(1);
    await store.change((tx) => planned(tx, gmk, USERS.slice(0, 2), { kind: "revoke" }));
  });
});
