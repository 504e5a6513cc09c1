/** Digest and Bearer authentication, both sides (RFC 3261 22, RFC 8760, RFC 8898). */
import { describe, expect, it } from "vitest";
import { utf8 } from "../../base/bytes.ts";
import { type DigestAlgorithm, digestHash, digestResponse } from "../../transport/sip/auth/digest.ts";
import {
  type AuthScheme,
  bearerScheme,
  type Credentials,
  createAuthenticator,
  digestScheme,
  digestSecret,
} from "../../transport/sip/index.ts";
import { random, World } from "./support/endpoints.ts";

const REALM = "gms.example.com";
const DIGEST: Credentials = { digest: { user: "alice", password: "open sesame" } };

async function world(schemes: (world: World) => AuthScheme[], credentials: Credentials): Promise<World> {
  const made = await new World("UDP", { credentials }).start();
  const authenticator = createAuthenticator(...schemes(made));
  made.server.onRequest("MESSAGE", async ({ request }) => {
    const result = await authenticator.check(request);
    return result.ok ? { status: 200, reason: result.identity } : result.answer;
  });
  return made;
}

const digest = (algorithms?: readonly DigestAlgorithm[]) => (w: World) => [
  digestScheme({
    realm: REALM,
    clock: w.clock,
    random,
    secret: (user, algorithm) =>
      user === "alice" ? digestSecret(algorithm, user, REALM, "open sesame") : undefined,
    ...(algorithms === undefined ? {} : { algorithms }),
  }),
];

async function send(w: World) {
  const response = w.client.request({
    method: "MESSAGE",
    uri: "sip:gms@10.0.0.2",
    from: "sip:alice@example.com",
    contentType: "text/plain",
    body: utf8("hello"),
  });
  await w.clock.pass(50);
  const { status, reason } = await response;
  return `${status} ${reason}`;
}

/** The request with credentials once more, changed, under a new branch and number. */
async function replay(w: World, change: (text: string) => string) {
  const { text } = w.network.seen.find(({ text }) => text.includes("\r\nAuthorization:"))!;
  const flow = await w.network
    .udp({ host: "10.0.0.1", port: 5060 })
    .connect({ host: "10.0.0.2", port: 5060 });
  const next = text
    .replace(/branch=\w+/, `branch=z9hG4bKr${w.network.seen.length}`)
    .replace(/Call-ID: /, `Call-ID: r${w.network.seen.length}`);
  await flow.send(utf8(change(next)));
  await w.clock.pass(50);
  return w.network.seen.at(-1)!.text;
}

describe("digest authentication", () => {
  it("computes the response of RFC 7616 3.9.1", () => {
    for (const [algorithm, response] of [
      ["MD5", "8ca523f5e9506fed4657c9700eebdbec"],
      ["SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"],
    ] as const) {
      const secret = digestSecret(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life");
      const nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
      const clientNonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
      const protection = { qop: "auth", count: "00000001", clientNonce } as const;
      const input = { algorithm, secret, method: "GET", uri: "/dir/index.html", nonce, protection };
      expect(digestResponse({ ...input, body: new Uint8Array(0) })).toBe(response);
    }
  });

  it("computes the response of RFC 2617 3.5 without qop, where the server has none", () => {
    const secret = digestHash("MD5", "bob:biloxi.com:zanzibar");
    const base = {
      algorithm: "MD5",
      secret,
      method: "INVITE",
      uri: "sip:bob@biloxi.com",
      body: utf8("x"),
    } as const;
    // draft-smith-sipping-auth-examples 3.1 and 3.3.
    expect(digestResponse({ ...base, nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093" })).toBe(
      "bf57e4e0d0bffc0fbaedce64d59add5e",
    );
    const protection = { qop: "auth", count: "00000001", clientNonce: "0a4f113b" } as const;
    expect(digestResponse({ ...base, nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093", protection })).toBe(
      "89eb0059246c02b2f6ee02c7961d5ea3",
    );
  });

  it.each<[string, readonly DigestAlgorithm[] | undefined, string]>([
    ["SHA-256 first", undefined, "SHA-256"],
    ["MD5 alone", ["MD5"], "MD5"],
    ["SHA-512-256", ["SHA-512-256", "MD5"], "SHA-512-256"],
  ])("accepts a user: %s", async (_, algorithms, used) => {
    const w = await world(digest(algorithms), DIGEST);
    expect(await send(w)).toBe("200 alice");
    expect(w.network.seen.at(-2)?.text).toContain(`algorithm=${used}`);
    expect(w.count("MESSAGE")).toBe(2);
  });

  it("challenges once when the password is wrong, or the user unknown", async () => {
    for (const wrong of [
      { user: "alice", password: "x" },
      { user: "eve", password: "open sesame" },
    ]) {
      const w = await world(digest(), { digest: wrong });
      expect(await send(w)).toBe("401 Unauthorized");
      expect(w.count("MESSAGE")).toBe(2);
    }
  });

  it("refuses a replay, an old nonce, another nonce, another request", async () => {
    const w = await world(digest(), DIGEST);
    await send(w);
    expect(await replay(w, (text) => text)).toMatch(/^SIP\/2.0 401[\s\S]*stale=true/);
    expect(await replay(w, (text) => text.replace("nc=00000001", "nc=00000002"))).not.toContain("stale");
    expect(await replay(w, (text) => text.replace(/nonce="../, 'nonce="ff'))).toMatch(
      /^SIP\/2.0 401[\s\S]*stale=true/,
    );
    expect(await replay(w, (text) => text.replace("sip:gms@", "sip:kms@"))).toMatch(/^SIP\/2.0 401/);
    expect(await replay(w, (text) => text.replace(/MESSAGE/g, "PUBLISH"))).toMatch(/^SIP\/2.0 405/);
    await w.clock.pass(301_000);
    expect(await replay(w, (text) => text)).toContain("stale=true");
  });

  it("protects a SUBSCRIBE and its refreshes, and keeps a dialog from another user", async () => {
    const w = await new World("UDP", { credentials: DIGEST }).start();
    let identity = "alice";
    const authenticator = createAuthenticator(...digest()(w));
    const notifier = w.notifier({
      authenticator: {
        check: async (request) => {
          const result = await authenticator.check(request);
          return result.ok ? { ok: true, identity } : result;
        },
      },
    });
    const subscription = w.subscribe();
    await w.clock.pass(100);
    expect([...notifier.subscriptions].map((one) => one.identity)).toEqual(["alice"]);
    subscription.refresh();
    await w.clock.pass(100);
    expect(w.count("SUBSCRIBE")).toBe(4);
    identity = "eve";
    subscription.refresh();
    await w.clock.pass(100);
    expect(w.lines.at(-1)).toBe("403 Forbidden");
  });
});

describe("Bearer authentication", () => {
  const scheme = () =>
    bearerScheme({
      authorizationServer: "https://idms.example.com",
      scope: "3gpp:mcptt:group_management_server",
      verify: (token) => (token === "good.token~1=" ? "alice" : undefined),
    });

  it("accepts a token", async () => {
    const asked: unknown[] = [];
    const w = await world(() => [scheme()], {
      bearer: (challenge) => {
        asked.push(challenge);
        return "good.token~1=";
      },
    });
    expect(await send(w)).toBe("200 alice");
    expect(asked).toEqual([
      {
        authorizationServer: "https://idms.example.com",
        scope: "3gpp:mcptt:group_management_server",
        error: undefined,
      },
    ]);
  });

  it("says invalid_token once, and the client may send another token", async () => {
    const tokens = ["old", "good.token~1="];
    const w = await world(() => [scheme()], { bearer: ({ error }) => (error ? tokens[1] : tokens[0]) });
    expect(await send(w)).toBe("200 alice");
    const stubborn = await world(() => [scheme()], { bearer: () => "old" });
    expect(await send(stubborn)).toBe("401 Unauthorized");
    expect(stubborn.count("MESSAGE")).toBe(2);
  });

  it("beside digest lets a client use what it has", async () => {
    const both = (w: World) => [scheme(), ...digest()(w)];
    expect(await send(await world(both, DIGEST))).toBe("200 alice");
    expect(await send(await world(both, { bearer: () => "good.token~1=" }))).toBe("200 alice");
    expect(await send(await world(both, {}))).toBe("401 Unauthorized");
  });
});
