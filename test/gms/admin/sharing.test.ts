/** A GMK that two groups share: what a manager of one of them may do, and see. */
import { beforeEach, describe, expect, it } from "vitest";
import type { GmsAdminClient } from "../../../roles/gms/admin/client.ts";
import { CHIEF, DEPUTY, sharedAdminWorld } from "./world.ts";

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
  const { operator } = world.it;
  for (const { uri } of await operator.groups({ limit: 10 })) await operator.deleteGroup("operator", uri);
  const managers = [CHIEF, DEPUTY];
  await operator.createGroup("operator", { uri: MINE, members: [A], settings: { managers } });
  await operator.createGroup("operator", { uri: OTHERS, members: [B], settings: { managers: [DEPUTY] } });
  await operator.rekey("operator", MINE, { sharedWith: [OTHERS] });
  [chief, deputy] = [await world.it.client(CHIEF), await world.it.client(DEPUTY)];
});

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "none",
    (error) => error.code as string,
  );

describe("a manager of one", () => {
  it("gives nobody the key of the other", async () => {
    const works = [
      chief.addMembers("x", MINE, [C]),
      chief.replaceGroup("x", { uri: MINE, members: [A, C] }),
      chief.rekey("x", MINE, { sharedWith: [OTHERS] }),
    ];
    expect(await Promise.all(works.map(codeOf))).toEqual(works.map(() => "FORBIDDEN"));
    expect(await world.it.operator.members(MINE, { limit: 10 })).toMatchObject([A]);
    await deputy.addMembers("x", MINE, [C]);
    expect(await world.it.operator.members(MINE, { limit: 10 })).toMatchObject([A, C]);
  });

  it("does not say when the key of the other is replaced", async () => {
    for (const times of [{ rekeyEveryMs: 1000 }, { gmkLifetimeMs: 1000 }]) {
      expect(await codeOf(chief.changeGroup("x", MINE, times))).toBe("FORBIDDEN");
      const content = { uri: MINE, members: [A], settings: times };
      expect(await codeOf(chief.replaceGroup("x", content))).toBe("FORBIDDEN");
    }
    await chief.changeGroup("x", MINE, { displayName: "Mine" });
    await deputy.changeGroup("x", MINE, { rekeyEveryMs: 3_600_000 });
  });

  it("removes members and deletes the group, and sees nothing of what that does to the other", async () => {
    await deputy.addMembers("x", MINE, [C]);
    const { group, rekeys } = await chief.removeMembers("x", MINE, [C.uri]);
    expect([group.uri, rekeys]).toEqual([MINE, []]);
    const [newest] = await world.it.operator.rekeys({ groupUri: OTHERS, limit: 1 });
    expect(newest).toMatchObject({ actor: CHIEF, cause: "member removed", groups: [MINE, OTHERS] });
    await chief.deleteGroup("x", MINE);
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

it("rights are those at the time of the change, not of the request", async () => {
  const { admin } = world.it.core.context;
  await admin.changeGroup(CHIEF, MINE, { displayName: "Mine" }, undefined, [CHIEF]);
  await admin.changeGroup("operator", MINE, { managers: [DEPUTY] });
  const [gmk] = await admin.gmks(MINE);
  const works = [
    admin.changeGroup(CHIEF, MINE, { displayName: "Mine" }, undefined, [CHIEF]),
    admin.replaceGroup(CHIEF, { uri: MINE, members: [] }, undefined, [CHIEF]),
    admin.addMembers(CHIEF, MINE, [C], [CHIEF]),
    admin.removeMembers(CHIEF, MINE, [A.uri], [CHIEF]),
    admin.rekey(CHIEF, MINE, {}, [CHIEF]),
    admin.revokeGmk(CHIEF, gmk!.gmkId, [CHIEF]),
    admin.deleteGroup(CHIEF, MINE, undefined, [CHIEF]),
  ];
  expect(await Promise.all(works.map(codeOf))).toEqual(works.map(() => "FORBIDDEN"));
  expect((await admin.group(MINE))!.settings.managers).toEqual([DEPUTY]);
});

it("an old revision says nothing of a group that was made again", async () => {
  const { operator } = world.it;
  const { revision } = (await operator.group(OTHERS))!;
  await operator.deleteGroup("operator", OTHERS);
  const made = await operator.createGroup("operator", { uri: OTHERS, members: [B] });
  expect(made.group.revision).toBeGreaterThan(revision);
  expect(await codeOf(operator.changeGroup("x", OTHERS, { displayName: "x" }, revision))).toBe(
    "GROUP_CHANGED",
  );
  expect(await codeOf(operator.deleteGroup("x", OTHERS, revision))).toBe("GROUP_CHANGED");
});
