/** Tests what of a configuration changes in a server that runs. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { GMS_RELOADABLE, gmsConfigSchema, parseGmsConfig } from "../../roles/gms/common/config.ts";
import { KMS_RELOADABLE, kmsConfigSchema } from "../../roles/kms/common/config.ts";
import { MCX_RELOADABLE, mcxConfigSchema } from "../../roles/mcx/common/config.ts";
import { configKeys } from "../../roles/server/config-keys.ts";
import { LOG_RELOADABLE, logConfigSchema } from "../../roles/server/log-config.ts";
import { ReplaceableVerifier, reconfiguration } from "../../roles/server/reconfigure.ts";

const ISSUER = { issuer: "https://one.example", audience: "gms", jwksUri: "https://one.example/jwks" };

const parsed = (changes: object = {}) =>
  parseGmsConfig({ gmsUri: "sip:gms@example.org", kmsUri: "kms.example.org", tokens: ISSUER, ...changes });

type Config = ReturnType<typeof parsed>;

/** A verifier whose facts name the issuer by which it was made. */
const verifierOf = ({ tokens }: Config) => {
  if (tokens?.issuer === "unfit") throw new Error("unfit");
  return { verify: async () => ({ identities: [tokens!.issuer], ofUser: false, scopes: [] }) };
};

function running(config = parsed()) {
  let made = 0;
  const tokens = new ReplaceableVerifier((of: Config) => {
    made++;
    return verifierOf(of);
  }, config);
  const to = (next: Config) =>
    reconfiguration({ schema: gmsConfigSchema, reloadable: GMS_RELOADABLE, config, tokens }, next);
  const issuer = async () => (await tokens.verify(undefined, 0)).identities[0];
  return { config, to, issuer, made: () => made };
}

it("changeable settings take effect when they are applied, for every holder of the configuration", async () => {
  const { config, to, issuer } = running();
  const { limits } = config;
  const { changed, fixed, apply } = to(
    parsed({
      tokens: { issuer: "https://two.example", requireAudience: false, jwks: { keys: [{ kty: "EC" }] } },
      policy: { revokeGrace: 5 },
      groupCreators: ["sip:alice@example.org"],
      limits: { inFlight: 7 },
    }),
  );
  expect(fixed).toEqual([]);
  expect(changed).toEqual([
    "groupCreators",
    "tokens.issuer",
    "tokens.audience",
    "tokens.requireAudience",
    "tokens.jwksUri",
    "tokens.jwks.keys",
    "policy.revokeGrace",
    "limits.inFlight",
  ]);
  expect([config.policy.revokeGrace, limits.inFlight, await issuer()]).toEqual([30, 256, ISSUER.issuer]);
  apply();
  expect([config.policy.revokeGrace, limits.inFlight, await issuer()]).toEqual([5, 7, "https://two.example"]);
  expect(config.tokens).not.toHaveProperty("audience");
  // And back: what is left out has its default again.
  to(parsed()).apply();
  expect(config).toEqual(parsed());
  expect(await issuer()).toBe(ISSUER.issuer);
});

it("keys that the issuer has withdrawn are forgotten, even if the configuration is unchanged", () => {
  const { to, made } = running();
  const { changed, apply } = to(parsed());
  apply();
  expect([changed, made()]).toEqual([[], 2]);
});

it("fixed settings that differ are reported and stay as they were", () => {
  const { config, to } = running();
  const sip = { udpPort: 5060, tcpPort: 5060 };
  const next = parsed({ listen: { port: 1 }, sip, limits: { pollMs: 9, inFlight: 7 } });
  const { changed, fixed, apply } = to(next);
  expect(changed).toEqual(["limits.inFlight"]);
  expect(fixed).toEqual(expect.arrayContaining(["listen.port", "sip.udpPort", "limits.pollMs"]));
  apply();
  expect(config).toEqual(parsed({ limits: { inFlight: 7 } }));
});

it("a server with development tokens does not become one with an issuer, nor vice versa", () => {
  expect(running().to(parsed({ tokens: undefined }))).toMatchObject({ changed: [], fixed: ["tokens"] });
});

it("an invalid issuer changes nothing", async () => {
  const { config, to, issuer } = running();
  const next = parsed({ tokens: { ...ISSUER, issuer: "unfit" }, policy: { revokeGrace: 5 } });
  expect(() => to(next)).toThrow("unfit");
  expect(config).toEqual(parsed());
  expect(await issuer()).toBe(ISSUER.issuer);
});

const DOCUMENT = readFileSync(new URL("../../docs/reload.md", import.meta.url), "utf8");

it.each([
  ["KMS", KMS_RELOADABLE, kmsConfigSchema],
  ["GMS, under `gms`", GMS_RELOADABLE, gmsConfigSchema],
  ["MCX server, under `mcx`", MCX_RELOADABLE, mcxConfigSchema],
  ["all, under `log`", LOG_RELOADABLE, logConfigSchema],
] as const)("docs/reload.md names the changeable settings of: %s", (name, reloadable, schema) => {
  const row = DOCUMENT.split("\n").find((line) => line.startsWith(`| ${name} | `))!;
  const named = Array.from(row.slice(name.length + 4).matchAll(/`([\w.]+?)(\.\*)?`/g));
  expect(named.map(([, key]) => key)).toEqual(reloadable);
  const keys = configKeys(schema).map(({ path }) => path.join("."));
  for (const [, key, all] of named) {
    if (all === undefined) expect(keys).toContain(key);
    else expect(keys.filter((one) => one.startsWith(`${key}.`)).length, key).toBeGreaterThan(1);
  }
});
