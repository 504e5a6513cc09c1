/** Revocation goes over SIP, whatever form of the changes a member asked for (5.7.2.x, last paragraph). */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { toHex } from "../../../base/bytes.ts";
import { groupDocumentPath } from "../../../documents/group-xml/index.ts";
import { newMembers } from "../memory-gms.ts";
import { ADMIN, GROUP, Setup } from "./support/gms.ts";
import { type Member, OK, refuse } from "./support/member.ts";

const WITH_MESSAGES = ["application/xcap-diff+xml", "application/mikey", "multipart/mixed"];

let setup: Setup;
beforeEach(async () => {
  setup = await Setup.create();
});
afterEach(() => setup.close());

async function group(): Promise<number> {
  await setup.gms.context.admin.createGroup(ADMIN, { uri: GROUP, members: newMembers(1) });
  const [gmk] = await setup.world.store.gmks(GROUP);
  return gmk!.gmkId;
}

async function subscribed(options: Parameters<Member["subscribe"]>[0]): Promise<Member> {
  const member = await setup.member(0);
  member.subscribe(options);
  await setup.until(() => member.heard.length > 0);
  await setup.pass(1000);
  return member;
}

const becomes = (rekey: number, state: string) =>
  setup.until(async () => (await setup.states(rekey))[0] === state, state);

async function isRevoked(octets: Uint8Array): Promise<boolean> {
  const opened = await setup.world.open(octets, 0);
  return opened.parameters?.revoked === true;
}

describe("the revocation of a GMK", () => {
  it.each(["xcap-patching", "aggregate"])("is in the diff: %s", async (mode) => {
    const gmk = await group();
    const member = await subscribed({ mode });
    const { id } = await setup.gms.context.admin.revokeGmk(ADMIN, gmk);
    await becomes(id, "acknowledged");
    expect(member.last.added).toHaveLength(1);
    expect(await isRevoked(member.last.added[0]!.octets)).toBe(true);
    // The key itself is in the document no more.
    const [document] = member.last.diff.documents;
    expect(document!.patches?.map((patch) => Object.keys(patch)[0])).toEqual(["remove", "add"]);
  });

  it("stands beside the diff where the member takes no patches, and its answer counts", async () => {
    const gmk = await group();
    const member = await subscribed({ mode: "no-patching", accept: WITH_MESSAGES });
    expect(member.messages.size).toBe(0);
    const { id } = await setup.gms.context.admin.revokeGmk(ADMIN, gmk);
    await becomes(id, "acknowledged");
    expect(member.last.messages).toHaveLength(1);
    expect(await isRevoked(member.last.messages[0]!)).toBe(true);
    expect(member.last.diff.documents[0]?.patches).toBeUndefined();
  });

  it("beside the diff can be refused like any message, and accepted when it comes again", async () => {
    const gmk = await group();
    const member = await subscribed({ mode: "no-patching", accept: WITH_MESSAGES });
    member.reply = () => refuse(488);
    const { id } = await setup.gms.context.admin.revokeGmk(ADMIN, gmk);
    await becomes(id, "refused");
    member.reply = OK;
    member.subscription!.refresh();
    await becomes(id, "acknowledged");
    expect(new Set(member.heard.flatMap(({ messages }) => messages.map(toHex))).size).toBe(1);
  });

  it("is announced by the tag where the member takes neither, and waits to be fetched", async () => {
    const gmk = await group();
    const member = await subscribed({ mode: "no-patching" });
    const { id } = await setup.gms.context.admin.revokeGmk(ADMIN, gmk);
    await setup.pass(20_000);
    expect(member.messages.size).toBe(0);
    expect(member.last.diff.documents.map(({ newEtag }) => newEtag)).toEqual([
      expect.stringMatching(/^.{32}$/),
    ]);
    expect((await setup.deliveries(id))[0]).toMatchObject({ state: "sealed", attempts: 1 });
  });

  it("reaches a member that was away", async () => {
    const gmk = await group();
    const { id } = await setup.gms.context.admin.revokeGmk(ADMIN, gmk);
    await becomes(id, "sealed");
    const member = await subscribed({ mode: "no-patching", accept: WITH_MESSAGES });
    await becomes(id, "acknowledged");
    expect(await isRevoked(member.heard[0]!.messages[0]!)).toBe(true);
  });

  it("reaches members of a group that is deleted, who are told that it is gone", async () => {
    await group();
    const member = await subscribed({ mode: "aggregate" });
    await setup.gms.context.admin.deleteGroup(ADMIN, GROUP);
    const [revocation] = await setup.world.store.rekeys({ groupUri: GROUP, limit: 1 });
    await becomes(revocation!.id, "acknowledged");
    expect(await isRevoked(member.last.added[0]!.octets)).toBe(true);
    const told = member.heard.flatMap(({ diff }) => diff.documents);
    const deleted = told.filter(({ newEtag }) => newEtag === undefined);
    expect(deleted.map(({ sel }) => sel)).toEqual([groupDocumentPath(GROUP)]);
  });

  it("reaches a removed member, also one who subscribes only then", async () => {
    await group();
    const member = await subscribed({});
    await member.close();
    const { admin } = setup.gms.context;
    await admin.addMembers(ADMIN, GROUP, newMembers(1, 1));
    const [gmk] = await setup.world.store.gmks(GROUP);
    await admin.removeMembers(ADMIN, GROUP, [member.uri]);
    const { id } = await admin.revokeGmk(ADMIN, gmk!.gmkId);
    const again = await subscribed({});
    await setup.until(async () => (await setup.states(id))[0] === "acknowledged");
    expect(again.messages.size).toBe(1);
    expect(await isRevoked(again.heard[0]!.added[0]!.octets)).toBe(true);
  });
});
