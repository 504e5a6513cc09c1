/** Every status of a refusal, what is counted, and what is written down. */
import { beforeEach, describe, expect, it } from "vitest";
import { groupDocumentPath, MEDIA } from "../../../documents/group-xml/index.ts";
import { gmsAudience } from "../../../roles/gms/common/config.ts";
import { createXcapServer } from "../../../roles/gms/http/server.ts";
import { DevelopmentIssuer } from "../../../roles/server/development-tokens.ts";
import { TokenRefusal } from "../../../roles/server/token-refusal.ts";
import type { TokenVerifier } from "../../../roles/server/tokens.ts";
import {
  ALICE,
  type Asked,
  BOB,
  GROUP_PATH,
  keysPath,
  MALLORY,
  OTHER_AUDIENCE,
  ROOT,
  sharedXcapWorld,
} from "./xcap.ts";

const world = sharedXcapWorld({ config: { limits: { bodyBytes: 2048, refusedAuditPerMinute: 3 } } });
let secrets: string[];
beforeEach(async () => {
  world.it.world.clock.now += 60_000;
  secrets = await world.it.messages(ALICE, BOB);
});

/** The answer, of which it is seen that it has no key, and that it was counted and written down. */
async function refused(path: string, status: number, code: string, asked: Asked = {}) {
  const before = (await world.it.audit()).length;
  world.it.counted.length = 0;
  const got = await world.it.ask(path, asked);
  expect(got.status).toBe(status);
  expect(secrets.some((secret) => got.body.includes(secret))).toBe(false);
  expect(got.headers["cache-control"]).toBe("no-store");
  expect(world.it.counted.map((one) => one.split(" ")[1])).toEqual([code]);
  // A request whose path or method shows that it is not for the GMS is a probe, which is only counted.
  const isProbe =
    code === "BAD_PATH" || code === "METHOD" || (code === "NOT_FOUND" && asked.as === undefined);
  const entries = (await world.it.audit()).slice(before);
  expect(entries).toMatchObject(isProbe ? [] : [{ outcome: "refused", code }]);
  expect(entries).toHaveLength(isProbe ? 0 : 1);
  return got;
}

describe("an XCAP request with a token", () => {
  it("that is missing is answered 403", async () => {
    const got = await refused(keysPath(ALICE), 403, "TOKEN_MISSING", { as: null });
    expect(got.headers["www-authenticate"]).toBe("Bearer");
    expect((await world.it.audit()).at(-1)).toMatchObject({ actor: "anonymous", action: "xcap-get" });
  });

  it("that has expired, or is for another server, or forged, is answered 401", async () => {
    const now = world.it.world.now();
    const { issuer } = world.it;
    const stranger = await DevelopmentIssuer.create([gmsAudience(world.it.world.config.gmsUri)]);
    const tokens: [string, string][] = [
      ["TOKEN_EXPIRED", await issuer.token({ userUri: ALICE, now: now - 7_200_000, lifetime: 3600 })],
      ["TOKEN_INVALID", await issuer.token({ userUri: ALICE, now, audience: [OTHER_AUDIENCE] })],
      ["TOKEN_INVALID", await stranger.token({ userUri: ALICE, now })],
      ["TOKEN_INVALID", "abc"],
    ];
    for (const [code, token] of tokens) {
      const got = await refused(keysPath(ALICE), 401, code, { token });
      expect(got.headers["www-authenticate"]).toBe('Bearer error="invalid_token"');
      expect(got.body).not.toContain(ALICE);
    }
  });

  it("for other services is answered 403", async () => {
    const token = await world.it.token(ALICE, { scopes: ["3gpp:mc:ptt_key_management_service"] });
    const got = await refused(keysPath(ALICE), 403, "WRONG_SCOPE", { token });
    expect(got.headers["www-authenticate"]).toContain("insufficient_scope");
  });

  it("without an identity is answered 403", async () => {
    const token = await world.it.issuer.token({ clientId: "gms-1", now: world.it.world.now() });
    await refused(keysPath(ALICE), 403, "WRONG_IDENTITY", { token });
  });

  it("that nobody can check is answered 503", async () => {
    const got = await withVerifier(() => new TokenRefusal("TOKENS_UNAVAILABLE", "no answer"));
    expect(got).toMatchObject({ statusCode: 503, headers: { "retry-after": expect.any(String) } });
  });
});

/** The answer of a server whose verifier fails like this. */
async function withVerifier(error: () => Error) {
  const tokens: TokenVerifier = { verify: () => Promise.reject(error()) };
  const app = createXcapServer({ context: world.it.core.context, tokens });
  const got = await app.inject({ url: keysPath(ALICE), headers: { authorization: "Bearer a" } });
  await app.close();
  return got;
}

describe("an XCAP request for documents", () => {
  const groupKeys = GROUP_PATH.replace("org.openmobilealliance.groups", "org.3gpp.MCPTT-GKTP");

  it("of others is forbidden, and so is one for their collections", async () => {
    for (const as of [BOB, MALLORY]) {
      await refused(keysPath(ALICE), 403, "WRONG_IDENTITY", { as });
      await refused(keysPath(ALICE).replace("gktp.xml", ""), 403, "WRONG_IDENTITY", { as });
    }
  });

  it("with a path without a URI is malformed and does not reach the store", async () => {
    for (const name of ["a%00b", "sip:a%20b", "%3Cx%3E", "a".repeat(1025)]) {
      await refused(`${ROOT}/org.openmobilealliance.groups/global/byGroupID/${name}`, 400, "BAD_PATH");
      await refused(`${ROOT}/org.3gpp.MCPTT-GKTP/users/${name}/gktp.xml`, 400, "BAD_PATH");
    }
  });

  it("of groups is answered to outsiders as if the group did not exist", async () => {
    const none = `${ROOT}/${groupDocumentPath("sip:none@home.example")}`;
    const seen = await refused(GROUP_PATH, 404, "NOT_FOUND", { as: MALLORY });
    const unseen = await refused(none, 404, "NOT_FOUND", { as: MALLORY });
    expect(seen.body).toBe(unseen.body);
    await refused(groupKeys, 404, "NOT_FOUND", { as: MALLORY });
  });

  it("of keys is answered 404 to a user in no group", async () => {
    await refused(keysPath(MALLORY), 404, "NOT_FOUND", { as: MALLORY });
  });

  it.each(["/", "/other", ROOT, `${ROOT}/`, `${ROOT}/a/b/c/d`, `${ROOT}x/xcap-caps/global/index`])(
    "at %s is answered 404",
    async (path) => {
      await refused(path, 404, "NOT_FOUND");
    },
  );

  it.each([`${GROUP_PATH}%zz`, `${GROUP_PATH}${"a".repeat(5000)}`])(
    "at a malformed path is answered 400",
    async (path) => {
      await refused(path, 400, "BAD_PATH");
    },
  );
});

describe("an XCAP request with another method", () => {
  it.each([
    [() => GROUP_PATH, "PATCH", "GET, HEAD, PUT, DELETE, POST"],
    [() => GROUP_PATH, "OPTIONS", "GET, HEAD, PUT, DELETE, POST"],
    [() => keysPath(ALICE), "PUT", "GET, HEAD, POST"],
    [() => keysPath(ALICE), "DELETE", "GET, HEAD, POST"],
    [() => keysPath(ALICE).replace("gktp.xml", ""), "POST", "GET, HEAD"],
    [() => `${ROOT}/xcap-caps/global/index`, "PUT", "GET, HEAD"],
  ])("is refused with those that the resource has: %s %s", async (path, method, allow) => {
    const got = await refused(path(), 405, "METHOD", { method });
    expect(got.headers.allow).toBe(allow);
  });
});

describe("the body of an XCAP request", () => {
  const post = { method: "POST", type: MEDIA.gktpReport };

  it("is refused if it is too large", async () => {
    await refused(keysPath(ALICE), 413, "TOO_LARGE", { ...post, body: "x".repeat(3000) });
  });

  it("is refused if it is compressed", () =>
    refused(keysPath(ALICE), 415, "ENCODING", {
      ...post,
      body: "x",
      headers: { "content-encoding": "gzip" },
    }));

  it("must have the type of the resource", () =>
    refused(keysPath(ALICE), 415, "BODY_TYPE", { ...post, type: "text/plain", body: "x" }));
});

describe("the audit log of the XCAP server", () => {
  it("has a limited number of refusals a minute for each identity", async () => {
    const before = (await world.it.audit()).length;
    for (let i = 0; i < 6; i++) await world.it.ask(keysPath(BOB), { as: ALICE });
    expect((await world.it.audit()).length - before).toBe(3);
    expect(world.it.counted.slice(-6)).toEqual(Array(6).fill("gktp WRONG_IDENTITY"));
  });
});

it("an internal error of the GMS reveals nothing to a client", async () => {
  const got = await withVerifier(() => new Error("connection to 192.0.2.1 failed"));
  expect(got).toMatchObject({ statusCode: 500, body: "the GMS failed\n" });
});
