/** A GMK that two groups share: what a manager of one of them may do, and see. */

import { beforeEach, describe, expect, it } from "vitest";
import type { GmsAdminClient } from "../../../roles/gms/admin/client.ts";
import { manager, operator } from "../../../roles/gms/common/caller.ts";
import { CHIEF, DEPUTY, sharedAdminWorld } from "./admin-api.ts";

const world = sharedAdminWorld();
const [MINE, OTHERS] = ["sip:mine@home.example", "sip:others@home.example"] as [string, string];
const [A, B, C] = ["a", "b", "c"].map((name) => ({ uri: `sip:${name}@home.example` })) as [
  { uri: string },
  { uri: string },
  { uri: string },
];
let chief: GmsAdminClient;
let deputy: GmsAdminClient;

beforeEach(async () => {
  const { operator: client } = world.it;
  for (const { uri } of await client.groups({ limit: 10 }))
    await client.deleteGroup(operator("operator"), uri);
  const managers = [CHIEF, DEPUTY];
  await client.createGroup(operator("operator"), { uri: MINE, members: [A], settings: { managers } });
  await client.createGroup(operator("operator"), {
    uri: OTHERS,
    members: [B],
    settings: { managers: [DEPUTY] },
  });
  await client.rekey(operator("operator"), MINE, { sharedWith: [OTHERS] });
  [chief, deputy] = [await world.it.client(CHIEF), await world.it.client(DEPUTY)];
});

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "none",
    (error) => error.code as string,
  );

describe("a manager of one of two groups that share a GMK", () => {
  it("gives nobody the key of the other group", async () => {
    const works = [
      chief.addMembers(operator("x"), MINE, [C]),
      chief.replaceGroup(operator("x"), { uri: MINE, members: [A, C] }),
      chief.rekey(operator("x"), MINE, { sharedWith: [OTHERS] }),
    ];
    expect(await Promise.all(works.map(codeOf))).toEqual(works.map(() => "FORBIDDEN"));
    expect(await world.it.operator.members(MINE, { limit: 10 })).toMatchObject([A]);
    await deputy.addMembers(operator("x"), MINE, [C]);
    expect(await world.it.operator.members(MINE, { limit: 10 })).toMatchObject([A, C]);
  });

  it("does not say when the key of the other group is replaced", async () => {
    for (const times of [{ rekeyEveryMs: 1000 }, { gmkLifetimeMs: 1000 }]) {
      expect(await codeOf(chief.changeGroup(operator("x"), MINE, times))).toBe("FORBIDDEN");
      const content = { uri: MINE, members: [A], settings: times };
      expect(await codeOf(chief.replaceGroup(operator("x"), content))).toBe("FORBIDDEN");
    }
    await chief.changeGroup(operator("x"), MINE, { displayName: "Mine" });
    await deputy.changeGroup(operator("x"), MINE, { rekeyEveryMs: 3_600_000 });
  });

  it("removes members and deletes the group, and sees nothing of the effects on the other", async () => {
    await deputy.addMembers(operator("x"), MINE, [C]);
    const { group, rekeys } = await chief.removeMembers(operator("x"), MINE, [C.uri]);
    expect([group.uri, rekeys]).toEqual([MINE, []]);
    const [newest] = await world.it.operator.rekeys({ groupUri: OTHERS, limit: 1 });
    expect(newest).toMatchObject({ actor: CHIEF, cause: "member removed", groups: [MINE, OTHERS] });
    await chief.deleteGroup(operator("x"), MINE);
    const [after] = await world.it.operator.rekeys({ groupUri: OTHERS, limit: 1 });
    expect(after).toMatchObject({ cause: "group deleted", groups: [OTHERS] });
  });

  it("sees GMKs without the other group, and no rekey of both", async () => {
    const all = await world.it.operator.rekeys({ groupUri: MINE, limit: 100 });
    expect(all.slice(0, 2).map(({ groups }) => groups.length)).toEqual([2, 1]);
    const alone = all.filter(({ groups }) => groups.length === 1);
    expect(await chief.rekeys({ groupUri: MINE, limit: 100 })).toEqual(alone);
    const groupsOf = async (client: GmsAdminClient) =>
      (await client.gmks(MINE)).slice(-2).map(({ groups }) => groups);
    expect(await groupsOf(chief)).toEqual([[MINE], [MINE]]);
    expect(await deputy.rekeys({ groupUri: MINE, limit: 100 })).toEqual(all);
    expect(await groupsOf(deputy)).toEqual([[MINE], [MINE, OTHERS]]);
    expect(JSON.stringify(await chief.group(MINE))).not.toContain(OTHERS);
  });
});

it("a manager's rights are those at the time of the change, not of the request", async () => {
  const { admin } = world.it.core.context;
  await admin.changeGroup(manager(CHIEF, [CHIEF]), MINE, { displayName: "Mine" });
  await admin.changeGroup(operator("operator"), MINE, { managers: [DEPUTY] });
  const [gmk] = await admin.gmks(MINE);
  const works = [
    admin.changeGroup(manager(CHIEF, [CHIEF]), MINE, { displayName: "Mine" }),
    admin.replaceGroup(manager(CHIEF, [CHIEF]), { uri: MINE, members: [] }),
    admin.addMembers(manager(CHIEF, [CHIEF]), MINE, [C]),
    admin.removeMembers(manager(CHIEF, [CHIEF]), MINE, [A.uri]),
    admin.rekey(manager(CHIEF, [CHIEF]), MINE),
    admin.revokeGmk(manager(CHIEF, [CHIEF]), gmk!.gmkId),
    admin.deleteGroup(manager(CHIEF, [CHIEF]), MINE),
  ];
  expect(await Promise.all(works.map(codeOf))).toEqual(works.map(() => "FORBIDDEN"));
  expect((await admin.group(MINE))!.settings.managers).toEqual([DEPUTY]);
});

it("an old revision does not match a group that was made again", async () => {
  const { operator: client } = world.it;
  const { revision } = (await client.group(OTHERS))!;
  await client.deleteGroup(operator("operator"), OTHERS);
  const made = await client.createGroup(operator("operator"), { uri: OTHERS, members: [B] });
  expect(made.group.revision).toBeGreaterThan(revision);
  expect(await codeOf(client.changeGroup(operator("x"), OTHERS, { displayName: "x" }, revision))).toBe(
    "GROUP_CHANGED",
  );
  expect(await codeOf(client.deleteGroup(operator("x"), OTHERS, revision))).toBe("GROUP_CHANGED");
});
