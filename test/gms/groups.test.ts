import { afterEach, describe, expect, it } from "vitest";
import { operator } from "../../roles/gms/common/caller.ts";
import type { GmsCore } from "../../roles/gms/context.ts";
import {
  AWAY_KMS,
  GMS_URI,
  makeCore,
  makeWorld,
  memberUri,
  NOW,
  newMembers,
  sealAll,
  type World,
  type WorldOptions,
} from "./memory-gms.ts";

const GROUP = "sip:fire@home.example";
const OTHER = "sip:police@home.example";

let world: World;
let core: GmsCore;
afterEach(() => world.close());

async function begin(options: WorldOptions = {}) {
  world = await makeWorld(options);
  core = makeCore(world);
  return core.context.admin;
}

/** Opens all messages in the document of a member. */
async function messagesOf(uri: string, kmsUri?: string) {
  const records = await world.store.gktpOf(uri);
  return Promise.all(
    records.map((record) => world.open(record.octets, uri, kmsUri === undefined ? {} : { kmsUri })),
  );
}

describe("createGroup", () => {
  it("makes a GMK for all members, who open their messages and find the GMK-ID", async () => {
    const admin = await begin();
    const { group, rekeys } = await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(3) });
    expect(group).toMatchObject({ uri: GROUP, createdAt: NOW });
    expect(rekeys).toMatchObject([
      {
        kind: "distribute",
        groups: [GROUP],
        cause: "group created",
        actor: "op",
        total: 3,
        state: "running",
      },
    ]);
    expect(rekeys[0]!.counts.planned).toBe(3);
    await sealAll(core);
    const [gmk] = await admin.gmks(GROUP);
    const keys = new Set<string>();
    for (let i = 0; i < 3; i++) {
      const [opened, ...others] = await messagesOf(memberUri(i));
      expect(others).toEqual([]);
      expect(opened).toMatchObject({
        outcome: "accepted",
        kind: "GMK",
        keyId: gmk!.gmkId,
        initiator: { uri: GMS_URI },
        recipient: { uri: memberUri(i) },
        parameters: {
          revoked: false,
          activation: NOW / 1000,
          expiry: NOW / 1000 + 30 * 86_400,
          groups: [{ uri: GROUP }],
        },
      });
      if (opened!.outcome === "accepted") keys.add(Buffer.from(opened!.key.reveal()).toString("hex"));
    }
    expect(keys.size).toBe(1);
    expect((await admin.rekeyStatus(rekeys[0]!.id)).counts.sealed).toBe(3);
  });

  it("gives members of another KMS a message for that KMS", async () => {
    const admin = await begin();
    const away = "sip:dora@away.example";
    const members = [...newMembers(1), { uri: away, kmsUri: AWAY_KMS, kind: "mcx-server" as const }];
    await admin.createGroup(operator("op"), { uri: GROUP, members });
    await sealAll(core);
    expect(await messagesOf(away, AWAY_KMS)).toMatchObject([
      { outcome: "accepted", recipient: { kmsUri: AWAY_KMS } },
    ]);
    expect(await admin.members(GROUP, { limit: 10 })).toMatchObject([
      { uri: away, kind: "mcx-server" },
      { kind: "user" },
    ]);
  });

  it("gives a lifetime, a delay and hidden identities as configured", async () => {
    const policy = { gmkLifetime: 7200, activationDelay: 60, hideResponder: true };
    const admin = await begin({ config: { policy } });
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(1) });
    await sealAll(core);
    const times = { activation: NOW / 1000 + 60, expiry: NOW / 1000 + 60 + 7200 };
    expect(await messagesOf(memberUri(0))).toMatchObject([{ parameters: times }]);
    expect(await admin.gmks(GROUP)).toMatchObject([
      { activation: times.activation * 1000, expiry: times.expiry * 1000 },
    ]);
    const [record] = await world.store.gktpOf(memberUri(0));
    expect(Buffer.from(record!.octets).includes(memberUri(0))).toBe(false);
  });

  it("makes no GMK for a group without members, and one when the first comes", async () => {
    const admin = await begin();
    expect((await admin.createGroup(operator("op"), { uri: GROUP, members: [] })).rekeys).toEqual([]);
    expect(await admin.gmks(GROUP)).toEqual([]);
    const { rekeys } = await admin.addMembers(operator("op"), GROUP, newMembers(2));
    expect(rekeys).toMatchObject([{ kind: "distribute", total: 2 }]);
    expect(await admin.gmks(GROUP)).toMatchObject([{ state: "live" }]);
  });

  it("refuses an invalid group, and leaves nothing behind", async () => {
    const admin = await begin();
    const refusals: [object, string][] = [
      [{ uri: "" }, "BAD_GROUP"],
      [{ uri: "sip:a b" }, "BAD_GROUP"],
      [{ uri: `sip:${"x".repeat(1100)}` }, "BAD_GROUP"],
      [{ settings: { services: ["mcfax"] } }, "BAD_GROUP"],
      [{ settings: { rekeyEveryMs: 5 } }, "BAD_GROUP"],
      [{ settings: { unprotected: ["everything"] } }, "BAD_GROUP"],
      [{ members: [{ uri: "sip:a\u0000b" }] }, "BAD_MEMBER"],
      [{ members: [...newMembers(1), ...newMembers(1)] }, "BAD_MEMBER"],
      [{ members: [{ uri: "sip:x", kmsUri: "kms.nowhere.example" }] }, "BAD_MEMBER"],
      [{ members: [{ uri: "sip:x", kind: "ghost" }] }, "BAD_MEMBER"],
    ];
    for (const [changes, code] of refusals) {
      const group = { uri: GROUP, members: newMembers(1), ...changes } as never;
      await expect(admin.createGroup(operator("op"), group)).rejects.toMatchObject({ kind: "usage", code });
    }
    await admin.createGroup(operator("op"), { uri: GROUP, members: [] });
    await expect(
      admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(1) }),
    ).rejects.toMatchObject({
      code: "GROUP_EXISTS",
    });
    expect(await admin.groups({ limit: 10 })).toHaveLength(1);
    expect(await admin.rekeys({ limit: 10 })).toEqual([]);
    expect(await admin.auditLog({ limit: 10 })).toMatchObject([{ action: "group-create", outcome: "ok" }]);
  });

  it("fails without keys for the present period", async () => {
    const admin = await begin();
    world.clock.now += 365 * 86_400_000;
    const early = makeCore(world, { keys: { ...world.keys, current: frozen(world) } });
    const made = early.context.admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(1) });
    await expect(made).rejects.toMatchObject({ code: "NO_SIGNING_KEY" });
    expect(await admin.group(GROUP)).toBeUndefined();
  });
});

/** Keys as they were at NOW. */
function frozen(of: World) {
  const later = of.clock.now;
  of.clock.now = NOW;
  const keys = of.keys.current();
  of.clock.now = later;
  return () => keys;
}

describe("URIs of groups and members", () => {
  it("need a scheme, also such names as JavaScript has for itself", async () => {
    const admin = await begin();
    for (const uri of ["__proto__", "constructor", "fire", "mailto:fire@home.example"]) {
      const error = await admin.createGroup(operator("op"), { uri, members: [] }).catch((caught) => caught);
      expect(error).toMatchObject({
        code: "BAD_GROUP",
        message: expect.stringContaining("sip:, sips: or tel:"),
      });
      const members = [{ uri }];
      await expect(admin.createGroup(operator("op"), { uri: GROUP, members })).rejects.toMatchObject({
        code: "BAD_MEMBER",
      });
    }
    expect(await admin.groups({ limit: 10 })).toEqual([]);
  });

  it("that look like others are accepted, with a warning", async () => {
    const admin = await begin();
    const alike = memberUri(0).toUpperCase().replace("SIP:", "sip:");
    const made = await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(2) });
    expect(made.warnings).toBeUndefined();
    const added = await admin.addMembers(operator("op"), GROUP, [{ uri: alike }]);
    expect(added.warnings).toEqual([`${alike} looks like ${memberUri(0)}`]);
    const second = await admin.createGroup(operator("op"), {
      uri: GROUP.replace("fire", "fir\u0435"),
      members: [],
    });
    expect(second.warnings).toEqual([`sip:fir\\u{435}@home.example looks like ${GROUP}`]);
  });
});

describe("changeGroup and replaceGroup", () => {
  it("change what is given, count the revision and make no GMK for it", async () => {
    const admin = await begin();
    const { group } = await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(2) });
    const changed = await admin.changeGroup(operator("op"), GROUP, {
      displayName: "Fire",
      rekeyEveryMs: 60_000,
    });
    expect(changed.rekeys).toEqual([]);
    expect(changed.group.revision).toBeGreaterThan(group.revision);
    expect(changed.group.settings).toMatchObject({ displayName: "Fire", services: ["mcptt", "mcdata"] });
    expect((await admin.group(GROUP))!.nextRekeyAt).toBe(NOW + 60_000);
    const without = await admin.changeGroup(operator("op"), GROUP, { rekeyEveryMs: 0 });
    expect(without.group.settings.rekeyEveryMs).toBeUndefined();
    expect((await admin.group(GROUP))!.nextRekeyAt).toBeGreaterThan(NOW + 86_400_000);
  });

  it("refuse another revision than the group's, and unknown groups", async () => {
    const admin = await begin();
    const { group } = await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(1) });
    const wrong = group.revision + 7;
    const attempts = [
      admin.changeGroup(operator("op"), GROUP, { displayName: "x" }, wrong),
      admin.replaceGroup(operator("op"), { uri: GROUP, members: [] }, wrong),
      admin.deleteGroup(operator("op"), GROUP, wrong),
    ];
    for (const attempt of attempts) await expect(attempt).rejects.toMatchObject({ code: "GROUP_CHANGED" });
    expect(await admin.group(GROUP)).toEqual({ ...group, nextRekeyAt: expect.anything() });
    const missing = [
      admin.changeGroup(operator("op"), OTHER, {}),
      admin.replaceGroup(operator("op"), { uri: OTHER, members: [] }),
      admin.deleteGroup(operator("op"), OTHER),
      admin.members(OTHER, { limit: 1 }),
      admin.gmks("sip:\u0000"),
    ];
    for (const attempt of missing) await expect(attempt).rejects.toMatchObject({ code: "GROUP_UNKNOWN" });
    expect(await admin.group("\u0000")).toBeUndefined();
  });

  it("replace a whole member list: new members get the key, and servers stay without being listed", async () => {
    const admin = await begin();
    const server = { uri: "sip:mixer@home.example", kind: "mcx-server" as const };
    await admin.createGroup(operator("op"), { uri: GROUP, members: [...newMembers(2), server] });
    const grown = await admin.replaceGroup(operator("op"), { uri: GROUP, members: newMembers(3) });
    expect(grown.rekeys).toMatchObject([{ kind: "distribute", total: 1, cause: "group replaced" }]);
    const shrunk = await admin.replaceGroup(operator("op"), { uri: GROUP, members: newMembers(2, 1) });
    expect(shrunk.rekeys).toMatchObject([{ kind: "distribute", total: 3 }]);
    expect((await admin.members(GROUP, { limit: 10 })).map(({ uri }) => uri)).toEqual([
      server.uri,
      memberUri(1),
      memberUri(2),
    ]);
    expect((await admin.gmks(GROUP)).map(({ state }) => state)).toEqual(["retired", "live"]);
    const same = await admin.replaceGroup(operator("op"), { uri: GROUP, members: newMembers(2, 1) });
    expect(same.rekeys).toEqual([]);
  });
});

describe("deleteGroup", () => {
  it("revokes the GMKs of the group for all who may have them", async () => {
    const admin = await begin();
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(2) });
    const [gmk] = await admin.gmks(GROUP);
    await admin.deleteGroup(operator("op"), GROUP);
    expect(await admin.group(GROUP)).toBeUndefined();
    expect((await admin.rekeys({ limit: 10 })).map(({ kind, state }) => `${kind} ${state}`)).toEqual([
      "revoke running",
      "distribute superseded",
    ]);
    await sealAll(core);
    expect(await messagesOf(memberUri(1))).toMatchObject([
      { outcome: "revoked", keyId: gmk!.gmkId, parameters: { revoked: true, groups: [{ uri: GROUP }] } },
    ]);
  });

  it("gives groups that shared its GMK another, which its other members do not get", async () => {
    const admin = await begin();
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(2) });
    await admin.createGroup(operator("op"), { uri: OTHER, members: newMembers(2, 1) });
    await admin.rekey(operator("op"), GROUP, { sharedWith: [OTHER] });
    await admin.deleteGroup(operator("op"), GROUP);
    await sealAll(core);
    const live = (await admin.gmks(OTHER)).filter(({ state }) => state === "live");
    expect(live).toMatchObject([{ groups: [OTHER] }]);
    const accepted = async (uri: string) =>
      (await messagesOf(uri)).filter(({ outcome }) => outcome === "accepted").map(({ keyId }) => keyId);
    expect(await accepted(memberUri(0))).toEqual([]);
    expect(await accepted(memberUri(1))).toEqual([live[0]!.gmkId]);
    expect(await accepted(memberUri(2))).toEqual([live[0]!.gmkId]);
  });

  it("leaves the URI free for a new group", async () => {
    const admin = await begin();
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(1) });
    await admin.deleteGroup(operator("op"), GROUP);
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(1) });
    await sealAll(core);
    const opened = await messagesOf(memberUri(0));
    expect(opened.map(({ outcome }) => outcome).sort()).toEqual(["accepted", "revoked"]);
  });
});
