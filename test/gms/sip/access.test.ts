/** Rights to subscribe: refusals are counted, and no key leaves the server. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  gktpGroupPath,
  gktpUserCollection,
  gktpUserPath,
  groupDocumentPath,
} from "../../../documents/group-xml/index.ts";
import { memberUri, newMembers } from "../memory-gms.ts";
import { ADMIN, GROUP, Setup } from "./support/gms.ts";
import { listAndToken, listBody, type Member } from "./support/member.ts";

const OTHER = "sip:group2@home.example";

let setup: Setup;
beforeEach(async () => {
  const limits = { subscribedDocuments: 20, subscriptionsPerUser: 2, bodyBytes: 4096 };
  setup = await Setup.create({ config: { limits } });
  await setup.gms.context.admin.createGroup(ADMIN, { uri: GROUP, members: newMembers(2) });
});
afterEach(() => setup.close());

type Options = Parameters<Member["subscribe"]>[0];

async function refused(member: Member, options: Options): Promise<number | undefined> {
  member.subscribe(options);
  await setup.until(() => member.ends.length > 0, "a refusal");
  expect(member.heard).toEqual([]);
  expect(setup.gms.delivery.subscriptions).toBe(0);
  return member.ends[0]!.status;
}

const audited = async () =>
  (await setup.world.store.auditLog({ limit: 1000 })).filter((e) => e.outcome === "refused");

describe("a SUBSCRIBE is refused", () => {
  it.each<[string, number, string, () => Promise<Options>]>([
    ["without a token", 401, "TOKEN_MISSING", async () => ({ token: null })],
    ["with what is no token", 401, "TOKEN_INVALID", async () => ({ token: "abc" })],
    [
      "with a token for another server",
      401,
      "TOKEN_INVALID",
      async () => ({ token: await setup.token(memberUri(0), { audience: ["sip:kms@home.example"] }) }),
    ],
    [
      "with a token for something else",
      403,
      "WRONG_SCOPE",
      async () => ({ token: await setup.token(memberUri(0), { scopes: ["3gpp:mc:ptt_service"] }) }),
    ],
    [
      "with a token that proves no user",
      403,
      "NO_USER",
      async () => ({ token: await setup.serverToken("mcx") }),
    ],
    ["with a list that is too long", 413, "LIST_TOO_LONG", async () => ({ list: Array(21).fill("x") })],
    [
      "with a body that is too large",
      413,
      "BODY_TOO_LARGE",
      async () => ({ list: Array(20).fill("x".repeat(300)) }),
    ],
    ["without a list", 400, "LIST_MISSING", async () => ({ body: new Uint8Array() })],
    ["with a list that is none", 400, "BAD_BODY", async () => ({ body: new TextEncoder().encode("<a>") })],
    ["that takes no diffs", 406, "NOT_ACCEPTABLE", async () => ({ accept: ["text/plain"] })],
  ])("%s: %i", async (_, status, code, options) => {
    const member = await setup.member(0);
    expect(await refused(member, await options())).toBe(status);
    expect(setup.gms.subscribed).toEqual([code]);
    await setup.pass(100);
    expect(await audited()).toMatchObject([{ action: "subscribe", code }]);
  });

  it("with an expired token, which the challenge says", async () => {
    const token = await setup.token(memberUri(0), { lifetime: -3600 });
    const member = await setup.member(0, { token });
    expect(await refused(member, {})).toBe(401);
    expect(setup.gms.subscribed).toEqual(["TOKEN_EXPIRED"]);
    const challenge = member.ends[0]!.response!.headers.texts("WWW-Authenticate");
    expect(challenge[0]).toMatch(/^Bearer .*error="invalid_token"/);
  });

  it.each([
    ["423", { expires: 10 }],
    ["489", { event: { value: "presence", params: new Map() } }],
  ])("with %s, by the event framework", async (status, options) => {
    const member = await setup.member(0);
    member.subscribe(options as Options);
    await setup.until(() => setup.network.lines.some((line) => line.startsWith(`SIP/2.0 ${status}`)));
  });
});

describe("From of a SUBSCRIBE", () => {
  it.each([
    ["an IMS identity", "sip:user2_public1@home1.net"],
    ["a telephone number", "tel:+1-201-555-0123"],
    ["the same URI, with capitals in its host", memberUri(0).replace("home", "HOME")],
    ["another member", memberUri(1)],
  ])("may be %s: keys are those of the user of the token, and no others", async (_, from) => {
    const member = await setup.member(0);
    const list = [gktpUserCollection(memberUri(0)), gktpUserCollection(memberUri(1))];
    member.subscribe({ from, list });
    await setup.until(() => member.messages.size > 0, "a key");
    expect(member.last.added.map(({ id }) => id)).toEqual([memberUri(0)]);
  });

  it("does not matter where a document is the user's own by another spelling of its XUI", async () => {
    const member = await setup.member(0);
    member.subscribe({ list: [gktpUserCollection(memberUri(0).replace("home", "HOME"))] });
    await setup.until(() => member.messages.size > 0, "a key");
  });
});

describe("a user who is in no group yet", () => {
  it("is subscribed, told of nothing, and gets the first key at once (RFC 5875 4.7)", async () => {
    const stranger = await setup.member(7);
    const list = [groupDocumentPath(GROUP), gktpGroupPath(GROUP), gktpUserCollection(memberUri(7))];
    stranger.subscribe({ list });
    await setup.until(() => stranger.heard.length > 0, "an empty NOTIFY");
    expect([setup.gms.subscribed, stranger.last.diff.documents]).toEqual([["ok"], []]);
    await setup.pass(60_000);
    expect(stranger.heard).toHaveLength(1);
    const before = setup.clock.now();
    await setup.gms.context.admin.addMembers(ADMIN, GROUP, [{ uri: memberUri(7) }]);
    await setup.until(() => stranger.messages.size === 1, "a key");
    expect(setup.clock.now() - before).toBeLessThan(10_000);
  });
});

describe("what a subscriber may not read", () => {
  it("is left out: keys of others, groups of others", async () => {
    await setup.gms.context.admin.createGroup(ADMIN, { uri: OTHER, members: newMembers(1, 1) });
    await setup.pass(3000);
    const member = await setup.member(0);
    const foreign = [gktpUserPath(memberUri(1)), gktpUserCollection(memberUri(1))];
    member.subscribe({
      list: [...foreign, groupDocumentPath(OTHER), gktpGroupPath(OTHER), gktpGroupPath(GROUP)],
    });
    await setup.until(() => member.heard.length > 0);
    expect(member.last.diff.documents.map(({ sel }) => sel)).toEqual([gktpGroupPath(GROUP)]);
    expect(member.last.added.map(({ id }) => id)).toEqual([memberUri(0)]);
    await setup.pass(100);
    expect(await audited()).toMatchObject([{ code: "ENTRIES_LEFT_OUT", detail: { entries: 2 } }]);
  });

  it("is an empty diff where nothing else was asked for", async () => {
    const member = await setup.member(0);
    member.subscribe({ list: [gktpUserPath(memberUri(1))] });
    await setup.pass(5000);
    expect(member.heard.map(({ diff }) => diff.documents)).toEqual([[]]);
  });
});

describe("a SUBSCRIBE dialog", () => {
  it("is not continued with another token", async () => {
    let token = await setup.token(memberUri(0));
    const member = await setup.member(0);
    const headers: NonNullable<Options>["headers"] = (h) => h.append("Authorization", `Bearer ${token}`);
    member.subscribe({ headers });
    await setup.until(() => member.heard.length > 0);
    await setup.pass(1000);
    const heard = member.heard.length;
    token = await setup.token(memberUri(1));
    member.subscription!.refresh(listBody([gktpUserPath(memberUri(1))]));
    await setup.pass(5000);
    expect(setup.network.lines.filter((line) => line.startsWith("SIP/2.0 403"))).not.toEqual([]);
    expect(member.heard.length).toBe(heard);
  });

  it("makes room, the oldest first, when a member has too many", async () => {
    const members: Member[] = [];
    for (let i = 0; i < 3; i++) {
      const member = await setup.member(0);
      members.push(member);
      member.subscribe();
      await setup.until(() => member.heard.length > 0);
    }
    await setup.pass(1000);
    expect(setup.gms.delivery.subscriptions).toBe(2);
    expect(members.map(({ ends }) => ends.map(({ reason }) => reason))).toEqual([["giveup"], [], []]);
  });

  it("is refreshed with a token only, and ended without", async () => {
    let token: string | undefined = await setup.token(memberUri(0));
    const member = await setup.member(0);
    const headers: NonNullable<Options>["headers"] = (h) =>
      void (token !== undefined && h.append("Authorization", `Bearer ${token}`));
    member.subscribe({ token: null, headers });
    await setup.until(() => member.messages.size === 1);
    token = undefined;
    member.subscription!.refresh();
    await setup.until(() => setup.gms.subscribed.at(-1) === "TOKEN_MISSING");
    await setup.pass(1000);
    expect([setup.gms.delivery.subscriptions, member.heard.length]).toEqual([1, 1]);
    member.subscription!.unsubscribe();
    await setup.until(() => setup.gms.delivery.subscriptions === 0);
    expect(member.ends).toEqual([{ cause: "unsubscribed" }]);
    expect(member.heard).toHaveLength(1);
  });

  it("may begin with a token in the body (TS 24.379 F.1)", async () => {
    const member = await setup.member(0);
    member.subscribe({ token: null, ...listAndToken(member.list(), await setup.token(member.uri)) });
    await setup.until(() => member.messages.size === 1);
  });
});

describe("a token that was read on its way", () => {
  it("is useless from another address, and goes on counting from its own", async () => {
    const member = await setup.member(0);
    const token = await setup.token(memberUri(0));
    member.subscribe({ token });
    await setup.until(() => member.heard.length > 0, "a NOTIFY");
    const thief = await setup.member(0);
    thief.subscribe({ token });
    await setup.until(() => thief.ends.length > 0, "a refusal");
    expect(thief.ends[0]!.status).toBe(401);
    expect(thief.heard).toEqual([]);
    expect(setup.gms.subscribed).toEqual(["ok", "TOKEN_INVALID"]);
    member.subscribe({ token });
    await setup.until(() => setup.gms.delivery.subscriptions === 2, "a second subscription");
    expect(member.ends).toEqual([]);
  });
});
