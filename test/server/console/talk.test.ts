/** What the console gives a dispatcher's browser to take part in calls: to whom, and under which policy. */
import { get } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseConsoleConfig } from "../../../roles/console/config.ts";
import { type ConsoleWorld, consoleWorld } from "./running-console.ts";
import { TALK } from "./talk-servers.ts";

const USER = "sip:dispatcher@home.example";
const ISSUER = { issuer: "https://idms.example.org", clientId: "console" };
const XML = { "content-type": "application/xml", authorization: "Bearer of the user" };

const policyOf = (answer: Response) => answer.headers.get("content-security-policy")!.split("; ");

describe("calls from the console with development tokens", () => {
  let here: ConsoleWorld;
  beforeAll(async () => {
    here = await consoleWorld({ config: { dispatcher: { developmentTokens: true } }, talk: TALK });
  });
  afterAll(() => here?.close());

  it("are for those with a session, and tokens for its own page alone", async () => {
    const { origin } = here;
    const { cookie, csrf } = await here.signIn();
    const tokens = (headers: Record<string, string>) =>
      here.ask("POST", "/talk/tokens", { origin, ...headers }, { user: USER });
    expect((await tokens({})).status).toBe(401);
    expect((await tokens({ cookie })).status).toBe(403);
    const foreign = { cookie, "csrf-token": csrf, origin: "https://evil.example" };
    expect((await tokens(foreign)).status).toBe(403);
    const given = await tokens({ cookie, "csrf-token": csrf });
    expect(await given.json()).toMatchObject({ kms: `kms ${USER}`, gms: `gms ${USER}`, mcx: `mcx ${USER}` });
    expect((await here.ask("GET", "/config.json")).status).toBe(401);
    const config = await here.ask("GET", "/config.json", { cookie });
    expect(await config.json()).toEqual({
      kms: { ...TALK.kms, via: "/talk/kms" },
      gms: TALK.gms,
      mcx: TALK.mcx,
      signIn: { development: "/talk/tokens" },
    });
  });

  it("reach the KMS by way of the console with the user's own token, as they are", async () => {
    const { origin } = here;
    const { cookie } = await here.signIn();
    const path = `/keymanagement/identity/v1/keyprov/${encodeURIComponent(USER)}`;
    const ask = (headers: Record<string, string>) =>
      fetch(`${origin}/talk/kms${path}`, { method: "POST", headers: { ...XML, ...headers }, body: "<a/>" });
    expect((await ask({ origin })).status).toBe(401);
    expect((await ask({ origin: "https://evil.example", cookie })).status).toBe(403);
    const answer = await ask({ origin, cookie });
    expect(answer.status).toBe(202);
    expect(await answer.text()).toBe(`<asked path="${path}" by="${XML.authorization}"><a/></asked>`);
  });

  it("widen the policy of the page by workers and the microphone, and of the two workers by their servers", async () => {
    const page = await here.ask("GET", "/");
    expect(policyOf(page)).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "connect-src 'self'",
        "require-trusted-types-for 'script'",
        "trusted-types default",
      ]),
    );
    expect(page.headers.get("permissions-policy")).toContain("microphone=(self)");
    for (const worker of ["/keys-worker.js", "/media-worker.js"]) {
      const policy = policyOf(await here.ask("GET", worker));
      expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval'");
      expect(policy).toContain(
        "connect-src 'self' ws://127.0.0.1:9001/sip ws://127.0.0.1:9002/sip ws://127.0.0.1:9003",
      );
    }
    expect((await here.ask("GET", "/fma.wasm")).headers.get("content-type")).toBe("application/wasm");
  });
});

describe("calls from the console with an OpenID Connect server", () => {
  let here: ConsoleWorld;
  beforeAll(async () => {
    here = await consoleWorld({ config: { dispatcher: ISSUER }, talk: TALK });
  });
  afterAll(() => here?.close());

  it("have no development tokens", async () => {
    const { cookie, csrf } = await here.signIn();
    const headers = { origin: here.origin, cookie, "csrf-token": csrf };
    expect((await here.ask("POST", "/talk/tokens", headers, { user: USER })).status).toBe(404);
    const config = (await (await here.ask("GET", "/config.json", { cookie })).json()) as { signIn: object };
    expect(config.signIn).toEqual(ISSUER);
    const policy = policyOf(await here.ask("GET", "/keys-worker.js"));
    expect(policy.find((part) => part.startsWith("connect-src"))).toContain(" https://idms.example.org");
  });

  it("let the server send the browser back to the page, and nothing else come from there", async () => {
    const back = {
      "sec-fetch-site": "cross-site",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "document",
    };
    // `fetch` of Node.js has a mode of its own.
    const look = (path: string, headers: Record<string, string>) =>
      new Promise<number>((resolve, reject) => {
        get(new URL(path, here.origin), { headers }, (answer) => {
          answer.resume();
          resolve(answer.statusCode!);
        }).on("error", reject);
      });
    expect(await look("/?code=a&state=b", back)).toBe(200);
    expect(await look("/", { ...back, "sec-fetch-dest": "iframe" })).toBe(403);
    expect(await look("/", { ...back, "sec-fetch-mode": "no-cors" })).toBe(403);
    expect(await look("/session", back)).toBe(403);
    expect(await look("/config.json", back)).toBe(403);
  });
});

describe("a console without calls", () => {
  it("starts no worker, has no microphone and gives no tokens", async () => {
    const here = await consoleWorld();
    const { cookie, csrf } = await here.signIn();
    const page = await here.ask("GET", "/");
    expect(policyOf(page)).toContain("trusted-types 'none'");
    expect(policyOf(page).join()).not.toContain("worker-src");
    expect(page.headers.get("permissions-policy")).toContain("microphone=()");
    const headers = { origin: here.origin, cookie, "csrf-token": csrf };
    expect((await here.ask("GET", "/config.json", { cookie })).status).toBe(404);
    expect((await here.ask("POST", "/talk/tokens", headers, { user: USER })).status).toBe(404);
    await here.close();
  });
});

describe("the configuration of calls from the console", () => {
  const faultOf = (dispatcher: object, more: object = {}) => {
    try {
      parseConsoleConfig({ dispatcher, ...more });
      return "none";
    } catch (error) {
      return String(error);
    }
  };

  it("takes an issuer with a client, or development tokens on a loopback address", () => {
    expect(faultOf(ISSUER)).toBe("none");
    expect(faultOf({ developmentTokens: true })).toBe("none");
    expect(faultOf({})).toContain("console.dispatcher: needs issuer and clientId, or developmentTokens");
    expect(faultOf({ issuer: ISSUER.issuer })).toContain("needs issuer and clientId");
    expect(faultOf({ ...ISSUER, developmentTokens: true })).toContain("exclude each other");
    const origin = "https://console.example.org";
    expect(faultOf({ developmentTokens: true }, { origin })).toContain(
      "console.dispatcher.developmentTokens: the console must be on a loopback address",
    );
    expect(faultOf({ ...ISSUER, issuer: "idms" })).toContain("console.dispatcher.issuer: ");
  });
});
