/** Looking at the store: what one entry cannot bear, and what is looked at for whom. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { gktpUserCollection, groupDocumentPath } from "../../../documents/group-xml/index.ts";
import { askBisecting } from "../../../roles/gms/sip/bisect.ts";
import { memberUri, newMembers } from "../memory-gms.ts";
import { ADMIN, GROUP, Setup } from "./support/gms.ts";

describe("a batched question about many subscribers", () => {
  const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
  const failing = (bad: readonly string[]) => async (some: readonly string[]) => {
    if (some.some((key) => bad.includes(key))) throw new Error("bad");
    return new Map(some.map((key) => [key, 1]));
  };

  it("is answered for all but those that fail alone", async () => {
    for (const bad of [[], ["k0"], ["k41", "k42", "k99"], keys]) {
      const failed: string[] = [];
      const found = await askBisecting(keys, failing(bad), (key) => failed.push(key));
      expect(failed).toEqual(bad);
      expect([...found.keys()]).toEqual(keys.filter((key) => !bad.includes(key)));
    }
  });

  it("fails as a whole, at once, where there is nobody to ask", async () => {
    let asked = 0;
    const ask = async () => {
      asked++;
      throw new Error("no store");
    };
    await expect(askBisecting(keys, ask, () => undefined)).rejects.toThrow("no store");
    expect(asked).toBe(2);
  });
});

describe("the store polling of a process", () => {
  let setup: Setup;
  beforeEach(async () => {
    setup = await Setup.create({ processes: 2 });
  });
  afterEach(() => setup.close());

  const second = () => setup.processes[1]!;
  const subscribed = async (i: number, list?: readonly string[]) => {
    const member = await setup.member(i, { gms: `sip:gms@${second().host}` });
    member.subscribe(list === undefined ? {} : { list });
    await setup.until(() => member.heard.length > 0);
    return member;
  };

  it("covers the groups of its members only, whatever they list", async () => {
    await setup.gms.context.admin.createGroup(ADMIN, { uri: GROUP, members: newMembers(1) });
    const asked = new Set<string>();
    const { store } = second().context;
    const revisions = store.revisions.bind(store);
    store.revisions = (groups) => {
      for (const group of groups) asked.add(group);
      return revisions(groups);
    };
    const others = Array.from({ length: 200 }, (_, i) => groupDocumentPath(`sip:other${i}@home.example`));
    const member = await subscribed(0, [
      ...others,
      gktpUserCollection(memberUri(0)),
      groupDocumentPath(GROUP),
    ]);
    await setup.pass(5000);
    expect([...asked]).toEqual([GROUP]);
    const { group: changed } = await setup.gms.context.admin.changeGroup(ADMIN, GROUP, {
      displayName: "renamed",
    });
    await setup.until(() => member.last.diff.documents[0]?.newEtag === String(changed.revision));
  });

  it("finds new members of a group, also where that brings no message", async () => {
    const { admin } = setup.gms.context;
    const other = "sip:second@home.example";
    await admin.createGroup(ADMIN, { uri: GROUP, members: newMembers(1) });
    await admin.createGroup(ADMIN, { uri: other, members: newMembers(1, 1) });
    await admin.rekey(ADMIN, GROUP, { sharedWith: [other] });
    const member = await subscribed(0, [groupDocumentPath(other), gktpUserCollection(memberUri(0))]);
    await setup.pass(2000);
    const { rekeys } = await admin.addMembers(ADMIN, other, newMembers(1));
    expect(rekeys).toEqual([]);
    const told = () => member.heard.flatMap(({ diff }) => diff.documents.map(({ sel }) => sel));
    await setup.until(() => told().includes(groupDocumentPath(other)));
  });

  it("goes on where one group, or one member, cannot be read", async () => {
    const { admin } = setup.gms.context;
    const bad = "sip:bad@home.example";
    await admin.createGroup(ADMIN, { uri: GROUP, members: newMembers(1) });
    await admin.createGroup(ADMIN, { uri: bad, members: newMembers(1, 1) });
    const member = await subscribed(0);
    await subscribed(1, [groupDocumentPath(bad)]);
    const { store } = second().context;
    const [revisions, stamps] = [store.revisions.bind(store), store.gktpStamps.bind(store)];
    const unless = <T>(keys: readonly string[], one: string, work: () => Promise<T>) =>
      keys.includes(one) ? Promise.reject(new Error("a value cannot be stored")) : work();
    store.revisions = (groups) => unless(groups, bad, () => revisions(groups));
    store.gktpStamps = (members, group) => unless(members, memberUri(1), () => stamps(members, group));
    const { group: changed } = await admin.changeGroup(ADMIN, GROUP, { displayName: "renamed" });
    await setup.until(() => member.last.diff.documents[0]?.newEtag === String(changed.revision));
    await admin.removeMembers(ADMIN, GROUP, [member.uri]);
    await setup.until(() => member.last.diff.documents[0]?.newEtag === undefined);
  });
});
