/** The operations, in this process and through the admin API: the same results, the same errors. */

import { beforeEach, describe, expect, it } from "vitest";
import { MikeySakkeError } from "../../../base/errors.ts";
import { operator } from "../../../roles/gms/common/caller.ts";
import type { GmsAdmin } from "../../../roles/gms/common/ports.ts";
import type { GmsAuditQuery } from "../../../roles/gms/index.ts";
import { acknowledge, sealAll } from "../memory-gms.ts";
import { CHIEF, sharedAdminWorld } from "./admin-api.ts";

const world = sharedAdminWorld();
let count = 0;
let group: string;
beforeEach(() => {
  group = `sip:group ${++count}/ä?#%@home.example`.replaceAll(" ", "-");
});

async function errorOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof MikeySakkeError) return `${error.kind}/${error.code}`;
    throw error;
  }
  return "none";
}

const NAMES = ["a", "b", "c"].map((name) => `sip:${name}@home.example`) as [string, string, string];
const [A, B, C] = NAMES;

describe.each<[string, () => GmsAdmin]>([
  ["in this process", () => world.it.core.context.admin],
  ["through the admin API", () => world.it.operator],
])("GMS operations %s", (_, the) => {
  const create = (members = [A, B]) =>
    the().createGroup(operator("operator"), { uri: group, members: members.map((uri) => ({ uri })) });

  it("make, show and list groups", async () => {
    const settings = { displayName: "Fire", managers: [CHIEF], rekeyEveryMs: 86_400_000 };
    const made = await the().createGroup(operator("anna"), { uri: group, members: [{ uri: A }], settings });
    expect(made.group).toMatchObject({ uri: group, settings });
    expect(made.rekeys).toMatchObject([{ kind: "distribute", actor: "anna", total: 1, sealedAt: undefined }]);
    expect(await the().group(group)).toEqual(made.group);
    expect(Object.keys(made.group)).toContain("nextRekeyAt");
    expect(await the().group("sip:none@home.example")).toBeUndefined();
    const before = group.slice(0, -1);
    expect(await the().groups({ after: before, limit: 1 })).toEqual([made.group]);
    const last = (await the().auditLog({ limit: 1000 })).at(-1)!;
    expect(last).toMatchObject({ actor: "anna", action: "group-create", groupUri: group });
    expect(await the().auditLog({ after: last.id - 1, limit: 10 })).toEqual([last]);
  });

  it("search the audit log by group, actor and outcome", async () => {
    await the().createGroup(operator("anna"), { uri: group, members: [{ uri: A }, { uri: B }] });
    await the().removeMembers(operator("operator"), group, [B]);
    const at = { at: world.it.world.now(), groupUri: group, actor: A };
    await world.it.world.store.audit([{ ...at, action: "xcap-get", outcome: "refused", code: "FORBIDDEN" }]);
    const found = async (query: Partial<GmsAuditQuery>) =>
      (await the().auditLog({ limit: 1000, ...query })).map(({ actor, action }) => `${actor} ${action}`);
    const all = ["anna group-create", "operator member-remove", `${A} xcap-get`];
    expect(await found({ groupUri: group })).toEqual(all);
    expect(await found({ groupUri: group, actor: "anna" })).toEqual(all.slice(0, 1));
    expect(await found({ groupUri: group, outcome: "refused" })).toEqual(all.slice(2));
    expect(await found({ groupUri: group, outcome: "ok" })).toEqual(all.slice(0, 2));
    expect(await found({ groupUri: `${group}/other` })).toEqual([]);
    // A name is found by what an entry holds of it.
    const long = `${group}${"é".repeat(200)}`;
    await world.it.world.store.audit([{ ...at, groupUri: long, action: "xcap-put", outcome: "ok" }]);
    expect(await found({ groupUri: long })).toEqual([`${A} xcap-put`]);
  });

  it("change, replace and delete groups by their revision", async () => {
    const { revision } = (await create()).group;
    const changed = await the().changeGroup(operator("operator"), group, { displayName: "Water" }, revision);
    expect(changed).toMatchObject({ group: { settings: { displayName: "Water" } }, rekeys: [] });
    expect(changed.group.revision).toBeGreaterThan(revision);
    const replaced = await the().replaceGroup(
      operator("operator"),
      { uri: group, members: [{ uri: A }, { uri: C }], settings: { displayName: "Air" } },
      changed.group.revision,
    );
    expect(replaced.group.settings.displayName).toBe("Air");
    expect(replaced.rekeys.length).toBeGreaterThan(0);
    expect((await the().members(group, { limit: 10 })).map(({ uri }) => uri)).toEqual([A, C]);
    const late = [
      () => the().changeGroup(operator("operator"), group, {}, revision),
      () => the().replaceGroup(operator("operator"), { uri: group, members: [] }, revision),
      () => the().deleteGroup(operator("operator"), group, revision),
    ];
    for (const work of late) expect(await errorOf(work())).toBe("usage/GROUP_CHANGED");
    await the().deleteGroup(operator("operator"), group, replaced.group.revision);
    expect(await the().group(group)).toBeUndefined();
  });

  it("add and remove members", async () => {
    await create([A]);
    await the().addMembers(operator("operator"), group, [{ uri: B }, { uri: C, kind: "mcx-server" }]);
    const members = await the().members(group, { limit: 2 });
    expect(members).toMatchObject([{ uri: A, kind: "user" }, { uri: B }]);
    expect(await the().members(group, { after: B, limit: 2 })).toMatchObject([
      { uri: C, kind: "mcx-server" },
    ]);
    const removed = await the().removeMembers(operator("operator"), group, [A]);
    expect(removed.rekeys).toMatchObject([{ kind: "distribute", total: 2 }]);
  });

  it("rekey, follow and revoke", async () => {
    await create();
    const options = { expiry: world.it.world.now() + 86_400_000, text: "winter" };
    const begun = await the().rekey(operator("operator"), group, options);
    expect(begun).toMatchObject({ state: "running", counts: { planned: 2 }, finishedAt: undefined });
    expect(await the().rekeyStatus(begun.id)).toEqual(begun);
    await sealAll(world.it.core);
    await acknowledge(world.it.world, begun.id, [A]);
    expect(await the().rekeyStatus(begun.id)).toMatchObject({ counts: { sealed: 1, acknowledged: 1 } });
    expect(await the().deliveries(begun.id, { limit: 10 })).toMatchObject([
      { memberUri: A, state: "acknowledged", status: undefined },
      { memberUri: B, state: "sealed" },
    ]);
    expect(await the().deliveries(begun.id, { state: "sealed", limit: 10 })).toHaveLength(1);
    expect(await the().deliveries(begun.id, { after: A, limit: 10 })).toHaveLength(1);
    const gmks = await the().gmks(group);
    expect(gmks.map(({ state }) => state)).toEqual(["retired", "live"]);
    expect(gmks[1]).toMatchObject({ text: "winter", expiry: options.expiry });
    const revocation = await the().revokeGmk(operator("operator"), gmks[1]!.gmkId);
    expect(revocation).toMatchObject({ kind: "revoke", gmkId: gmks[1]!.gmkId });
    expect((await the().rekeys({ groupUri: group, limit: 10 })).map(({ kind }) => kind)).toEqual([
      "revoke",
      "distribute",
      "distribute",
    ]);
    expect((await the().rekeys({ limit: 1 }))[0]).toMatchObject({ id: revocation.id });
  });

  it("share a GMK among groups", async () => {
    await create([A]);
    const other = `${group}.other`;
    await the().createGroup(operator("operator"), { uri: other, members: [{ uri: B }] });
    const begun = await the().rekey(operator("operator"), group, { sharedWith: [other] });
    expect(begun.groups).toEqual([group, other].sort());
  });

  it.each<[string, (admin: GmsAdmin) => Promise<unknown>]>([
    ["GROUP_EXISTS", (admin) => admin.createGroup(operator("operator"), { uri: group, members: [] })],
    ["GROUP_UNKNOWN", (admin) => admin.changeGroup(operator("operator"), "sip:none@home.example", {})],
    ["GROUP_UNKNOWN", (admin) => admin.deleteGroup(operator("operator"), "sip:none@home.example")],
    ["GROUP_UNKNOWN", (admin) => admin.rekey(operator("operator"), "sip:none@home.example")],
    ["MEMBER_EXISTS", (admin) => admin.addMembers(operator("operator"), group, [{ uri: A }])],
    ["MEMBER_UNKNOWN", (admin) => admin.removeMembers(operator("operator"), group, [C])],
    ["GMK_UNKNOWN", (admin) => admin.revokeGmk(operator("operator"), 1)],
    ["REKEY_UNKNOWN", (admin) => admin.rekeyStatus(999_999)],
    ["BAD_GROUP", (admin) => admin.rekey(operator("operator"), group, { expiry: 1 })],
    ["BAD_GROUP", (admin) => admin.changeGroup(operator("operator"), group, { displayName: "\u0007" })],
    [
      "BAD_MEMBER",
      (admin) => admin.addMembers(operator("operator"), group, [{ uri: C, kmsUri: "kms.unknown.example" }]),
    ],
  ])("refuse with %s", async (code, work) => {
    await create();
    expect(await errorOf(work(the()))).toBe(`usage/${code}`);
  });
});
