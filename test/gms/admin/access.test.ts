/**
 * Rights: the operator may do everything, managers what concerns their groups, others nothing; and statuses of HTTP.
 */

import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { MikeySakkeError } from "../../../base/errors.ts";
import type { GmsAdminClient } from "../../../roles/gms/admin/client.ts";
import { gmsAdminClient } from "../../../roles/gms/admin/client.ts";
import { createGmsAdminServer } from "../../../roles/gms/admin/server.ts";
import { operator } from "../../../roles/gms/common/caller.ts";
import { CHIEF, DEPUTY, health, MALLORY, OPERATOR_TOKEN, sharedAdminWorld } from "./admin-api.ts";

const world = sharedAdminWorld();
const [MINE, OTHERS, NONE] = ["mine", "others", "none"].map((name) => `sip:${name}@home.example`) as [
  string,
  string,
  string,
];
const A = "sip:a@home.example";
const pathOf = (uri: string) => `/groups/${encodeURIComponent(uri)}`;

async function reset(): Promise<void> {
  const { operator: client } = world.it;
  for (const { uri } of await client.groups({ limit: 10 }))
    await client.deleteGroup(operator("operator"), uri);
  const members = [{ uri: A }];
  await client.createGroup(operator("operator"), {
    uri: MINE,
    members,
    settings: { managers: [CHIEF, DEPUTY] },
  });
  await client.createGroup(operator("operator"), {
    uri: OTHERS,
    members,
    settings: { managers: [DEPUTY] },
  });
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "none",
    (error) => error.code as string,
  );

describe("a manager of a group", () => {
  beforeEach(reset);

  it("manages their own groups, under their own name", async () => {
    const chief = await world.it.client(CHIEF);
    expect((await chief.group(MINE))!.uri).toBe(MINE);
    await chief.changeGroup(operator("operator"), MINE, { displayName: "Mine" });
    await chief.addMembers(operator("operator"), MINE, [{ uri: "sip:b@home.example" }]);
    await chief.removeMembers(operator("operator"), MINE, [A]);
    const rekey = await chief.rekey(operator("operator"), MINE);
    expect(rekey.actor).toBe(CHIEF);
    expect((await chief.rekeys({ groupUri: MINE, limit: 1 }))[0]!.id).toBe(rekey.id);
    expect((await chief.rekeyStatus(rekey.id)).id).toBe(rekey.id);
    expect(await chief.deliveries(rekey.id, { limit: 10 })).toHaveLength(1);
    const live = (await chief.gmks(MINE)).find(({ state }) => state === "live")!;
    expect((await chief.revokeGmk(operator("operator"), live.gmkId)).actor).toBe(CHIEF);
    expect((await chief.members(MINE, { limit: 10 })).map(({ uri }) => uri)).toEqual(["sip:b@home.example"]);
    await chief.deleteGroup(operator("operator"), MINE);
    const actors = (await world.it.operator.auditLog({ limit: 1000 })).slice(-5).map(({ actor }) => actor);
    expect(actors).toEqual(Array(5).fill(CHIEF));
  });

  it("may not change a GMK that another group shares, unless they manage that too", async () => {
    const shared = await world.it.operator.rekey(operator("operator"), MINE, { sharedWith: [OTHERS] });
    const chief = await world.it.client(CHIEF);
    expect(await codeOf(chief.revokeGmk(operator("x"), shared.gmkId))).toBe("FORBIDDEN");
    expect(await codeOf(chief.rekeyStatus(shared.id))).toBe("FORBIDDEN");
    expect(await codeOf(chief.deliveries(shared.id, { limit: 1 }))).toBe("FORBIDDEN");
    expect(await codeOf(chief.progress(shared.id).next())).toBe("FORBIDDEN");
    const deputy = await world.it.client(DEPUTY);
    expect((await deputy.revokeGmk(operator("x"), shared.gmkId)).actor).toBe(DEPUTY);
  });

  it("loses the right once the list no longer names them", async () => {
    const chief = await world.it.client(CHIEF);
    await world.it.operator.changeGroup(operator("operator"), MINE, { managers: [DEPUTY] });
    expect(await codeOf(chief.group(MINE))).toBe("FORBIDDEN");
  });
});

describe("a manager of other groups", () => {
  beforeAll(reset);

  type Work = (client: GmsAdminClient) => Promise<unknown>;
  const forbidden: [string, Work][] = [
    ["list all groups", (c) => c.groups({ limit: 1 })],
    [
      "make a group",
      (c) => c.createGroup(operator("x"), { uri: NONE, members: [], settings: { managers: [CHIEF] } }),
    ],
    ["read the audit log", (c) => c.auditLog({ limit: 1 })],
    ["list all rekeys", (c) => c.rekeys({ limit: 1 })],
    ["see the rekeys of others", (c) => c.rekeys({ groupUri: OTHERS, limit: 1 })],
    ["see a group of others", (c) => c.group(OTHERS)],
    ["see a group that does not exist", (c) => c.group(NONE)],
    ["change a group of others", (c) => c.changeGroup(operator("x"), OTHERS, { managers: [CHIEF] })],
    ["replace a group of others", (c) => c.replaceGroup(operator("x"), { uri: OTHERS, members: [] })],
    ["delete a group of others", (c) => c.deleteGroup(operator("x"), OTHERS)],
    ["add to a group of others", (c) => c.addMembers(operator("x"), OTHERS, [{ uri: CHIEF }])],
    ["remove from a group of others", (c) => c.removeMembers(operator("x"), OTHERS, [A])],
    ["see members of others", (c) => c.members(OTHERS, { limit: 1 })],
    ["see GMKs of others", (c) => c.gmks(OTHERS)],
    ["rekey a group of others", (c) => c.rekey(operator("x"), OTHERS)],
    ["share a GMK with a group of others", (c) => c.rekey(operator("x"), MINE, { sharedWith: [OTHERS] })],
    ["revoke a GMK that does not exist", (c) => c.revokeGmk(operator("x"), 1)],
    ["see a rekey that does not exist", (c) => c.rekeyStatus(999_999)],
  ];
  it.each(forbidden)("may not %s", async (_, work) => {
    const before = await world.it.operator.auditLog({ limit: 1000 });
    expect(await codeOf(work(await world.it.client(CHIEF)))).toBe("FORBIDDEN");
    expect(await world.it.operator.auditLog({ limit: 1000 })).toHaveLength(before.length);
  });
});

describe("tokens of the admin API", () => {
  beforeAll(reset);

  const statusOf = async (authorization: string | undefined) =>
    (await world.it.ask("GET", pathOf(MINE), { headers: { authorization: authorization ?? "" } })).status;

  it("that are wrong, expired, or for others are answered 401", async () => {
    const now = world.it.world.now();
    const expired = await world.it.issuer.token({ userUri: CHIEF, now: now - 7_200_000 });
    const foreign = await world.it.issuer.token({ userUri: CHIEF, now, audience: ["kms.example"] });
    for (const token of [
      undefined,
      "Bearer",
      `Basic ${OPERATOR_TOKEN}`,
      "Bearer x",
      `Bearer ${OPERATOR_TOKEN}x`,
    ]) {
      expect(await statusOf(token), token).toBe(401);
    }
    for (const token of [expired, foreign]) expect(await statusOf(`Bearer ${token}`)).toBe(401);
    expect(await statusOf(`Bearer ${await world.it.token(CHIEF)}`)).toBe(200);
  });

  it("without a scope or a group are answered 403", async () => {
    const scopes = ["3gpp:mc:ptt_key_management_service"];
    const wrong = await world.it.issuer.token({ userUri: CHIEF, now: world.it.world.now(), scopes });
    expect(await statusOf(`Bearer ${wrong}`)).toBe(403);
    expect(await statusOf(`Bearer ${await world.it.token(MALLORY)}`)).toBe(403);
    const none = await world.it.issuer.token({ clientId: "x", now: world.it.world.now() });
    expect(await statusOf(`Bearer ${none}`)).toBe(403);
  });

  it("are the only way in: without an operator's token there is no operator", async () => {
    const app = createGmsAdminServer({ context: world.it.core.context, ready: async () => {} });
    for (const authorization of ["Bearer undefined", "Bearer ", ""]) {
      const headers = { authorization };
      expect((await app.inject({ url: "/gms/v1/groups", headers })).statusCode).toBe(401);
    }
    await app.close();
  });

  it("of the operator may say who uses them", async () => {
    const rename = { displayName: "x" };
    await world.it.operator.changeGroup(operator("Änne B."), MINE, rename);
    expect((await world.it.operator.auditLog({ limit: 1000 })).at(-1)!.actor).toBe("Änne B.");
    for (const actor of ["%zz", "a%0ab", "x".repeat(300)]) {
      const headers = { "gms-actor": actor };
      expect((await world.it.ask("PATCH", pathOf(MINE), { body: rename, headers })).status).toBe(400);
    }
  });
});

describe("requests to the admin API", () => {
  beforeAll(reset);

  it("have fitting statuses", async () => {
    const { ask } = world.it;
    const members = [{ uri: A }];
    expect((await ask("POST", "/groups", { body: { uri: NONE, members } })).status).toBe(201);
    expect((await ask("POST", "/groups", { body: { uri: NONE, members } })).status).toBe(409);
    const got = await ask("GET", pathOf(NONE));
    expect(got).toMatchObject({
      status: 200,
      headers: { etag: expect.stringMatching(/^"\d+"$/), "cache-control": "no-store" },
    });
    expect((await ask("POST", `${pathOf(NONE)}/rekeys`, { body: {} })).status).toBe(202);
    const headers = { "if-match": '"99"' };
    expect((await ask("DELETE", pathOf(NONE), { headers })).status).toBe(412);
    expect(await ask("DELETE", pathOf(NONE))).toMatchObject({ status: 204, json: undefined });
    expect((await ask("GET", pathOf(NONE))).status).toBe(404);
    expect((await ask("GET", "/nothing")).status).toBe(404);
    expect((await ask("PATCH", "/groups", { body: {} })).status).toBe(404);
  });

  it.each<[string, string, unknown, Record<string, string>?]>([
    ["POST", "/groups", { uri: NONE }],
    ["POST", "/groups", { uri: NONE, members: [], more: 1 }],
    ["POST", "/groups", { uri: NONE, members: [{ uri: A, kind: "ghost" }] }],
    ["POST", "/groups", "{"],
    ["POST", "/groups", undefined],
    ["PATCH", pathOf(MINE), { unprotected: ["everything"] }],
    ["PATCH", pathOf(MINE), { displayName: "x" }, { "if-match": "1" }],
    ["POST", `${pathOf(MINE)}/members`, { members: [] }],
    ["POST", "/gmks/xyz/revoke", undefined],
    ["GET", "/rekeys/first", undefined],
    ["GET", "/groups?limit=0", undefined],
    ["GET", "/groups?limit=10001", undefined],
    ["GET", "/groups?limits=1", undefined],
    ["GET", `/groups/${"a".repeat(2000)}`, undefined],
    ["GET", "/groups/a%00b", undefined],
    ["GET", "/groups?after=a%00b", undefined],
    ["GET", "/rekeys?group=%00", undefined],
    ["POST", "/groups", { uri: NONE, members: [{ uri: "\0" }] }],
    ["PATCH", pathOf(MINE), { displayName: "\ud800" }],
    ["PATCH", pathOf(MINE), { managers: ["\0"] }],
  ])("are refused with the fault named: %s %s %j", async (method, path, body, headers = {}) => {
    const got = await world.it.ask(method, path, { body, headers });
    expect(got).toMatchObject({ status: 400, json: { error: { code: "BAD_ADMIN_REQUEST" } } });
    expect((got.json as { error: { message: string } }).error.message).not.toBe("");
  });

  it("at which the database fails are answered without its words", async () => {
    const { admin } = world.it.core.context;
    const { group, traced } = admin;
    // Each request has operations of its own, with its trace.
    admin.traced = () => admin;
    const words = 'syntax error at or near "SELECT secret"';
    try {
      for (const [kind, code, status] of [
        ["transport", "STORE_FAILED", 500],
        ["transport", "STORE_LOST", 500],
        ["usage", "STORE_REFUSED", 500],
        ["usage", "STORE_VALUE", 400],
      ] as const) {
        const error = new MikeySakkeError(kind, code, `the database failed (XX000 ${words})`);
        admin.group = () => Promise.reject(error);
        const message = "the database failed";
        expect(await world.it.ask("GET", pathOf(MINE))).toMatchObject({
          status,
          json: { error: { kind, code, message } },
        });
      }
      admin.group = () => Promise.reject(new Error(words));
      const got = await world.it.ask("GET", pathOf(MINE));
      expect([got.status, JSON.stringify(got.json)]).toEqual([500, expect.not.stringContaining("SELECT")]);
    } finally {
      Object.assign(admin, { group, traced });
    }
  });

  it("of another type are refused", async () => {
    const headers = { "content-type": "application/xml" };
    expect((await world.it.ask("POST", "/groups", { body: "x", headers })).status).toBe(415);
  });

  it("under another name than loopback's are refused, as from a page that rebinds its name", async () => {
    const got = await world.it.app.inject({ url: "/gms/v1/openapi.json", headers: { host: "evil.example" } });
    expect(got.statusCode).toBe(421);
  });

  it("to an unreachable server are reported as such", async () => {
    const away = gmsAdminClient({ url: "http://127.0.0.1:1", token: "x" });
    expect(await codeOf(away.groups({ limit: 1 }))).toBe("ADMIN_UNREACHABLE");
    const odd = async () => new Response("<html>", { status: 502 });
    const proxy = gmsAdminClient({ url: world.it.url, token: "x", fetch: odd as typeof fetch });
    expect(await codeOf(proxy.groups({ limit: 1 }))).toBe("ADMIN_FAILED");
  });

  it("an error code that the client does not know is shown as text", async () => {
    const error = { kind: "usage", code: "OF_A_LATER_VERSION", message: "no such thing" };
    const later = async () => Response.json({ error }, { status: 400 });
    const client = gmsAdminClient({ url: world.it.url, token: "x", fetch: later as typeof fetch });
    await expect(client.groups({ limit: 1 })).rejects.toMatchObject({
      kind: "usage",
      code: "ADMIN_FAILED",
      message: "OF_A_LATER_VERSION: no such thing",
      cause: error,
    });
  });
});

describe("health and metrics of the GMS", () => {
  it("need no token", async () => {
    const statusOf = async (path: string) => (await fetch(`${world.it.url}${path}`)).status;
    expect(await statusOf("/health/live")).toBe(200);
    expect(await statusOf("/health/ready")).toBe(200);
    health.ready = false;
    expect(await statusOf("/health/ready")).toBe(503);
    health.ready = true;
    const metrics = await (await fetch(`${world.it.url}/metrics`)).text();
    expect(metrics).toMatch(/^gms_groups 1$/m);
    expect(metrics).toMatch(/^sockets_waiting_connections/m);
  });
});
