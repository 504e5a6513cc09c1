import { afterEach, describe, expect, it, vi } from "vitest";
import { type RandomSource, systemRandom } from "../../base/random.ts";
import { userSalts } from "../../bindings/identity/user-salt.ts";
import { manager, operator } from "../../roles/gms/common/caller.ts";
import type { GmsCore } from "../../roles/gms/context.ts";
import {
  AWAY_KMS,
  acknowledge,
  makeCore,
  makeWorld,
  memberUri,
  memberUris,
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

async function begin(random?: RandomSource) {
  world = await makeWorld();
  core = makeCore(world, random === undefined ? {} : { random });
  return core.context.admin;
}

/** GMK-IDs of the keys that a member would accept from its document. */
async function keysOf(who: number): Promise<number[]> {
  const records = await world.store.gktpOf(memberUri(who));
  const opened = await Promise.all(records.map(({ octets }) => world.open(octets, who)));
  return opened.filter(({ outcome }) => outcome === "accepted").map(({ keyId }) => keyId);
}

async function liveKeys(group = GROUP): Promise<number[]> {
  const gmks = await world.store.gmks(group);
  return gmks.filter(({ state }) => state === "live").map(({ gmkId }) => gmkId);
}

it("a member of a partner KMS that was permitted a moment ago is accepted, without a restart", async () => {
  const admin = await begin();
  await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(1) });
  const full = world.keys.current();
  let known: ReturnType<World["keys"]["current"]> = {
    ...full,
    domains: full.domains.filter(({ kmsUri }) => kmsUri !== AWAY_KMS),
  };
  vi.spyOn(world.keys, "current").mockImplementation(() => known);
  const asked = vi.spyOn(world.keys, "redirect").mockRejectedValueOnce(new Error("no route"));
  const partner = { uri: "sip:xena@away.example", kmsUri: AWAY_KMS };
  await expect(admin.addMembers(operator("op"), GROUP, [partner])).rejects.toMatchObject({
    code: "BAD_MEMBER",
  });
  asked.mockImplementation(async (proposed) => {
    known = full;
    return proposed;
  });
  await admin.addMembers(operator("op"), GROUP, [partner]);
  await admin.addMembers(operator("op"), GROUP, newMembers(1, 1));
  expect(asked.mock.calls).toEqual([[[AWAY_KMS]], [[AWAY_KMS]]]);
});

describe("setPriority", () => {
  it("changes what is said of one member, and sends no key", async () => {
    const admin = await begin();
    const members = [{ ...newMembers(1)[0]!, extensions: [{ kept: true }] }, newMembers(1, 1)[0]!];
    const { group: before } = await admin.createGroup(operator("op"), { uri: GROUP, members });
    const { group, rekeys } = await admin.setPriority(operator("op"), GROUP, memberUri(0), 200);
    expect(rekeys).toEqual([]);
    expect(group.revision).toBeGreaterThan(before.revision);
    const [first, second] = await admin.members(GROUP, { limit: 9 });
    expect(first).toMatchObject({ uri: memberUri(0), priority: 200, extensions: [{ kept: true }] });
    expect(second!.priority).toBeUndefined();
    const audit = (await admin.auditLog({ limit: 100 })).at(-1);
    expect(audit).toMatchObject({
      action: "member-priority",
      detail: { member: memberUri(0), priority: 200 },
    });
    await admin.setPriority(operator("op"), GROUP, memberUri(0), undefined);
    const [after] = await admin.members(GROUP, { limit: 9 });
    expect(after!.priority).toBeUndefined();
    expect(after!.extensions).toEqual([{ kept: true }]);
  });

  it("refuses who is no member, a priority out of bounds, and who does not manage the group", async () => {
    const admin = await begin();
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(2) });
    const refusal = (...asked: Parameters<typeof admin.setPriority>) =>
      admin.setPriority(...asked).catch(({ code }: { code: string }) => code);
    expect(await refusal(operator("op"), GROUP, memberUri(7), 1)).toBe("MEMBER_UNKNOWN");
    expect(await refusal(operator("op"), OTHER, memberUri(0), 1)).toBe("GROUP_UNKNOWN");
    expect(await refusal(operator("op"), GROUP, memberUri(0), 256)).toBe("BAD_MEMBER");
    expect(
      await refusal(manager("sip:nobody@home.example", ["sip:nobody@home.example"]), GROUP, memberUri(0), 1),
    ).toBe("FORBIDDEN");
  });
});

describe("addMembers", () => {
  it("gives the new member every live GMK of the group, and nobody else anything", async () => {
    const admin = await begin();
    const made = await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(2) });
    await admin.rekey(operator("op"), GROUP, { keep: true, text: "second" });
    await sealAll(core);
    const before = await world.store.gktpOf(memberUri(0));
    const { group, rekeys } = await admin.addMembers(operator("op"), GROUP, newMembers(1, 2));
    expect(group.revision).toBeGreaterThan(made.group.revision);
    expect(rekeys.map(({ kind, total, cause }) => ({ kind, total, cause }))).toEqual([
      { kind: "distribute", total: 1, cause: "member added" },
      { kind: "distribute", total: 1, cause: "member added" },
    ]);
    await sealAll(core);
    const live = await liveKeys();
    expect(live).toHaveLength(2);
    expect(await keysOf(2)).toEqual(live);
    expect(await world.store.gktpOf(memberUri(0))).toEqual(before);
  });

  it("makes a new GMK for all if the group's settings say so", async () => {
    const admin = await begin();
    await admin.createGroup(operator("op"), {
      uri: GROUP,
      members: newMembers(2),
      settings: { rekeyOnAdd: true },
    });
    const first = await liveKeys();
    const { rekeys } = await admin.addMembers(operator("op"), GROUP, newMembers(1, 2));
    expect(rekeys).toMatchObject([{ kind: "distribute", total: 3 }]);
    expect(await liveKeys()).not.toEqual(first);
    await sealAll(core);
    expect(await keysOf(0)).toEqual(await liveKeys());
  });

  it("gives nothing to a member who has a shared GMK already", async () => {
    const admin = await begin();
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(1) });
    await admin.createGroup(operator("op"), { uri: OTHER, members: newMembers(1, 1) });
    await admin.rekey(operator("op"), GROUP, { sharedWith: [OTHER] });
    expect((await admin.addMembers(operator("op"), OTHER, newMembers(1, 2))).rekeys).toHaveLength(1);
    const { rekeys } = await admin.addMembers(operator("op"), GROUP, newMembers(1, 1));
    expect(rekeys).toEqual([]);
  });

  it("refuses members who are there, an empty list, and more than a group may have", async () => {
    const admin = await begin();
    const made = await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(2) });
    const twice = admin.addMembers(operator("op"), GROUP, newMembers(2, 1));
    await expect(twice).rejects.toMatchObject({ code: "MEMBER_EXISTS" });
    await expect(admin.addMembers(operator("op"), GROUP, [])).rejects.toMatchObject({ code: "BAD_MEMBER" });
    await expect(admin.addMembers(operator("op"), OTHER, newMembers(1))).rejects.toMatchObject({
      code: "GROUP_UNKNOWN",
    });
    const small = { ...world.config, limits: { ...world.config.limits, membersPerGroup: 3 } };
    const { admin: limited } = makeCore(world, { config: small }).context;
    await expect(limited.addMembers(operator("op"), GROUP, newMembers(2, 2))).rejects.toMatchObject({
      code: "BAD_GROUP",
    });
    expect(await admin.members(GROUP, { limit: 10 })).toHaveLength(2);
    expect((await admin.group(GROUP))!.revision).toBe(made.group.revision);
  });
});

describe("GUK-IDs", () => {
  const KEY = new Uint8Array(16).fill(7);

  /** Two URIs whose salts under KEY are one: among so many there are some (28 bits). */
  function colliding(): [string, string] {
    const seen = new Map<number, string>();
    const uris = memberUris(60_000, 100);
    const salts = userSalts(KEY, uris);
    for (const [i, salt] of salts.entries()) {
      const other = seen.get(salt);
      if (other !== undefined) return [other, uris[i]!];
      seen.set(salt, uris[i]!);
    }
    throw new Error("no collision");
  }

  /** Gives KEY for what is first as long as a key. */
  function keyFirst(): RandomSource {
    let given = false;
    return (length) => {
      if (given || length !== KEY.length) return systemRandom(length);
      given = true;
      return new Uint8Array(KEY);
    };
  }

  it("differ for all members: another GMK is drawn when two would be the same", async () => {
    const admin = await begin(keyFirst());
    const pair = colliding();
    await admin.createGroup(operator("op"), { uri: GROUP, members: pair.map((uri) => ({ uri })) });
    const [gmk] = await world.store.gmks(GROUP);
    const recipients = await world.store.change((tx) => tx.recipients(gmk!.id));
    expect(new Set(recipients.map(({ csbId }) => csbId)).size).toBe(2);
    expect(await secretOf(gmk!.id)).not.toEqual(KEY);
  });

  it("used by another recipient turn an addition into a rekey", async () => {
    const admin = await begin(keyFirst());
    const [first, second] = colliding();
    await admin.createGroup(operator("op"), { uri: GROUP, members: [{ uri: first }, ...newMembers(1)] });
    const [gmk] = await world.store.gmks(GROUP);
    expect(await secretOf(gmk!.id)).toEqual(KEY);
    const { rekeys } = await admin.addMembers(operator("op"), GROUP, [{ uri: second }]);
    expect(rekeys).toMatchObject([{ kind: "distribute", total: 3, cause: "member added" }]);
    expect((await world.store.gmks(GROUP)).map(({ state }) => state)).toEqual(["retired", "live"]);
  });

  async function secretOf(gmk: number): Promise<Uint8Array> {
    return (await world.store.change((tx) => tx.gmkSecret(gmk))).key;
  }
});

describe("GMK-IDs", () => {
  it("are used once: a used one is drawn again", async () => {
    let ids = 0;
    // The same for the first three GMKs.
    const admin = await begin((length) =>
      length === 4 && ++ids <= 3 ? Uint8Array.of(1, 2, 3, 4) : systemRandom(length),
    );
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(1) });
    await admin.createGroup(operator("op"), { uri: OTHER, members: newMembers(1) });
    const [[one], [two]] = [await admin.gmks(GROUP), await admin.gmks(OTHER)];
    expect(one!.gmkId).toBe(0x01020304);
    expect(two!.gmkId).not.toBe(one!.gmkId);
    expect(ids).toBe(4);
  });
});

describe("removeMembers", () => {
  it("makes a new GMK for those who stay; the removed member has no message left, sealed or not", async () => {
    const admin = await begin();
    const created = await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(4) });
    await sealAll(core);
    await acknowledge(world, created.rekeys[0]!.id, [memberUri(0)]);
    const { rekeys, group } = await admin.removeMembers(operator("op"), GROUP, memberUris(1));
    expect(group.revision).toBeGreaterThan(created.group.revision);
    expect(rekeys).toMatchObject([{ kind: "distribute", total: 3, cause: "member removed" }]);
    expect(await world.store.gktpOf(memberUri(0))).toEqual([]);
    const first = await admin.rekeyStatus(created.rekeys[0]!.id);
    expect(first).toMatchObject({ state: "superseded" });
    // The rekey is not sealed yet when another member is removed.
    await admin.removeMembers(operator("op"), GROUP, memberUris(1, 1));
    await sealAll(core);
    const live = await liveKeys();
    expect(live).toHaveLength(1);
    for (const i of [0, 1]) expect(await keysOf(i)).toEqual([]);
    for (const i of [2, 3]) expect(await keysOf(i)).toEqual(live);
    const recipients = await world.store.gmkByGmkId(live[0]!);
    const given = await world.store.change((tx) => tx.recipients(recipients!.id));
    expect(given.map(({ uri }) => uri)).toEqual(memberUris(2, 2));
  });

  it("makes one GMK for all groups that shared it, for members still in one of them", async () => {
    const admin = await begin();
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(3) });
    await admin.createGroup(operator("op"), { uri: OTHER, members: newMembers(3, 2) });
    await admin.rekey(operator("op"), GROUP, { sharedWith: [OTHER] });
    const shared = (await admin.gmks(GROUP)).at(-1)!;
    await sealAll(core);
    await admin.removeMembers(operator("op"), GROUP, [memberUri(0), memberUri(2)]);
    await sealAll(core);
    const live = (await admin.gmks(GROUP)).filter(({ state }) => state === "live");
    expect(live.map(({ groups }) => groups)).toEqual([[GROUP, OTHER]]);
    expect((await world.store.gmkByGmkId(shared.gmkId))!.state).toBe("retired");
    const { gmkId } = live[0]!;
    expect(await keysOf(0)).toEqual([]);
    expect(await keysOf(1)).toEqual([gmkId]);
    // Removed from one, but a member of the other.
    expect(await keysOf(2)).toEqual([gmkId]);
    expect(await keysOf(4)).toEqual([gmkId]);
  });

  it("drops the GMK when nobody is left, and a new one comes with the next member", async () => {
    const admin = await begin();
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(1) });
    const { rekeys } = await admin.removeMembers(operator("op"), GROUP, memberUris(1));
    expect(rekeys).toEqual([]);
    expect((await admin.gmks(GROUP)).map(({ state }) => state)).toEqual(["retired"]);
    expect((await admin.group(GROUP))!.nextRekeyAt).toBeUndefined();
    await admin.addMembers(operator("op"), GROUP, newMembers(1));
    expect((await admin.gmks(GROUP)).map(({ state }) => state)).toEqual(["retired", "live"]);
  });

  it("refuses a non-member, and then removes nobody", async () => {
    const admin = await begin();
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(2) });
    const attempt = admin.removeMembers(operator("op"), GROUP, [memberUri(0), memberUri(9)]);
    await expect(attempt).rejects.toMatchObject({ code: "MEMBER_UNKNOWN" });
    await expect(admin.removeMembers(operator("op"), GROUP, [])).rejects.toMatchObject({
      code: "BAD_MEMBER",
    });
    await expect(admin.removeMembers(operator("op"), GROUP, ["\u0000"])).rejects.toMatchObject({
      code: "MEMBER_UNKNOWN",
    });
    expect(await admin.members(GROUP, { limit: 10 })).toHaveLength(2);
    expect((await admin.gmks(GROUP)).map(({ state }) => state)).toEqual(["live"]);
  });

  it("records who was removed", async () => {
    const admin = await begin();
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(2) });
    await admin.removeMembers(operator("sip:chief@home.example"), GROUP, memberUris(1));
    expect((await admin.auditLog({ limit: 10 })).at(-1)).toMatchObject({
      at: NOW,
      actor: "sip:chief@home.example",
      action: "member-remove",
      groupUri: GROUP,
      outcome: "ok",
      detail: { members: 1, uris: memberUris(1) },
    });
  });
});
