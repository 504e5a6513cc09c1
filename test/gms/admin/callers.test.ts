/** The callers of operations: what each operation refuses to managers of other groups, in this process and over HTTP. */

import { beforeEach, describe, expect, it } from "vitest";
import { type Caller, manager, operator } from "../../../roles/gms/common/caller.ts";
import type { GmsAdmin } from "../../../roles/gms/common/ports.ts";
import { CHIEF, DEPUTY, sharedAdminWorld } from "./admin-api.ts";

/** The operations that take a caller, by their types: a new one without a row below does not compile. */
type Changing = {
  [K in keyof GmsAdmin]: Caller extends Parameters<GmsAdmin[K]>[0] ? K : never;
}[keyof GmsAdmin];

const world = sharedAdminWorld();
const [MINE, OTHERS, NEW] = ["mine", "others", "new"].map((name) => `sip:${name}@home.example`) as [
  string,
  string,
  string,
];
const [A, B] = ["sip:a@home.example", "sip:b@home.example"] as [string, string];
const OPERATOR = operator("operator");
const chief = manager(CHIEF, [CHIEF]);

type Work = (admin: GmsAdmin, caller: Caller, group: string) => Promise<unknown>;
const ofGroups = {
  changeGroup: (admin, caller, group) => admin.changeGroup(caller, group, { displayName: "x" }),
  replaceGroup: (admin, caller, uri) => admin.replaceGroup(caller, { uri, members: [{ uri: A }] }),
  deleteGroup: (admin, caller, group) => admin.deleteGroup(caller, group),
  addMembers: (admin, caller, group) => admin.addMembers(caller, group, [{ uri: B }]),
  removeMembers: (admin, caller, group) => admin.removeMembers(caller, group, [A]),
  setPriority: (admin, caller, group) => admin.setPriority(caller, group, A, 7),
  rekey: (admin, caller, group) => admin.rekey(caller, group),
  revokeGmk: async (admin, caller, group) => {
    const gmk = (await world.it.core.context.admin.gmks(group)).at(-1)!;
    return admin.revokeGmk(caller, gmk.gmkId);
  },
} satisfies Partial<Record<Changing, Work>>;
const ofOperators = {
  createGroup: (admin, caller) => admin.createGroup(caller, { uri: NEW, members: [{ uri: A }] }),
  loseUser: (admin, caller) => admin.loseUser(caller, A),
  resetClock: (admin, caller) => admin.resetClock(caller),
  refreshKms: (admin, caller) => admin.refreshKms(caller),
} satisfies Record<Exclude<Changing, keyof typeof ofGroups>, Work>;
const [GROUPS, OPERATORS] = [ofGroups, ofOperators].map((works) => Object.entries<Work>(works)) as [
  [string, Work][],
  [string, Work][],
];

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "none",
    (error) => error.code as string,
  );
const lastActor = async () => (await world.it.core.context.admin.auditLog({ limit: 1000 })).at(-1)!.actor;

beforeEach(async () => {
  const { admin } = world.it.core.context;
  for (const { uri } of await admin.groups({ limit: 10 })) await admin.deleteGroup(OPERATOR, uri);
  const members = [{ uri: A }];
  await admin.createGroup(OPERATOR, { uri: MINE, members, settings: { managers: [CHIEF] } });
  await admin.createGroup(OPERATOR, { uri: OTHERS, members, settings: { managers: [DEPUTY] } });
});

describe.each<[string, () => GmsAdmin | Promise<GmsAdmin>]>([
  ["in this process", () => world.it.core.context.admin],
  ["over HTTP with the operator's token", () => world.it.operator],
  ["over HTTP with the manager's own token", () => world.it.client(CHIEF)],
])("a manager who calls %s", (_, the) => {
  it.each([...GROUPS, ...OPERATORS])("%s changes nothing in a group of others", async (_, work) => {
    const before = await world.it.core.context.admin.auditLog({ limit: 1000 });
    expect(await codeOf(work(await the(), chief, OTHERS))).toBe("FORBIDDEN");
    expect(await world.it.core.context.admin.auditLog({ limit: 1000 })).toEqual(before);
  });

  it.each(GROUPS)("%s changes their own group, under their name", async (_, work) => {
    expect(await codeOf(work(await the(), chief, MINE))).toBe("none");
    expect(await lastActor()).toBe(CHIEF);
  });

  it.each(GROUPS)("%s is refused where only the name of the caller is a manager's", async (_, work) => {
    expect(await codeOf(work(await the(), manager(DEPUTY, [CHIEF]), OTHERS))).toBe("FORBIDDEN");
  });
});

describe("an operator", () => {
  it.each(OPERATORS)("%s is allowed", async (_, work) => {
    expect(await codeOf(work(world.it.core.context.admin, operator("anna"), NEW))).not.toBe("FORBIDDEN");
    expect(await lastActor()).toBe("anna");
  });
});

it("a manager in whose name an operator's client asks is refused what their identities do not manage", async () => {
  const both = manager(CHIEF, [CHIEF, DEPUTY]);
  await world.it.operator.changeGroup(both, OTHERS, { displayName: "x" });
  expect(await lastActor()).toBe(DEPUTY);
  const client = await world.it.client(CHIEF);
  expect(await codeOf(client.changeGroup(both, OTHERS, { displayName: "x" }))).toBe("FORBIDDEN");
  const other = manager(DEPUTY, [DEPUTY]);
  expect(await codeOf(client.changeGroup(other, MINE, { displayName: "x" }))).toBe("FORBIDDEN");
});

it.each(["", "%zz", "sip:a@home.example,", "a%0ab"])("a manager named %j is refused", async (named) => {
  const headers = { "gms-manager": named };
  const path = `/groups/${encodeURIComponent(MINE)}`;
  const got = await world.it.ask("PATCH", path, { body: { displayName: "x" }, headers });
  expect(got).toMatchObject({ status: 400, json: { error: { code: "BAD_ADMIN_REQUEST" } } });
});
