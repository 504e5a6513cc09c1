import { afterEach, describe, expect, it } from "vitest";
import type { KmsDomain } from "../../bindings/identity/kms-domain.ts";
import { operator } from "../../roles/gms/common/caller.ts";
import type { GmsCore } from "../../roles/gms/context.ts";
import {
  AWAY_KMS,
  acknowledge,
  makeCore,
  makeWorld,
  memberUri,
  NOW,
  newMembers,
  sealAll,
  type World,
} from "./memory-gms.ts";

const GROUP = "sip:fire@home.example";
const OTHER = "sip:police@home.example";

let world: World;
let core: GmsCore;
afterEach(() => world.close());

async function begin() {
  world = await makeWorld();
  core = makeCore(world);
  return core.context.admin;
}

const states = async (group = GROUP) => (await world.store.gmks(group)).map(({ state }) => state);

describe("rekey", () => {
  it("puts a new GMK in place of the old one, with the given times and text", async () => {
    const admin = await begin();
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(2) });
    const options = { activation: NOW + 60_500, expiry: NOW + 3_600_700, text: "Übung 7" };
    const rekey = await admin.rekey(operator("op"), GROUP, options);
    expect(rekey).toMatchObject({ kind: "distribute", cause: "on demand", groups: [GROUP], total: 2 });
    // The GMK before it is used until then (E.6.4).
    expect(await states()).toEqual(["live", "live"]);
    await sealAll(core);
    const records = (await world.store.gktpOf(memberUri(1))).slice(1);
    expect(records).toHaveLength(1);
    // Key parameters have whole seconds, and the record says what they say.
    expect(records[0]!.activation).toBe(NOW + 60_000);
    expect(await world.open(records[0]!.octets, 1)).toMatchObject({
      outcome: "accepted",
      keyId: rekey.gmkId,
      activation: NOW + 60_000,
      expiry: NOW + 3_600_000,
      parameters: { text: "Übung 7" },
    });
  });

  it("supersedes an unfinished one: nobody gets the old GMK any more", async () => {
    const admin = await begin();
    const created = await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(3) });
    const first = created.rekeys[0]!.id;
    await sealAll(core);
    await acknowledge(world, first, [memberUri(0)]);
    const second = await admin.rekey(operator("op"), GROUP);
    expect(await admin.rekeyStatus(first)).toMatchObject({
      state: "superseded",
      counts: { acknowledged: 1, superseded: 2, sealed: 0 },
    });
    const third = await admin.rekey(operator("op"), GROUP);
    expect(await admin.rekeyStatus(second.id)).toMatchObject({
      state: "superseded",
      counts: { superseded: 3, planned: 0 },
    });
    await sealAll(core);
    for (let i = 0; i < 3; i++) {
      const records = await world.store.gktpOf(memberUri(i));
      expect(records.map(({ gmkId }) => gmkId)).toEqual([third.gmkId]);
    }
  });

  it("keeps the present GMKs when asked to", async () => {
    const admin = await begin();
    const created = await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(1) });
    const second = await admin.rekey(operator("op"), GROUP, { keep: true });
    expect(await states()).toEqual(["live", "live"]);
    await sealAll(core);
    const records = await world.store.gktpOf(memberUri(0));
    expect(records.map(({ gmkId }) => gmkId)).toEqual([created.rekeys[0]!.gmkId, second.gmkId]);
  });

  it("makes one GMK for several groups, that all their members open and whose parameters name all", async () => {
    const admin = await begin();
    await admin.createGroup(operator("op"), { uri: OTHER, members: newMembers(2, 1) });
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(2) });
    const rekey = await admin.rekey(operator("op"), OTHER, { sharedWith: [GROUP] });
    expect(rekey).toMatchObject({ groups: [GROUP, OTHER], total: 3 });
    expect([await states(), await states(OTHER)]).toEqual([
      ["retired", "live"],
      ["retired", "live"],
    ]);
    await sealAll(core);
    for (let i = 0; i < 3; i++) {
      const [record] = await world.store.gktpOf(memberUri(i));
      expect(await world.open(record!.octets, i)).toMatchObject({
        keyId: rekey.gmkId,
        parameters: { groups: [{ uri: GROUP }, { uri: OTHER }] },
      });
    }
    // One of their own again: the other group still needs the shared one.
    await admin.rekey(operator("op"), GROUP);
    expect((await admin.gmks(OTHER)).at(-1)).toMatchObject({ state: "live", gmkId: rekey.gmkId });
  });

  it("refuses unknown or empty groups, and nonsensical times", async () => {
    const admin = await begin();
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(1) });
    await admin.createGroup(operator("op"), { uri: OTHER, members: [] });
    const refusals: [Promise<unknown>, string][] = [
      [admin.rekey(operator("op"), "sip:nobody@home.example"), "GROUP_UNKNOWN"],
      [admin.rekey(operator("op"), GROUP, { sharedWith: ["sip:nobody@home.example"] }), "GROUP_UNKNOWN"],
      [admin.rekey(operator("op"), OTHER), "BAD_GROUP"],
      [admin.rekey(operator("op"), GROUP, { expiry: NOW - 1 }), "BAD_GROUP"],
      [admin.rekey(operator("op"), GROUP, { activation: NOW + 10_000, expiry: NOW + 9000 }), "BAD_GROUP"],
      [admin.rekey(operator("op"), GROUP, { activation: Number.NaN }), "BAD_GROUP"],
      [admin.rekey(operator("op"), GROUP, { text: "x".repeat(2000) }), "BAD_GROUP"],
      [admin.rekeyStatus(4711), "REKEY_UNKNOWN"],
      [admin.deliveries(-1, { limit: 1 }), "REKEY_UNKNOWN"],
    ];
    for (const [attempt, code] of refusals) await expect(attempt).rejects.toMatchObject({ code });
    expect(await states()).toEqual(["live"]);
    expect(await admin.rekeys({ limit: 10 })).toHaveLength(1);
  });

  it("sets members of a KMS without a certificate aside, who get their messages when it comes", async () => {
    const admin = await begin();
    const away = "sip:dora@away.example";
    await admin.createGroup(operator("op"), {
      uri: GROUP,
      members: [{ uri: away, kmsUri: AWAY_KMS }, ...newMembers(2)],
    });
    const all = world.keys.current();
    let known: readonly KmsDomain[] = all.domains.filter(({ kmsUri }) => kmsUri !== AWAY_KMS);
    const keys = { ...world.keys, current: () => ({ ...all, domains: known }) };
    const partly = makeCore(world, { keys });
    const rekey = await partly.context.admin.rekey(operator("op"), GROUP);
    expect(rekey.total).toBe(2);
    const [later, first] = await admin.rekeys({ limit: 2 });
    expect([first!.id, later!.total, later!.gmkId]).toEqual([rekey.id, 1, rekey.gmkId]);
    partly.sealer.start();
    await expect.poll(async () => (await admin.rekeyStatus(rekey.id)).sealedAt).toBe(NOW);
    expect((await admin.rekeyStatus(later!.id)).counts.planned).toBe(1);
    known = all.domains;
    world.clock.now += 600_000;
    partly.sealer.wake();
    await expect.poll(async () => (await admin.rekeyStatus(later!.id)).counts.sealed).toBe(1);
    await partly.sealer.stop();
    const [record] = await world.store.gktpOf(away);
    expect(await world.open(record!.octets, away, { kmsUri: AWAY_KMS })).toMatchObject({
      keyId: rekey.gmkId,
    });
  });
});

describe("revocation of a GMK", () => {
  it("sends the Status of the same GMK to the members who may have it, and to nobody else", async () => {
    const admin = await begin();
    const created = await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(3) });
    await sealAll(core);
    const { gmkId } = created.rekeys[0]!;
    const [before] = await world.store.gktpOf(memberUri(1));
    await admin.removeMembers(operator("op"), GROUP, [memberUri(0)]);
    const rekey = await admin.revokeGmk(operator("op"), gmkId);
    expect(rekey).toMatchObject({ kind: "revoke", gmkId, total: 2, cause: "on demand" });
    expect(await states()).toEqual(["revoked", "live"]);
    await sealAll(core);
    expect(await world.store.gktpOf(memberUri(0))).toEqual([]);
    for (let i = 1; i < 3; i++) {
      const record = (await world.store.gktpOf(memberUri(i))).find(({ kind }) => kind === "revoke");
      const opened = await world.open(record!.octets, i);
      expect(opened).toMatchObject({ outcome: "revoked", keyId: gmkId, parameters: { revoked: true } });
    }
    expect(before!.gmkId).toBe(gmkId);
    await expect(admin.revokeGmk(operator("op"), gmkId)).rejects.toMatchObject({ code: "GMK_REVOKED" });
    await expect(admin.revokeGmk(operator("op"), gmkId ^ 1)).rejects.toMatchObject({ code: "GMK_UNKNOWN" });
  });

  it("is not undone by a later rekey", async () => {
    const admin = await begin();
    const created = await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(2) });
    const revocation = await admin.revokeGmk(operator("op"), created.rekeys[0]!.gmkId);
    await admin.rekey(operator("op"), GROUP);
    expect((await admin.rekeyStatus(revocation.id)).state).toBe("running");
    await sealAll(core);
    const kinds = (await world.store.gktpOf(memberUri(0))).map(({ kind }) => kind);
    expect(kinds.sort()).toEqual(["distribute", "revoke"]);
  });

  it("follows a replacement when no message of the rekey is open", async () => {
    const admin = await begin();
    const created = await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(2) });
    const rekey = await admin.rekey(operator("op"), GROUP, { revokeOld: true });
    await sealAll(core);
    await core.schedule.tick();
    await acknowledge(world, rekey.id, [memberUri(0)]);
    await core.schedule.tick();
    expect(await states()).toEqual(["retired", "live"]);
    await acknowledge(world, rekey.id, [memberUri(1)]);
    await core.schedule.tick();
    expect(await states()).toEqual(["revoked", "live"]);
    const [revocation] = await admin.rekeys({ limit: 1 });
    expect(revocation).toMatchObject({
      kind: "revoke",
      gmkId: created.rekeys[0]!.gmkId,
      actor: "op",
      cause: "replaced",
      total: 2,
    });
    await core.schedule.tick();
    expect(await admin.rekeys({ limit: 10 })).toHaveLength(3);
  });

  it("after a replacement is not forgotten when the rekey is itself superseded", async () => {
    const admin = await begin();
    const created = await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(2) });
    await admin.rekey(operator("op"), GROUP, { revokeOld: true });
    const [last] = (await admin.removeMembers(operator("op"), GROUP, [memberUri(0)])).rekeys;
    await sealAll(core);
    await acknowledge(world, last!.id);
    await core.schedule.tick();
    expect(await states()).toEqual(["revoked", "retired", "live"]);
    expect((await admin.rekeys({ limit: 1 }))[0]).toMatchObject({
      kind: "revoke",
      gmkId: created.rekeys[0]!.gmkId,
    });
  });
});
