/** Who may subscribe to what: refused, counted, and no key leaves. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  gktpGroupPath,
  gktpUserCollection,
  gktpUserPath,
  groupDocumentPath,
} from "../../transport/group-xml/index.ts";
import { memberUri, newMembers } from "../gms/world.ts";
import { ADMIN, GROUP, Setup } from "./support/gms.ts";
import { listAndToken, listBody, type Member } from "./support/member.ts";

const OTHER = "sip:group2@home.example";
const HOUR = 3_600_000;

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
      "with somebody else's token",
      403,
      "FORGED_FROM",
      async () => ({ token: await setup.token(memberUri(1)) }),
    ],
    ["in somebody else's name", 403, "FORGED_FROM", async () => ({ from: memberUri(1) })],
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

  it("with a token that has expired, and says so in the challenge", async () => {
    const member = await setup.member(0);
    await setup.clock.pass(2 * HOUR);
    expect(await refused(member, {})).toBe(401);
    expect(setup.gms.subscribed).toEqual(["TOKEN_EXPIRED"]);
    const challenge = member.ends[0]!.response!.headers.texts("WWW-Authenticate");
    expect(challenge[0]).toMatch(/^Bearer .*error="invalid_token"/);
  });

  it("of who is in no group", async () => {
    const stranger = await setup.member(7);
    const list = [groupDocumentPath(GROUP), gktpGroupPath(GROUP), gktpUserCollection(memberUri(7))];
    expect(await refused(stranger, { list })).toBe(403);
    expect(setup.gms.subscribed).toEqual(["NOT_A_MEMBER"]);
  });

  it.each([
    ["423", { expires: 10 }],
    ["489", { event: { value: "presence", params: new Map() } }],
  ])("%s, by the event framework", async (status, options) => {
    const member = await setup.member(0);
    member.subscribe(options as Options);
    await setup.until(() => setup.network.lines.some((line) => line.startsWith(`SIP/2.0 ${status}`)));
  });
});

describe("what is not for the member", () => {
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

describe("a dialog", () => {
  it("is not taken over with another token", async () => {
    let token = await setup.token(memberUri(0));
    const member = await setup.member(0);
    const headers: NonNullable<Options>["headers"] = (h) => h.append("Authorization", `Bearer ${token}`);
    member.subscribe({ headers });
    await setup.until(() => member.heard.length > 0);
    await setup.pass(1000);
    const heard = member.heard.length;
    token = await setup.token(memberUri(1));
    member.subscription!.refresh(listBody([gktpUserPath(memberUri(1))]));
    await setup.until(() => setup.gms.subscribed.at(-1) === "FORGED_FROM");
    await setup.pass(500);
    expect(member.heard.length).toBe(heard);
  });

  it("of a member makes room for a newer one, when there are too many", async () => {
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

  it("begins with a token in the body, too (TS 24.379 F.1)", async () => {
    const member = await setup.member(0);
    member.subscribe({ token: null, ...listAndToken(member.list(), await setup.token(member.uri)) });
    await setup.until(() => member.messages.size === 1);
  });
});
