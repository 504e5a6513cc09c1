/**
 * Tests what somebody sends who is not known, or has put a token where none belongs, to HTTP servers on sockets of this
 * machine: queries are neither told back nor kept, names that every object has change nothing, and the log stays short.
 */
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gmsAudience } from "../../roles/gms/common/config.ts";
import { createXcapServer } from "../../roles/gms/http/server.ts";
import { BODIES } from "../../roles/kms/admin/wire.ts";
import { DevelopmentIssuer } from "../../roles/server/development-tokens.ts";
import { ownGuard, urlOf } from "../../roles/server/listener.ts";
import { noLog } from "../../roles/server/log.ts";
import { RefusedLog } from "../../roles/server/refused-log.ts";
import { systemClock } from "../../transport/sip/index.ts";
import { GMS_URI } from "../gms/memory-gms.ts";
import { ALICE, ROOT, World } from "../kms/running-kms.ts";
import { type ConsoleWorld, consoleWorld, TOKEN } from "./console/running-console.ts";

const SECRET = "s3cr3t-t0k3n";
const QUERY = `?access_token=${SECRET}`;
const GROUPS = "/xcap/org.openmobilealliance.groups/global/byGroupID";
const XCAP_MEMBER = "sip:user00000@home.example";

let kms: World;
let operators: ConsoleWorld;
let xcap: ReturnType<typeof createXcapServer>;
let issuer: DevelopmentIssuer;
const xcapLines: object[] = [];
const urls: Record<string, string> = {};

beforeAll(async () => {
  kms = await World.create();
  const { url } = await kms.kms.listen();
  operators = await consoleWorld();
  const { core } = operators;
  issuer = await DevelopmentIssuer.create([gmsAudience(GMS_URI)]);
  const keep = (facts: object) => void xcapLines.push(facts);
  const log = { ...noLog, info: keep, warn: keep, error: keep };
  const guard = { ...ownGuard(), refused: new RefusedLog(log, systemClock) };
  const context = { ...core.context, log };
  xcap = createXcapServer({ context, tokens: issuer.verifier(GMS_URI), guard });
  await xcap.listen({ host: "127.0.0.1", port: 0 });
  Object.assign(urls, { kms: url, xcap: urlOf(xcap, "http", "127.0.0.1"), console: operators.origin });
  for (const [name, api] of Object.entries(operators.apis)) urls[`${name} admin`] = api!.url;
});
afterAll(async () => {
  await xcap?.close();
  await operators?.close();
  await kms?.close();
});

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The target goes out as it is written. */
function ask(url: string, target: string, { method = "GET", headers = {}, body }: Asked = {}) {
  const { hostname: host, port } = new URL(url);
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const sent = request({ host, port, path: target, method, headers, agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (part: string) => {
        text += part;
      });
      answer.on("end", () => resolve({ status: answer.statusCode!, text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

describe("a secret in a URL", () => {
  it.each([
    "/init",
    "/keyprov/sip:alice@example.org",
    "/keyprov/sip%3Aalice%40example.org",
    "/keyprov/sip:alice@example.org/edd0d90000000000",
    "/cert/kms.example.org",
    "/lookup/sip:alice@example.org",
    "/certcache/1",
    "/nothing",
  ])("is neither returned nor stored by the KMS: %s", async (tail) => {
    const authorization = `Bearer ${await kms.token(ALICE)}`;
    for (const target of [`${ROOT}${tail}`, `https://alice:${SECRET}@kms.example.org${ROOT}${tail}`]) {
      for (const headers of [{}, { authorization }]) {
        const { status, text } = await ask(urls.kms!, `${target}${QUERY}`, { method: "POST", headers });
        expect(status).toBe(404);
        expect(text).toContain("<ClientReqUrl>https://kms.example.org/");
        expect(text).not.toContain(SECRET);
      }
    }
    expect(JSON.stringify([kms.log, await kms.auditLog()])).not.toContain(SECRET);
  });

  it("is not stored, be it a token in the query of a ClientReqUrl or a password", async () => {
    const clientReqUrl = `https://alice:${SECRET}@kms.example.org${ROOT}/init${QUERY}#${SECRET}`;
    const { status, body } = await kms.ask("init", { body: { clientReqUrl } });
    expect([status, body.includes(SECRET)]).toEqual([400, false]);
    expect((await kms.auditLog()).at(-1)).toMatchObject({
      code: "WRONG_REQUEST_URL",
      detail: { reason: `https://kms.example.org${ROOT}/init` },
    });
    expect(JSON.stringify([kms.log, await kms.auditLog()])).not.toContain(SECRET);
  });

  it("is neither returned nor stored by the GMS", async () => {
    const authorization = `Bearer ${await issuer.token({ userUri: XCAP_MEMBER, now: operators.world.now() })}`;
    const group = `${GROUPS}/sip%3Anone%40home.example`;
    for (const path of ["/xcap", "/xcap/nothing", "/%zz", group, `${group}/~~/x:group`]) {
      for (const headers of [{}, { authorization }]) {
        const { status, text } = await ask(urls.xcap!, `${path}${QUERY}`, { headers });
        expect([400, 403, 404]).toContain(status);
        expect(text).not.toContain(SECRET);
      }
    }
    const kept = [xcapLines, await operators.world.store.auditLog({ limit: 1000 })];
    expect(JSON.stringify(kept)).not.toContain(SECRET);
  });

  it.each([
    ["a path that is none", "/nothing", 404],
    ["a path that nobody can read", "/%zz", 400],
    ["a name that is too long", `/admin/v1/${"a".repeat(4000)}`, 414],
  ])("is not returned by admin APIs and console: %s", async (_, path, status) => {
    for (const [name, url] of Object.entries(urls)) {
      if (name === "kms" || name === "xcap") continue;
      const got = await ask(url, `${path}${QUERY}`, { method: status === 414 ? "POST" : "GET" });
      expect(got.text, name).not.toContain(SECRET);
      expect(got.status, name).toBeGreaterThanOrEqual(400);
      if (name === "kms admin") expect(got.status).toBe(status);
      expect(JSON.parse(got.text), name).toMatchObject({ error: { kind: "usage" } });
    }
  });
});

describe("names of object properties", () => {
  const NAMES = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"];
  const json = { "content-type": "application/json" };
  const operator = (name: string) => ({ ...json, authorization: `Bearer ${name}` });
  const bodies = NAMES.flatMap((name) => [
    `{"${name}":{"polluted":true}}`,
    `{"${name}":{"prototype":{"polluted":true}}}`,
    `[{"${name}":{"polluted":true}}]`,
    `{"uri":{"${name}":{"polluted":true}}}`,
    `{"uri":"sip:a@b.example","members":[{"uri":"sip:a@b.example","${name}":{"polluted":true}}]}`,
    `{"limit":1,"notIssued":{"${name}":{"polluted":true}}}`,
  ]);
  const isRefused = async (url: string, target: string, asked: Asked) => {
    const { status, text } = await ask(url, target, asked);
    expect(`${status} ${asked.method} ${target} ${asked.body}`).toMatch(/^4\d\d /);
    expect(JSON.parse(text)).toMatchObject({ error: { kind: "usage", code: expect.any(String) } });
  };
  const isUnharmed = () => {
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  };

  it("are refused in bodies and paths of the KMS's admin API", async () => {
    const headers = operator("kms");
    for (const operation of Object.keys(BODIES)) {
      for (const body of bodies) {
        await isRefused(urls["kms admin"]!, `/admin/v1/${operation}`, { method: "POST", headers, body });
      }
    }
    for (const name of NAMES)
      await isRefused(urls["kms admin"]!, `/admin/v1/${name}`, { method: "POST", headers, body: "{}" });
    isUnharmed();
  });

  it("are refused in bodies, paths and queries of the GMS's admin API", async () => {
    const headers = operator("gms");
    const group = `/gms/v1/groups/${encodeURIComponent("sip:none@home.example")}`;
    for (const body of bodies) {
      for (const path of [
        "/gms/v1/groups",
        `${group}/members`,
        `${group}/members/remove`,
        `${group}/rekeys`,
      ]) {
        await isRefused(urls["gms admin"]!, path, { method: "POST", headers, body });
      }
      await isRefused(urls["gms admin"]!, group, { method: "PATCH", headers, body });
    }
    for (const name of NAMES) {
      for (const path of [
        `/gms/v1/${name}`,
        `/gms/v1/groups/${name}`,
        `/gms/v1/groups?${name}[polluted]=1`,
      ]) {
        await isRefused(urls["gms admin"]!, path, { headers: operator("gms") });
      }
    }
    isUnharmed();
  });

  it("are refused by the console, before and after a sign-in", async () => {
    const { origin } = operators;
    for (const body of [...bodies, ...NAMES.map((name) => `{"${name}":{"code":"${TOKEN}","name":"Eve"}}`)]) {
      await isRefused(origin, "/session", { method: "POST", headers: { ...json, origin }, body });
      await isRefused(origin, "/lost", { method: "POST", headers: { ...json, origin }, body });
    }
    const { cookie, csrf } = await operators.signIn();
    const headers = { ...json, origin, cookie, "csrf-token": csrf };
    for (const body of bodies) {
      for (const path of ["/lost", "/kms/v1/enrol", "/gms/v1/groups"]) {
        await isRefused(origin, path, { method: "POST", headers, body });
      }
    }
    for (const name of NAMES) {
      await isRefused(origin, `/kms/v1/${name}`, { method: "POST", headers, body: "{}" });
      await isRefused(origin, `/${name}/v1/users`, { method: "POST", headers, body: "{}" });
    }
    isUnharmed();
  });

  it("in parts and headers are refused everywhere, as no multipart body is accepted", async () => {
    const parts = NAMES.map(
      (name) =>
        `--__proto__\r\nContent-Disposition: form-data; name="${name}[polluted]"\r\n${name}: polluted\r\n\r\n1\r\n`,
    );
    const body = `${parts.join("")}--__proto__--\r\n`;
    const type = "multipart/form-data; boundary=__proto__";
    const { cookie, csrf } = await operators.signIn();
    const { origin } = operators;
    const own = { "content-type": type, constructor: "x", ["__proto__" as string]: "x" };
    const asked = (headers: Record<string, string>) => ({
      method: "POST",
      headers: { ...own, ...headers },
      body,
    });
    const kmsToken = asked({ authorization: "Bearer kms" });
    await isRefused(urls["kms admin"]!, "/admin/v1/enrol", kmsToken);
    await isRefused(urls["gms admin"]!, "/gms/v1/groups", asked({ authorization: "Bearer gms" }));
    await isRefused(origin, "/session", asked({ origin }));
    await isRefused(origin, "/lost", asked({ origin, cookie, "csrf-token": csrf }));
    const authorization = `Bearer ${await kms.token(ALICE)}`;
    expect((await ask(urls.kms!, `${ROOT}/init`, asked({ authorization }))).status).toBe(400);
    isUnharmed();
  });
});

describe("the log of a server", () => {
  /** The name of an extension in a token, which the error about it repeats. */
  const long = (name: string) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    return `Bearer ${part({ alg: "RS256", crit: [name] })}.${part({ iss: "x" })}.AAAA`;
  };
  const name = "x".repeat(8000);

  it.each(["kms", "xcap"])("has little of requests without a good token, at the %s", async (server) => {
    const lines = () => (server === "kms" ? kms.log.map(({ facts }) => facts) : xcapLines);
    const before = lines().length;
    const target = server === "kms" ? `${ROOT}/init` : `${GROUPS}/sip%3Anone%40home.example`;
    const method = server === "kms" ? "POST" : "GET";
    for (let n = 0; n < 20; n++) {
      const { status } = await ask(urls[server]!, target, { method, headers: { authorization: long(name) } });
      expect(status).toBe(401);
    }
    const told = lines().slice(before);
    expect(told.length).toBeGreaterThan(0);
    expect(told.length).toBeLessThanOrEqual(3);
    expect(told[0]).toMatchObject({ reason: "TOKEN_INVALID", source: "127.0.0.1" });
    expect(JSON.stringify(told).length).toBeLessThan(1500);
  });
});
