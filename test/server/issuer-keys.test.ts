/** Keys of a token issuer that goes away, comes back with other keys, or answers with something else. */
import { readdir, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { FileIssuerKeys } from "../../cli/server/issuer-keys.ts";
import type { IssuerKeyStore } from "../../roles/server/issuer-keys.ts";
import { IssuerStates, issuerMetrics } from "../../roles/server/issuer-metrics.ts";
import type { ServerLog } from "../../roles/server/log.ts";
import { tokenConfigSchema } from "../../roles/server/token-config.ts";
import { TokenRefusal } from "../../roles/server/token-refusal.ts";
import { createTokenVerifier, type TokenVerifierOptions } from "../../roles/server/tokens.ts";
import { temporaryFolder } from "../cli/run-cli.ts";
import { NOW } from "../support/names.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const GRACE_S = 4 * 3600;
const ISSUER = "https://idms.example.org";
const SCOPE = "3gpp:mc:ptt_key_management_service";

interface IssuerKey {
  readonly jwk: JWK;
  token(): Promise<string>;
}

async function makeKey(kid: string): Promise<IssuerKey> {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const claims = {
    iss: ISSUER,
    aud: "kms",
    exp: NOW / 1000 + 30 * 86_400,
    scope: SCOPE,
    mcptt_id: "sip:a@b",
  };
  return {
    jwk: { ...(await exportJWK(publicKey)), kid, alg: "ES256" },
    token: () => new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid }).sign(privateKey),
  };
}

let one: IssuerKey;
let two: IssuerKey;

beforeAll(async () => {
  [one, two] = [await makeKey("one"), await makeKey("two")];
});

/** A server with a JWK Set. While it is away, connections end without an answer. */
class Issuer {
  body = "";
  asked = 0;
  #isAway = false;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.asked++;
      if (this.#isAway) request.socket.destroy();
      else response.end(this.body);
    });
  }

  static async start(...keys: IssuerKey[]): Promise<Issuer> {
    const issuer = new Issuer();
    issuer.comeBack(...keys);
    const server = issuer.#server;
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    onTestFinished(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return issuer;
  }

  get jwksUri(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/jwks`;
  }

  comeBack(...keys: IssuerKey[]): void {
    this.body = JSON.stringify({ keys: keys.map(({ jwk }) => jwk) });
    this.#isAway = false;
  }

  goAway(): void {
    this.#isAway = true;
  }
}

/** Code of the refusal of a token with that key, so long after the start, or "accepted". */
type Outcome = (key: IssuerKey, after: number) => Promise<string>;

function verifier({ jwksUri }: Issuer, options: TokenVerifierOptions = {}, jwksGrace = GRACE_S): Outcome {
  const config = { issuer: ISSUER, audience: "kms", jwksUri, jwksGrace };
  const { verify } = createTokenVerifier(tokenConfigSchema({ [SCOPE]: ["mcptt_id"] }).parse(config), options);
  return async (key, after) => {
    try {
      await verify(`Bearer ${await key.token()}`, NOW + after);
      return "accepted";
    } catch (error) {
      if (error instanceof TokenRefusal) return error.code;
      throw error;
    }
  };
}

it("keys of an unreachable issuer still count, until its grace is over or it returns with other keys", async () => {
  const issuer = await Issuer.start(one);
  const outcome = verifier(issuer);
  expect(await outcome(one, 0)).toBe("accepted");
  issuer.goAway();
  // Within ten minutes nobody has to know.
  expect(await outcome(one, 9 * MINUTE)).toBe("accepted");
  expect(await outcome(one, 11 * MINUTE)).toBe("accepted");
  expect(await outcome(one, 4 * HOUR - 1)).toBe("accepted");
  expect(await outcome(one, 4 * HOUR)).toBe("TOKENS_UNAVAILABLE");
  issuer.comeBack(two);
  expect(await outcome(two, 4 * HOUR + 1)).toBe("accepted");
  expect(await outcome(one, 4 * HOUR + 2)).toBe("TOKEN_INVALID");
});

it("a key that the issuer has withdrawn counts no longer once the issuer is back", async () => {
  const issuer = await Issuer.start(one);
  const outcome = verifier(issuer);
  await outcome(one, 0);
  issuer.goAway();
  expect(await outcome(one, HOUR)).toBe("accepted");
  issuer.comeBack(two);
  // The issuer is asked again after the failure, while requests with a known key do not wait for the answer.
  expect(await outcome(two, HOUR + 31_000)).toBe("accepted");
  expect(await outcome(one, HOUR + 32_000)).toBe("TOKEN_INVALID");
});

it("an unknown key is no fault of the token while the issuer is unreachable", async () => {
  const issuer = await Issuer.start(one);
  const outcome = verifier(issuer);
  await outcome(one, 0);
  issuer.goAway();
  expect(await outcome(two, MINUTE)).toBe("TOKENS_UNAVAILABLE");
  expect(await outcome(two, HOUR)).toBe("TOKENS_UNAVAILABLE");
  expect(await outcome(one, HOUR)).toBe("accepted");
});

it("an unreachable issuer is asked at most every 30 seconds", async () => {
  const issuer = await Issuer.start(one);
  const outcome = verifier(issuer);
  await outcome(one, 0);
  issuer.body = "503, come back later";
  await outcome(two, MINUTE);
  const asked = issuer.asked;
  for (let i = 1; i < 30; i++) expect(await outcome(two, MINUTE + i * 1000)).toBe("TOKENS_UNAVAILABLE");
  expect(issuer.asked).toBe(asked);
  await outcome(two, MINUTE + 30_000);
  expect(issuer.asked).toBe(asked + 1);
});

it("a key to which the issuer has just changed is fetched at once, for all requests together", async () => {
  const issuer = await Issuer.start(one);
  const outcome = verifier(issuer);
  expect(await outcome(one, 0)).toBe("accepted");
  issuer.comeBack(one, two);
  const many = await Promise.all(Array.from({ length: 20 }, (_, i) => outcome(two, 1 + i)));
  expect(new Set(many)).toEqual(new Set(["accepted"]));
  expect(issuer.asked).toBe(2);
});

it("unknown keys make the server ask the issuer once in ten seconds, and are no fault of the token in between", async () => {
  const issuer = await Issuer.start(one);
  const outcome = verifier(issuer);
  const stranger = () => makeKey(`kid of ${Math.random()}`);
  // The keys were fetched for it.
  expect(await outcome(await stranger(), 0)).toBe("TOKEN_INVALID");
  expect(issuer.asked).toBe(1);
  expect(await outcome(await stranger(), 1000)).toBe("TOKEN_INVALID");
  expect(issuer.asked).toBe(2);
  for (let at = 1100; at < 11_000; at += 900)
    expect(await outcome(await stranger(), at)).toBe("TOKENS_UNAVAILABLE");
  expect(await outcome(one, 10_000)).toBe("accepted");
  expect(issuer.asked).toBe(2);
  issuer.comeBack(one, two);
  expect(await outcome(two, 10_999)).toBe("TOKENS_UNAVAILABLE");
  expect(await outcome(two, 11_000)).toBe("accepted");
  expect(issuer.asked).toBe(3);
});

it.each([
  ["no JSON", "<html>"],
  ["no JWK Set", '{"keys":{}}'],
  ["more than is read", JSON.stringify({ keys: [], filler: "x".repeat(300_000) })],
])("an issuer's answer with %s replaces no keys", async (_, body) => {
  const issuer = await Issuer.start(one);
  const outcome = verifier(issuer);
  await outcome(one, 0);
  issuer.body = body;
  expect(await outcome(two, HOUR)).toBe("TOKENS_UNAVAILABLE");
  expect(await outcome(one, HOUR)).toBe("accepted");
});

it("a grace of 0 leaves the issuer's keys the ten minutes between two fetches", async () => {
  const issuer = await Issuer.start(one);
  const outcome = verifier(issuer, {}, 0);
  await outcome(one, 0);
  issuer.goAway();
  expect(await outcome(one, 10 * MINUTE - 1)).toBe("accepted");
  expect(await outcome(one, 10 * MINUTE)).toBe("TOKENS_UNAVAILABLE");
});

it("a clock that was set back does not make an issuer's keys count longer than the grace", async () => {
  const issuer = await Issuer.start(one);
  const outcome = verifier(issuer);
  await outcome(one, 0);
  issuer.goAway();
  expect(await outcome(one, -HOUR)).toBe("accepted");
  expect(await outcome(one, -5 * HOUR)).toBe("TOKENS_UNAVAILABLE");
});

it("keys of an unreachable issuer count after a restart, as far as its grace goes", async () => {
  const issuer = await Issuer.start(one);
  const folder = join(await temporaryFolder(), "issuer-keys");
  const started = () => verifier(issuer, { issuerKeys: new FileIssuerKeys(folder) });
  expect(await started()(one, 0)).toBe("accepted");
  issuer.goAway();
  const outcome = started();
  expect(await outcome(one, HOUR)).toBe("accepted");
  expect(await outcome(one, 4 * HOUR)).toBe("TOKENS_UNAVAILABLE");
  issuer.comeBack(two);
  const back = started();
  expect(await back(one, 5 * HOUR)).toBe("TOKEN_INVALID");
  issuer.goAway();
  expect(await started()(two, 6 * HOUR)).toBe("accepted");
});

it("the log says once that the issuer is unreachable, and once that it is back", async () => {
  const lines: string[] = [];
  const at = (level: string) => (_facts: object, text: string) => void lines.push(`${level}: ${text}`);
  const log: ServerLog = { debug() {}, info: at("info"), warn: at("warn"), error: at("error") };
  const issuer = await Issuer.start(one);
  const issuers = new IssuerStates();
  const outcome = verifier(issuer, { log, issuers });
  const metrics = issuerMetrics(issuers);
  const up = async () => (await metrics()).split("\n").find((line) => line.includes(issuer.jwksUri));
  await outcome(one, 0);
  expect(await up()).toMatch(/ 1$/);
  issuer.goAway();
  for (let hour = 1; hour < 4; hour++) await outcome(two, hour * HOUR);
  expect(lines).toEqual(["error: the keys of the token issuer cannot be fetched"]);
  expect(await up()).toMatch(/ 0$/);
  issuer.comeBack(two);
  expect(await outcome(two, 4 * HOUR)).toBe("accepted");
  expect(lines.slice(1)).toEqual(["info: keys of the token issuer: it works again"]);
  expect(await up()).toMatch(/ 1$/);
});

it("a store of issuer keys that cannot be read or written is reported, and tokens are still checked", async () => {
  const lines: string[] = [];
  const log: ServerLog = { debug() {}, info() {}, warn() {}, error: (_, text) => void lines.push(text) };
  const broken = async () => {
    throw new Error("broken");
  };
  const issuerKeys: IssuerKeyStore = { read: broken, write: broken };
  const issuer = await Issuer.start(one);
  const outcome = verifier(issuer, { issuerKeys, log });
  expect(await outcome(one, 0)).toBe("accepted");
  issuer.goAway();
  expect(await verifier(issuer, { issuerKeys, log })(one, 0)).toBe("TOKENS_UNAVAILABLE");
  expect(lines).toEqual([
    "the keys of the token issuer cannot be kept",
    "the last known keys of the token issuer cannot be read",
    "the keys of the token issuer cannot be fetched",
  ]);
});

it.each([
  "",
  "{}",
  "null",
  '{"jwksUri":"URI","fetchedAt":"now","jwks":{}}',
  '{"jwksUri":"other","fetchedAt":1}',
])("a file with %j in place of the last known keys is reported as damaged, with its name", async (text) => {
  const folder = await temporaryFolder();
  const keys = new FileIssuerKeys(folder);
  const jwksUri = "https://idms.example.org/jwks";
  expect(await keys.read(jwksUri)).toBeUndefined();
  await keys.write(jwksUri, { fetchedAt: NOW, jwks: { keys: [] } });
  const [name] = await readdir(folder);
  await writeFile(join(folder, name!), text.replace("URI", jwksUri));
  await expect(keys.read(jwksUri)).rejects.toMatchObject({
    code: "ISSUER_KEYS_FILE",
    message: expect.stringContaining(name!),
  });
});
