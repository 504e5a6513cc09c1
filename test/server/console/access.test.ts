/** Access to the console: sign-in, session, token against forged requests, origin, host, frames, guessing. */

import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { operator } from "../../../roles/gms/common/caller.ts";
import { newMembers } from "../../gms/memory-gms.ts";
import { type ConsoleWorld, codeOf, consoleWorld, GROUP, TOKEN } from "./running-console.ts";

const MINUTE = 60_000;
const PATH = `/gms/v1/groups/${encodeURIComponent(GROUP)}`;

let here: ConsoleWorld;
const clock = { now: Date.now() };
beforeAll(async () => {
  here = await consoleWorld({ now: () => clock.now });
  await here.core.context.admin.createGroup(operator("test"), { uri: GROUP, members: newMembers(3) });
});
afterAll(() => here?.close());

const errorOf = async (answer: Response) => ((await answer.json()) as { error: { code: string } }).error.code;
const revision = async () => (await here.core.context.admin.group(GROUP))!.revision;

/** Asks as a browser does whose page has another host name that leads here. */
function askAs(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const url = new URL(here.origin);
    request({ host: url.hostname, port: url.port, path: "/session", headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode!);
    })
      .on("error", reject)
      .end();
  });
}

describe("sign-in to the console", () => {
  it("accepts a code once, and its cookie is out of reach of scripts and of other sites", async () => {
    const code = codeOf(here.console.link());
    const { origin } = here;
    const first = await here.ask("POST", "/session", { origin }, { code, name: "Ada" });
    expect(first.status).toBe(200);
    expect(first.headers.get("set-cookie")).toMatch(
      /^console=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=/,
    );
    const second = await here.ask("POST", "/session", { origin }, { code, name: "Ada" });
    expect([second.status, await errorOf(second)]).toEqual([401, "SIGN_IN"]);
    expect(second.headers.get("set-cookie")).toBeNull();
  });

  it("refuses a code after a quarter of an hour", async () => {
    const code = codeOf(here.console.link());
    clock.now += 16 * MINUTE;
    const answer = await here.ask("POST", "/session", { origin: here.origin }, { code, name: "Ada" });
    expect(answer.status).toBe(401);
  });

  it("accepts the operator's token, which makes links too", async () => {
    const { origin } = here;
    const answer = await here.ask("POST", "/session", { origin }, { code: TOKEN, name: "Ada" });
    expect(answer.status).toBe(200);
    const made = await here.ask("POST", "/codes", { authorization: `Bearer ${TOKEN}` });
    const { link } = (await made.json()) as { link: string };
    const signed = await here.ask("POST", "/session", { origin }, { code: codeOf(link), name: "Ada" });
    expect(signed.status).toBe(200);
    expect((await here.ask("POST", "/codes", { authorization: "Bearer other" })).status).toBe(401);
  });

  it("blocks guessing", async () => {
    const { origin } = here;
    const guess = () => here.ask("POST", "/session", { origin }, { code: "guess", name: "Eve" });
    const statuses: number[] = [];
    for (let n = 0; n < 12; n++) statuses.push((await guess()).status);
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(10);
    expect(statuses.at(-1)).toBe(429);
    clock.now += MINUTE;
    expect((await guess()).status).toBe(401);
    clock.now += MINUTE;
  });

  it("ends when the operator signs out, after an hour without use, and after half a day", async () => {
    const { origin } = here;
    const look = async ({ cookie }: { cookie: string }) =>
      (await here.ask("GET", "/session", { cookie })).status;
    const one = await here.signIn();
    expect(await look(one)).toBe(200);
    await here.ask("DELETE", "/session", { origin, cookie: one.cookie, "csrf-token": one.csrf });
    expect(await look(one)).toBe(401);
    const two = await here.signIn();
    clock.now += 61 * MINUTE;
    expect(await look(two)).toBe(401);
    const three = await here.signIn();
    for (let hour = 0; hour < 14; hour++) {
      expect(await look(three)).toBe(59 * hour < 12 * 60 ? 200 : 401);
      clock.now += 59 * MINUTE;
    }
  });
});

describe("the console without a session", () => {
  it.each([
    ["GET", "/gms/v1/groups"],
    ["GET", "/mcx/v1/sessions"],
    ["GET", "/events"],
    ["GET", "/lost"],
    ["POST", "/kms/v1/users"],
    ["POST", `${PATH}/rekeys`],
    ["DELETE", PATH],
    ["POST", "/lost"],
  ])("refuses %s %s", async (method, path) => {
    const answer = await here.ask(
      method,
      path,
      { origin: here.origin, cookie: "console=none" },
      method === "GET" ? undefined : {},
    );
    expect([answer.status, await errorOf(answer)]).toEqual([401, "SIGN_IN"]);
  });
});

describe("the console with a session", () => {
  it("needs the session's token and its own origin for a change, and records it under the operator's name", async () => {
    const { cookie, csrf } = await here.signIn();
    const { origin } = here;
    const before = await revision();
    const change = (headers: Record<string, string>) =>
      here.ask("PATCH", PATH, { cookie, ...headers }, { displayName: "Fire" });
    const refusals = [
      [{ origin }, "CSRF"],
      [{ origin, "csrf-token": "x" }, "CSRF"],
      [{ origin: "https://evil.example", "csrf-token": csrf }, "WRONG_ORIGIN"],
      [{ origin: origin.replace(/\d+$/, "1"), "csrf-token": csrf }, "WRONG_ORIGIN"],
      [{ "csrf-token": csrf }, "WRONG_ORIGIN"],
      [{ "csrf-token": csrf, authorization: "Bearer x" }, "WRONG_ORIGIN"],
      [{ origin, "csrf-token": csrf, "sec-fetch-site": "same-site" }, "WRONG_ORIGIN"],
    ] as const;
    for (const [headers, code] of refusals) {
      const answer = await change(headers);
      expect([answer.status, await errorOf(answer)], JSON.stringify(headers)).toEqual([403, code]);
    }
    expect(await revision()).toBe(before);
    expect((await change({ origin, "csrf-token": csrf })).status).toBe(200);
    expect(await revision()).toBeGreaterThan(before);
    const [last] = (await here.core.context.admin.auditLog({ limit: 1000 })).slice(-1);
    expect(last).toMatchObject({ actor: "Ada", action: "group-change" });
  });

  it("refuses another site, though the browser sends the cookie", async () => {
    const { cookie } = await here.signIn();
    const look = (headers: Record<string, string>) =>
      here.ask("GET", "/gms/v1/groups", { cookie, ...headers });
    expect((await look({ "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect((await look({ "sec-fetch-site": "same-origin" })).status).toBe(200);
  });

  it("gives no access to keys, and none beyond the APIs", async () => {
    const { cookie, csrf } = await here.signIn();
    const headers = { cookie, origin: here.origin, "csrf-token": csrf };
    const of = async (method: string, path: string) =>
      (await here.ask(method, path, headers, method === "POST" ? {} : undefined)).status;
    for (const operation of ["issue", "newTransportKeys", "rotateStoreKey", "users/../issue"])
      expect(await of("POST", `/kms/v1/${operation}`), operation).toBe(404);
    expect(await of("GET", "/gms/v1/..%2f..%2fmetrics")).toBe(404);
    expect(await of("POST", "/mcx/v1/sessions")).toBe(404);
  });
});

describe("the listener of the console", () => {
  it("answers to its own name only", async () => {
    const port = new URL(here.origin).port;
    expect(await askAs(`127.0.0.1:${port}`)).toBe(401);
    expect(await askAs(`localhost:${port}`)).toBe(401);
    for (const host of [`evil.example:${port}`, "127.0.0.1", `127.0.0.1:1`, `127.0.0.1.evil.example:${port}`])
      expect(await askAs(host), host).toBe(421);
  });

  it.each(["/", "/session", "/nothing"])("forbids framing and foreign content at %s", async (path) => {
    const { headers } = await here.ask("GET", path);
    const policy = headers.get("content-security-policy")!;
    for (const part of [
      "default-src 'none'",
      "script-src 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ])
      expect(policy.split("; ")).toContain(part);
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("access-control-allow-origin")).toBeNull();
    expect(headers.get("cache-control")).toBe("no-store");
  });

  it("needs a certificate and its public name beyond loopback", async () => {
    const listen = { host: "0.0.0.0" };
    await expect(consoleConfigFault({ listen })).resolves.toContain("console.origin");
    await expect(consoleConfigFault({ listen, origin: "http://ops.example.org" })).resolves.toContain(
      "https://",
    );
    await expect(consoleConfigFault({ listen, origin: "https://ops.example.org" })).resolves.toContain(
      "certificate",
    );
  });

  it("links only to talk pages of this machine, as these give anybody's tokens", async () => {
    for (const talkPage of ["http://talk.example.org", "https://192.0.2.1:8450"])
      await expect(consoleConfigFault({ talkPage })).resolves.toContain(
        "console.talkPage: must be on a loopback",
      );
    await expect(consoleConfigFault({ talkPage: "http://127.0.0.1:8450/page" })).resolves.toContain(
      "console.talkPage: must be an origin",
    );
  });
});

async function consoleConfigFault(config: object): Promise<string> {
  const { createConsole } = await import("../../../roles/console/server.ts");
  try {
    createConsole({ config, token: TOKEN, folder: "", backend: {} as never });
    return "none";
  } catch (error) {
    return String(error);
  }
}

describe("emergency calls in the console", () => {
  it("are acknowledged once, by an operator with a session, and every operator sees by whom", async () => {
    const { emergencies, ask, origin } = here;
    emergencies.called(GROUP, "sip:alice@home.example");
    const { id } = emergencies.list()[0]!;
    const { cookie, csrf } = await here.signIn();
    const acknowledge = (body: unknown, headers: Record<string, string>) =>
      ask("POST", "/alarms/acknowledge", { origin, ...headers }, body);
    expect((await acknowledge({ id }, {})).status).toBe(401);
    expect((await acknowledge({ id }, { cookie })).status).toBe(403);
    const session = { cookie, "csrf-token": csrf };
    expect((await acknowledge({ id: id + 1 }, session)).status).toBe(404);
    expect((await acknowledge({ id: "1" }, session)).status).toBe(400);
    expect((await ask("GET", "/alarms")).status).toBe(401);
    const alarms = async () =>
      ((await (await ask("GET", "/alarms", { cookie })).json()) as { alarms: object[] }).alarms;
    expect((await alarms())[0]).not.toHaveProperty("acknowledged");
    expect((await acknowledge({ id }, session)).status).toBe(204);
    const at = clock.now;
    clock.now += MINUTE;
    expect((await acknowledge({ id }, session)).status).toBe(204);
    expect(await alarms()).toMatchObject([{ id, groupUri: GROUP, acknowledged: { by: "Ada", at } }]);
  });
});
