/** A real OpenID provider as identity management server: a person logs in, and our servers take the tokens (TS 33.180 annex B). */
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Provider from "oidc-provider";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LoginOptions, login } from "../../cli/device/login.ts";
import { kmsAudience } from "../../roles/kms/common/config.ts";
import { tokenConfigSchema } from "../../roles/server/token-config.ts";
import { createTokenVerifier } from "../../roles/server/tokens.ts";
import { ALICE } from "../support/names.ts";

const KMS = "kms.home.example";
const SCOPE = "3gpp:mc:ptt_key_management_service";

let server: Server;
let issuer: string;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "login-"));
  server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "mcptt_client",
        token_endpoint_auth_method: "none",
        application_type: "native",
        redirect_uris: ["http://127.0.0.1/callback"],
        grant_types: ["authorization_code", "refresh_token"],
      },
    ],
    scopes: ["openid", "offline_access"],
    findAccount: (_: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id }) }),
    features: {
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => `urn:${KMS}`,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: SCOPE, audience: KMS, accessTokenFormat: "jwt" }),
      },
    },
    extraTokenClaims: () => ({ mcptt_id: ALICE }),
    ttl: { AccessToken: 600 },
  });
  server.on("request", provider.callback());
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

/** The person and their browser: the pages of the provider, filled in and sent, with its cookies. */
async function browse(start: string): Promise<void> {
  const cookies = new Map<string, string>();
  let [url, init] = [start, {} as RequestInit];
  for (let steps = 0; steps < 20; steps++) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(url, { ...init, redirect: "manual", headers: { ...init.headers, cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [name = "", value = ""] = line.split(";")[0]!.split(/=(.*)/s);
      cookies.set(name, value);
    }
    const next = response.headers.get("location");
    if (next !== null) {
      [url, init] = [new URL(next, url).href, {}];
      continue;
    }
    const page = await response.text();
    const action = /<form[^>]* action="([^"]+)"/.exec(page)?.[1];
    if (action === undefined) return;
    const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1] ?? "login";
    const form = new URLSearchParams({
      prompt,
      ...(prompt === "login" && { login: "alice", password: "x" }),
    });
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    [url, init] = [new URL(action, url).href, { method: "POST", headers, body: form.toString() }];
  }
  throw new Error(`the provider has no end: ${url}`);
}

function optionsFor(name: string, changes: Partial<LoginOptions> = {}): LoginOptions & { shown: string[] } {
  const shown: string[] = [];
  return {
    issuer,
    clientId: "mcptt_client",
    scopes: ["openid", "offline_access", SCOPE],
    tokenFile: join(folder, name),
    port: 0,
    timeoutMs: 60_000,
    fetch,
    show(url) {
      shown.push(url);
      void browse(url);
    },
    shown,
    ...changes,
  };
}

const verifier = () => {
  const config = { issuer, audience: KMS, jwksUri: `${issuer}/jwks` };
  return createTokenVerifier(tokenConfigSchema(kmsAudience(KMS).scopes).parse(config));
};

describe("login at an OpenID provider", () => {
  it("gives a token that our servers take, in a file of its owner", async () => {
    const options = optionsFor("alice.token");
    const { expiresIn, refreshToken } = await login(options);
    expect([expiresIn, typeof refreshToken]).toEqual([600, "string"]);
    const token = await readFile(options.tokenFile, "utf8");
    expect(await verifier().verify(`Bearer ${token}`, Date.now())).toMatchObject({
      identities: [ALICE],
      clientId: "mcptt_client",
    });
    for (const file of [options.tokenFile, `${options.tokenFile}.refresh`]) {
      expect((await stat(file)).mode & 0o777).toBe(0o600);
    }
    // The verifier of PKCE does not leave the client before the code comes.
    expect(options.shown[0]).toMatch(/code_challenge=[\w-]{43}&code_challenge_method=S256/);
    expect(options.shown[0]).not.toContain("code_verifier");
  });

  it("needs no browser while the refresh token holds, and needs one again after that", async () => {
    const options = optionsFor("alice.token");
    const first = await readFile(options.tokenFile, "utf8");
    await login(options);
    expect(options.shown).toEqual([]);
    const second = await readFile(options.tokenFile, "utf8");
    expect(second).not.toBe(first);
    expect((await verifier().verify(`Bearer ${second}`, Date.now())).identities).toEqual([ALICE]);
    await writeFile(`${options.tokenFile}.refresh`, "of long ago");
    await login(options);
    expect(options.shown).toHaveLength(1);
  });

  it("survives a request without a URL to its listener", async () => {
    const asked: (number | undefined)[] = [];
    const options = optionsFor("odd.token", {
      async show(url) {
        const { hostname, port } = new URL(new URL(url).searchParams.get("redirect_uri")!);
        for (const path of ["//", "/callback/..//[", "*"]) {
          const sent = request({ hostname, port, path, agent: false }).end();
          const [answer] = (await once(sent, "response")) as [IncomingMessage];
          asked.push(answer.resume().statusCode);
        }
        await browse(url);
      },
    });
    await login(options);
    expect(asked).toEqual([404, 404, 404]);
  });

  it("accepts no answer to another request, and none of a server that refuses", async () => {
    const forged = optionsFor("forged", {
      show(url) {
        const redirect = new URL(url).searchParams.get("redirect_uri")!;
        void fetch(`${redirect}?code=abc&state=another`);
      },
    });
    await expect(login(forged)).rejects.toMatchObject({ code: "OIDC_STATE" });
    const withOtherNonce = (token: string) => {
      const [head, payload, signature] = token.split(".");
      const claims = JSON.parse(Buffer.from(payload!, "base64url").toString());
      const other = Buffer.from(JSON.stringify({ ...claims, nonce: "of another" })).toString("base64url");
      return [head, other, signature].join(".");
    };
    const changed = optionsFor("changed", {
      async fetch(url, init) {
        const response = await fetch(url, init);
        if (!url.endsWith("/token")) return response;
        const answer = (await response.json()) as { id_token: string };
        return Response.json({ ...answer, id_token: withOtherNonce(answer.id_token) });
      },
    });
    await expect(login(changed)).rejects.toMatchObject({ code: "OIDC_STATE" });
    const unknown = optionsFor("unknown", { scopes: ["openid", "of:nobody"], resource: "no absolute URI" });
    await expect(login(unknown)).rejects.toMatchObject({ code: "OIDC_FAILED" });
    await expect(login(optionsFor("x", { issuer: `${issuer}/other` }))).rejects.toMatchObject({
      code: "OIDC_FAILED",
    });
    await expect(login(optionsFor("x", { issuer: "http://idms.example.org" }))).rejects.toThrow("not https");
  });
});
