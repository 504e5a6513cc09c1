/** Two processes on one database: each sends to those who subscribed with it, and takes over from the other. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { gktpUserPath, groupDocumentPath } from "../../../documents/group-xml/index.ts";
import { memberUri, newMembers } from "../memory-gms.ts";
import { ADMIN, GROUP, Setup } from "./support/gms.ts";
import type { Member } from "./support/member.ts";

let setup: Setup;
beforeEach(async () => {
  setup = await Setup.create({ processes: 2 });
});
afterEach(() => setup.close());

/** Even numbers at the first, odd ones at the second. */
async function subscribed(i: number, at = i % 2): Promise<Member> {
  const member = await setup.member(i, { gms: `sip:gms@${setup.processes[at]!.host}` });
  member.subscribe();
  await setup.until(() => member.heard.length > 0);
  return member;
}

const acknowledged = (rekey: number) =>
  setup.until(
    async () => (await setup.states(rekey)).every((state) => state === "acknowledged"),
    "all answers",
  );

async function group(members: number): Promise<void> {
  await setup.gms.context.admin.createGroup(ADMIN, { uri: GROUP, members: newMembers(members) });
}

it("members get the key from the process that they subscribed with, each once", async () => {
  await group(6);
  const members: Member[] = [];
  for (let i = 0; i < 6; i++) members.push(await subscribed(i));
  await setup.pass(2000);
  const before = members.map(({ heard }) => heard.length);
  const { id } = await setup.processes[1]!.context.admin.rekey(ADMIN, GROUP);
  await acknowledged(id);
  await setup.pass(2000);
  expect(members.map(({ heard }, i) => heard.length - before[i]!)).toEqual(Array(6).fill(1));
  expect(setup.processes.map(({ delivery }) => delivery.subscriptions)).toEqual([3, 3]);
});

it("a change that another process made is sent within a few looks at the store", async () => {
  await group(2);
  const member = await subscribed(1);
  await setup.pass(1000);
  const { admin } = setup.gms.context;
  const { group: changed } = await admin.changeGroup(ADMIN, GROUP, { displayName: "renamed" });
  await setup.until(() => member.last.diff.documents[0]?.newEtag === String(changed.revision));
  await admin.removeMembers(ADMIN, GROUP, [member.uri]);
  await setup.until(() => member.last.diff.documents[0]?.newEtag === undefined);
  expect(member.last.diff.documents.map(({ sel }) => sel)).toEqual([
    groupDocumentPath(GROUP),
    gktpUserPath(member.uri),
  ]);
});

it("messages that one process was to send move to the other when the member comes there", async () => {
  await group(4);
  const members: Member[] = [];
  for (let i = 0; i < 4; i++) members.push(await subscribed(i));
  await setup.pass(1000);
  setup.processes[1]!.kill();
  const { id } = await setup.gms.context.admin.rekey(ADMIN, GROUP);
  await setup.until(async () => (await setup.states(id))[0] === "acknowledged");
  const orphans = [await subscribed(1, 0), await subscribed(3, 0)];
  await acknowledged(id);
  expect(orphans.map(({ messages }) => messages.size)).toEqual([1, 1]);
});

it("a member with a device at each process gets the key at both, and counts as having it after one accepted it", async () => {
  await group(1);
  const [one, two] = [await subscribed(0, 0), await subscribed(0, 1)];
  await setup.pass(1000);
  const { id } = await setup.gms.context.admin.rekey(ADMIN, GROUP);
  await acknowledged(id);
  await setup.until(() => one.messages.size === 2 && two.messages.size === 2, "the second device");
  const now = await setup.world.store.gktpOf(memberUri(0));
  expect(now.map(({ rekey, state }) => [rekey, state])).toEqual([[id, "acknowledged"]]);
});
