/** A key from the rekey to the member and its answer back into the store (5.7.2.x), and what a subscription is told. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { toHex } from "../../../base/bytes.ts";
import {
  gktpGroupPath,
  gktpUserPath,
  groupCollection,
  groupDocumentPath,
} from "../../../documents/group-xml/index.ts";
import { memberUri, newMembers } from "../memory-gms.ts";
import { ADMIN, GROUP, Setup } from "./support/gms.ts";
import { listBody, type Member } from "./support/member.ts";

let setup: Setup;
beforeEach(async () => {
  setup = await Setup.create();
});
afterEach(() => setup.close());

const admin = () => setup.gms.context.admin;
const OTHER = "sip:group2@home.example";

async function group(members: number, uri = GROUP): Promise<number> {
  const { rekeys } = await admin().createGroup(ADMIN, { uri, members: newMembers(members) });
  return rekeys[0]!.id;
}

async function subscribed(i: number, options: Parameters<Member["subscribe"]>[0] = {}): Promise<Member> {
  const member = await setup.member(i);
  member.subscribe(options);
  await setup.until(() => member.heard.length > 0);
  return member;
}

const acknowledged = (rekey: number) =>
  setup.until(
    async () => (await setup.states(rekey)).every((state) => state === "acknowledged"),
    "all answers",
  );

describe("a key in the diff", () => {
  it("is in the NOTIFY after the SUBSCRIBE, opens, and is acknowledged by its answer", async () => {
    const rekey = await group(1);
    await setup.until(async () => (await setup.states(rekey))[0] === "sealed");
    const member = await subscribed(0);
    await acknowledged(rekey);
    expect(member.heard).toHaveLength(1);
    const { diff, added } = member.last;
    expect(diff.xcapRoot).toBe("https://gms.example.com/xcap/");
    expect(diff.documents.map(({ sel }) => sel)).toEqual([
      groupDocumentPath(GROUP),
      gktpUserPath(member.uri),
    ]);
    expect(added.map(({ id }) => id)).toEqual([member.uri]);
    const opened = await setup.world.open(added[0]!.octets, 0);
    expect(opened.parameters?.groups.map(({ uri }) => uri)).toEqual([GROUP]);
    expect((await setup.deliveries(rekey))[0]).toMatchObject({ state: "acknowledged", status: 200 });
    expect((await setup.world.store.rekey(rekey))?.state).toBe("done");
  });

  it("is replaced by that of the next rekey, and each member gets their own", async () => {
    await group(3);
    const members = [await subscribed(0), await subscribed(1), await subscribed(2)];
    await setup.until(() => members.every(({ messages }) => messages.size === 1));
    const before = members[0]!.last.diff.documents.at(-1)!.newEtag;
    const { id } = await admin().rekey(ADMIN, GROUP);
    await acknowledged(id);
    const [document] = members[0]!.last.diff.documents;
    expect(document).toMatchObject({ sel: gktpUserPath(memberUri(0)), previousEtag: before });
    expect(document!.patches?.map((patch) => Object.keys(patch)[0])).toEqual(["remove", "add"]);
    expect(new Set(members.flatMap(({ messages }) => [...messages])).size).toBe(6);
    await setup.world.open(members[2]!.last.added[0]!.octets, 2);
  });

  it("is in the document of the group as well, where that is subscribed to", async () => {
    const list = [gktpGroupPath(GROUP), gktpGroupPath(OTHER)];
    const rekey = await group(1);
    const other = await group(1, OTHER);
    const member = await subscribed(0, { list });
    await acknowledged(rekey);
    await acknowledged(other);
    const sels = member.heard.flatMap(({ diff }) => diff.documents.map(({ sel }) => sel));
    expect([...new Set(sels)]).toEqual(list);
  });

  it("is not sent for a subscription to group documents alone, and waits to be fetched", async () => {
    const member = await setup.member(0);
    const rekey = await group(1);
    member.subscribe({ list: [groupDocumentPath(GROUP)] });
    await setup.pass(60_000);
    expect(member.heard.map(({ diff }) => diff.documents.length)).toEqual([1]);
    const [record] = await setup.deliveries(rekey);
    // Looked at once, not again and again.
    expect(record).toMatchObject({ state: "sealed", attempts: 1 });
  });

  it("is not in a diff without patches, whose tag announces it", async () => {
    const member = await setup.member(0);
    const rekey = await group(1);
    member.subscribe({ mode: "" });
    await setup.pass(60_000);
    const tags = member.heard.flatMap(({ diff }) => diff.documents.filter(({ sel }) => sel.includes("GKTP")));
    expect(tags.at(-1)?.newEtag).toMatch(/^[0-9a-f]{32}$/);
    expect(member.messages.size).toBe(0);
    expect((await setup.deliveries(rekey))[0]).toMatchObject({ state: "sealed", attempts: 1 });
  });

  it("goes to each device of a member, whose first answer counts", async () => {
    await group(1);
    const [one, two] = [await subscribed(0), await subscribed(0)];
    two!.reply = () => ({ status: 500 });
    const { id } = await admin().rekey(ADMIN, GROUP);
    await acknowledged(id);
    two!.reply = () => ({ status: 200 });
    await setup.until(() => two!.last.added.length > 0 && one!.messages.size === two!.messages.size);
    expect(toHex(two!.last.added[0]!.octets)).toBe(toHex(one!.last.added[0]!.octets));
    expect(await setup.states(id)).toEqual(["acknowledged"]);
  });

  it("comes in several NOTIFYs where there are many", async () => {
    const groups = Array.from({ length: 18 }, (_, i) => `sip:many${i}@home.example`);
    const rekeys = [];
    for (const uri of groups) rekeys.push(await group(1, uri));
    await setup.pass(2000);
    const member = await subscribed(0, { mode: "aggregate" });
    for (const rekey of rekeys) await acknowledged(rekey);
    expect(member.heard.map(({ added }) => added.length)).toEqual([16, 2]);
  });
});

describe("a subscribed member", () => {
  it("who is removed loses the documents and gets no key, while the others get a new one", async () => {
    await group(2);
    const [stays, leaves] = [await subscribed(0), await subscribed(1)];
    await setup.until(() => stays!.messages.size === 1 && leaves!.messages.size === 1);
    const { rekeys } = await admin().removeMembers(ADMIN, GROUP, [memberUri(1)]);
    await acknowledged(rekeys[0]!.id);
    await setup.pass(5000);
    expect([stays!.messages.size, leaves!.messages.size]).toEqual([2, 1]);
    const gone = leaves!.heard.slice(1).flatMap(({ diff }) => diff.documents);
    expect(gone.map(({ sel, newEtag }) => [sel, newEtag])).toEqual([
      [groupDocumentPath(GROUP), undefined],
      [gktpUserPath(memberUri(1)), undefined],
    ]);
    // It may stay, for nothing.
    leaves!.subscription!.refresh();
    await setup.pass(1000);
    expect(leaves!.last.diff.documents).toEqual([]);
    leaves!.subscription!.unsubscribe();
    await setup.pass(1000);
    expect(leaves!.ends).toEqual([{ cause: "unsubscribed" }]);
  });

  it("is told of a group that they join later, by the collection", async () => {
    await group(1);
    const member = await subscribed(0, { list: [groupCollection()] });
    await group(1, OTHER);
    await setup.until(() => member.heard.length === 2);
    const { revision } = (await admin().group(OTHER))!;
    expect(member.last.diff.documents).toEqual([
      { sel: groupDocumentPath(OTHER), newEtag: String(revision) },
    ]);
  });

  it("is told of what the new list names, and no more of what it leaves out", async () => {
    await group(1);
    await group(1, OTHER);
    const member = await subscribed(0, { list: [groupDocumentPath(GROUP)] });
    member.subscription!.refresh(listBody([groupDocumentPath(OTHER)]));
    await setup.until(() => member.heard.length === 2);
    expect(member.last.diff.documents.map(({ sel }) => sel)).toEqual([groupDocumentPath(OTHER)]);
    await admin().changeGroup(ADMIN, GROUP, { displayName: "renamed" });
    const revisionOf = async () => String((await admin().group(OTHER))!.revision);
    const before = await revisionOf();
    await admin().changeGroup(ADMIN, OTHER, { displayName: "renamed" });
    await setup.until(() => member.heard.length === 3);
    await setup.pass(2000);
    expect(member.last.diff.documents).toEqual([
      { sel: groupDocumentPath(OTHER), previousEtag: before, newEtag: await revisionOf() },
    ]);
    expect(member.heard).toHaveLength(3);
  });

  it("gets the full state again at a refresh", async () => {
    const rekey = await group(1);
    const member = await subscribed(0);
    await acknowledged(rekey);
    member.subscription!.refresh();
    await setup.until(() => member.heard.length > 1);
    expect(member.last.diff.documents.map(({ previousEtag }) => previousEtag)).toEqual([undefined, "0"]);
    expect(member.messages.size).toBe(1);
  });
});
