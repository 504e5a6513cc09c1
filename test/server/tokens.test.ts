import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { gmsAudience } from "../../roles/gms/common/config.ts";
import { kmsAudience } from "../../roles/kms/common/config.ts";
import { mcxAudience } from "../../roles/mcx/common/config.ts";
import { type TokenConfig, tokenConfigSchema } from "../../roles/server/token-config.ts";
import { TokenRefusal } from "../../roles/server/token-refusal.ts";
import { createTokenVerifier } from "../../roles/server/tokens.ts";
import { NOW } from "../support/names.ts";

const SECONDS = NOW / 1000;
const ISSUER = "https://idms.example.org";
const PTT = "3gpp:mc:ptt_key_management_service";
const DATA = "3gpp:mc:data_key_management_service";
const ALICE = "sip:alice@example.org";

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
let pair: Pair;
let other: Pair;
let jwk: Record<string, unknown>;

beforeAll(async () => {
  pair = await generateKeyPair("ES256", { extractable: true });
  other = await generateKeyPair("ES256", { extractable: true });
  jwk = { ...(await exportJWK(pair.publicKey)), kid: "one", alg: "ES256" };
});

const CLAIMS: JWTPayload = {
  iss: ISSUER,
  aud: "kms",
  exp: SECONDS + 60,
  mcptt_id: ALICE,
  mcdata_id: "sip:alice.data@example.org",
  scope: PTT,
};

function configOf(changes: Partial<TokenConfig> = {}): TokenConfig {
  const tokens = { issuer: ISSUER, audience: "kms", jwks: { keys: [jwk] }, ...changes };
  return tokenConfigSchema({ [PTT]: ["mcptt_id"], [DATA]: ["mcdata_id"] }).parse(tokens);
}

type Changes = { [K in keyof JWTPayload]: JWTPayload[K] | undefined };

function sign(changes: Changes = {}, key: Pair = pair, kid = "one"): Promise<string> {
  const claims = Object.fromEntries(
    Object.entries({ ...CLAIMS, ...changes }).filter(([, value]) => value !== undefined),
  );
  return new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid }).sign(key.privateKey);
}

const verify = async (authorization: string | undefined, config = configOf()) =>
  createTokenVerifier(config).verify(authorization, NOW);

async function refusalOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof TokenRefusal) return error.code;
    throw error;
  }
  return "none";
}

describe("access tokens", () => {
  it("prove the identity of the service that their scope is for, and no other", async () => {
    expect(await verify(`Bearer ${await sign()}`)).toMatchObject({ identities: [ALICE], scopes: [PTT] });
    const both = await sign({ scope: `openid ${DATA} ${PTT}` });
    expect((await verify(`bearer ${both}`)).identities).toEqual(["sip:alice.data@example.org", ALICE]);
  });

  it("have scopes in one string or in an array", async () => {
    expect((await verify(`Bearer ${await sign({ scope: ["openid", PTT] })}`)).identities).toEqual([ALICE]);
  });

  it("that repeat an identity name it once", async () => {
    const token = await sign({ scope: `${PTT} ${DATA}`, mcdata_id: ALICE });
    expect((await verify(`Bearer ${token}`)).identities).toEqual([ALICE]);
  });

  it.each(["aud", "kms2"])("may have the audience in an array: %s", async (extra) => {
    expect(await refusalOf(verify(`Bearer ${await sign({ aud: ["kms", extra] })}`))).toBe("none");
  });

  it("are accepted within the difference of clocks", async () => {
    const token = await sign({ exp: SECONDS - 4, nbf: SECONDS + 4 });
    expect(await refusalOf(verify(`Bearer ${token}`))).toBe("none");
  });

  describe("with the claims of TS 33.180 B.2.2 only", () => {
    const claims = { iss: undefined, aud: undefined, client_id: "mcptt_client" };
    const lenient = { requireIssuer: false, requireAudience: false };

    it("are accepted where the configuration permits", async () => {
      const token = await sign(claims);
      expect(await verify(`Bearer ${token}`, configOf(lenient))).toMatchObject({
        identities: [ALICE],
        clientId: "mcptt_client",
      });
      expect(await verify(`Bearer ${token}`, configOf({ ...lenient, audience: undefined }))).toBeDefined();
      for (const one of [{ requireIssuer: false }, { requireAudience: false }]) {
        expect(await refusalOf(verify(`Bearer ${token}`, configOf(one)))).toBe("TOKEN_INVALID");
      }
    });

    it.each([
      ["another issuer", { iss: "https://evil.example" }],
      ["an issuer that is no text", { iss: 1 as never }],
      ["another audience", { aud: "other" }],
      ["no end", { exp: undefined }],
    ])("are refused with %s all the same", async (_, change) => {
      const token = await sign({ ...claims, ...change });
      expect(await refusalOf(verify(`Bearer ${token}`, configOf(lenient)))).toBe("TOKEN_INVALID");
    });

    it("need an audience in the configuration, unless that waives it", () => {
      expect(() => configOf({ audience: undefined })).toThrow(/audience|requireAudience/);
    });
  });

  it("may have scopes under the name scp where there is no scope", async () => {
    const token = await sign({ scope: undefined, scp: ["openid", PTT] });
    expect((await verify(`Bearer ${token}`)).identities).toEqual([ALICE]);
    const both = await sign({ scope: "openid", scp: [PTT] });
    expect(await refusalOf(verify(`Bearer ${both}`))).toBe("WRONG_SCOPE");
  });

  it("may have the scope names of Release 13", () => {
    const names = [kmsAudience, gmsAudience, mcxAudience].flatMap((of) => Object.keys(of("sip:x").scopes));
    expect(names).toEqual(
      expect.arrayContaining([
        "3gpp:mcptt:key_management_server",
        "3gpp:mcptt:group_management_server",
        "3gpp:mcptt:ptt_server",
      ]),
    );
  });

  const bad: [string, Changes, string][] = [
    ["of another issuer", { iss: "https://evil.example" }, "TOKEN_INVALID"],
    ["without an issuer", { iss: undefined }, "TOKEN_INVALID"],
    ["for another audience", { aud: "other" }, "TOKEN_INVALID"],
    ["without an audience", { aud: undefined }, "TOKEN_INVALID"],
    ["expired", { exp: SECONDS - 6 }, "TOKEN_EXPIRED"],
    ["without an end", { exp: undefined }, "TOKEN_INVALID"],
    ["not valid yet", { nbf: SECONDS + 6 }, "TOKEN_INVALID"],
    ["without a scope", { scope: undefined }, "WRONG_SCOPE"],
    ["of another scope", { scope: "3gpp:mc:ptt_service openid" }, "WRONG_SCOPE"],
    ["of a scope that begins alike", { scope: `${PTT}_admin` }, "WRONG_SCOPE"],
    ["with a scope that objects have", { scope: "constructor" }, "WRONG_SCOPE"],
  ];
  it.each(bad)("%s are refused", async (_, changes, code) => {
    expect(await refusalOf(verify(`Bearer ${await sign(changes)}`))).toBe(code);
  });

  it("without a signature are refused", async () => {
    expect(await refusalOf(verify(`Bearer ${new UnsecuredJWT(CLAIMS).encode()}`))).toBe("TOKEN_INVALID");
  });

  it("signed by another key are refused, also under the name of the right one", async () => {
    expect(await refusalOf(verify(`Bearer ${await sign({}, other)}`))).toBe("TOKEN_INVALID");
    expect(await refusalOf(verify(`Bearer ${await sign({}, other, "two")}`))).toBe("TOKEN_INVALID");
  });

  it("changed by one character are refused", async () => {
    const [header, payload, signature] = (await sign()).split(".");
    const evil = Buffer.from(JSON.stringify({ ...CLAIMS, mcptt_id: "sip:eve@example.org" })).toString(
      "base64url",
    );
    expect(await refusalOf(verify(`Bearer ${header}.${evil}.${signature}`))).toBe("TOKEN_INVALID");
    expect(await refusalOf(verify(`Bearer ${header}.${payload}.${signature!.slice(0, -2)}AA`))).toBe(
      "TOKEN_INVALID",
    );
  });

  it("authenticated with the public key as shared secret are refused", async () => {
    const secret = new TextEncoder().encode(JSON.stringify(jwk));
    const token = await new SignJWT(CLAIMS).setProtectedHeader({ alg: "HS256", kid: "one" }).sign(secret);
    expect(await refusalOf(verify(`Bearer ${token}`))).toBe("TOKEN_INVALID");
  });

  it.each([undefined, "", "Bearer", "Basic YTpi", "Bearer a b"])(
    "are not found in the header value %j",
    async (authorization) => {
      expect(await refusalOf(verify(authorization))).toBe("TOKEN_MISSING");
    },
  );

  it("that are no JWT are refused", async () => {
    expect(await refusalOf(verify("Bearer abc"))).toBe("TOKEN_INVALID");
  });

  it("are checked with keys that the issuer serves", async () => {
    const server = createServer((_request, response) => response.end(JSON.stringify({ keys: [jwk] })));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    const config = configOf({ jwks: undefined, jwksUri: `http://127.0.0.1:${port}/jwks` });
    try {
      expect((await verify(`Bearer ${await sign()}`, config)).identities).toEqual([ALICE]);
    } finally {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
    // Nobody is to blame the token while its issuer is away.
    expect(await refusalOf(verify(`Bearer ${await sign()}`, config))).toBe("TOKENS_UNAVAILABLE");
  });

  it("are checked with the issuer's new key, and with the previous one until it is withdrawn", async () => {
    const next = { ...(await exportJWK(other.publicKey)), kid: "two", alg: "ES256" };
    let served = [jwk];
    let asked = 0;
    const fetch = async () => {
      asked++;
      return Response.json({ keys: served });
    };
    const config = configOf({ jwks: undefined, jwksUri: "https://idms.example.org/jwks" });
    const verifier = createTokenVerifier(config, { fetch });
    const exp = SECONDS + 3600;
    const outcome = async (key: Pair, kid: string, after: number) =>
      refusalOf(verifier.verify(`Bearer ${await sign({ exp }, key, kid)}`, NOW + after));
    expect(await outcome(pair, "one", 0)).toBe("none");
    served = [jwk, next];
    expect(await outcome(other, "two", 1000)).toBe("none");
    expect(asked).toBe(2);
    const later = 31_000;
    expect([await outcome(other, "two", later), await outcome(pair, "one", later)]).toEqual(["none", "none"]);
    expect(asked).toBe(2);
    served = [next];
    const last = later + 601_000;
    expect(await outcome(other, "two", last)).toBe("none");
    expect(await outcome(pair, "one", last)).toBe("TOKEN_INVALID");
  });

  it.each([404, 500])("cannot be checked when the issuer answers %i", async (status) => {
    const config = configOf({ jwks: undefined, jwksUri: "https://idms.example.org/jwks" });
    const verifier = createTokenVerifier(config, { fetch: async () => new Response("no", { status }) });
    expect(await refusalOf(verifier.verify(`Bearer ${await sign()}`, NOW))).toBe("TOKENS_UNAVAILABLE");
  });

  it("are not checked with keys fetched over plain HTTP from other machines", () => {
    const config = configOf({ jwks: undefined, jwksUri: "http://idms.example.org/jwks" });
    expect(() => createTokenVerifier(config)).toThrow(/https/);
  });
});
