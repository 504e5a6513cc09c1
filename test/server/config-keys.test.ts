/** Keys of configurations as variables of the environment. */
import { describe, expect, it } from "vitest";
import { gmsConfigSchema, parseGmsConfig } from "../../roles/gms/common/config.ts";
import { kmsConfigSchema, parseKmsConfig } from "../../roles/kms/common/config.ts";
import { configKeys, shownDefault, variableOf, withEnvironment } from "../../roles/server/config-keys.ts";

const GMS = "MIKEY_SAKKE_GMS";
const given = { gmsUri: "sip:gms@example.org", kmsUri: "kms.example.org" };

function configured(environment: Record<string, string>, config: object = given) {
  return parseGmsConfig(withEnvironment(config, gmsConfigSchema, GMS, environment));
}

describe.each([
  ["GMS", gmsConfigSchema, parseGmsConfig(given)],
  ["KMS", kmsConfigSchema, parseKmsConfig({ kmsUri: "kms.example.org" })],
] as const)("the configuration keys of the %s", (_, schema, parsed) => {
  it("have an environment variable each", () => {
    const names = configKeys(schema).map(({ path }) => variableOf("P", path));
    expect(names.length).toBeGreaterThan(30);
    expect(new Set(names).size).toBe(names.length);
  });

  it("have the defaults that an empty configuration gets", () => {
    for (const { path, default: value, required } of configKeys(schema)) {
      const found = path.reduce<unknown>(
        (at, key) => (at as Record<string, unknown> | undefined)?.[key],
        parsed,
      );
      if (found !== undefined && !required) expect(found, path.join(".")).toEqual(value);
    }
  });
});

it.each([
  ["kmsUri", "needed"],
  ["tls.certFile", "needed with `tls`"],
  ["tokens.issuer", "needed with `tokens`"],
  ["tokens.jwksUri", ""],
  ["tokens.jwks.keys", "needed with `tokens.jwks`"],
  ["listen.port", "`8445`"],
])("the documents show for %s of a GMS that it is %j", (name, shown) => {
  const key = configKeys(gmsConfigSchema).find(({ path }) => path.join(".") === name)!;
  expect(shownDefault(key)).toBe(shown);
});

describe("the environment of a server", () => {
  it("overrides the configuration, in each kind of value", () => {
    const config = configured(
      {
        MIKEY_SAKKE_GMS_GMS_URI: "sip:other@example.org",
        MIKEY_SAKKE_GMS_LISTEN_PORT: "9000",
        MIKEY_SAKKE_GMS_POLICY_TO_SELF: "true",
        MIKEY_SAKKE_GMS_EXTERNAL_KMS: "kms.a.example, kms.b.example",
        MIKEY_SAKKE_GMS_SIP_TCP_PORT: "5070",
        MIKEY_SAKKE_GMS_TOKENS_ISSUER: "https://idms.example.org",
        MIKEY_SAKKE_GMS_TOKENS_AUDIENCE: "sip:gms@example.org",
        MIKEY_SAKKE_GMS_TOKENS_JWKS_KEYS: '[{"kty":"EC"}]',
        MIKEY_SAKKE_STORE_KEY: "of another kind",
      },
      { ...given, listen: { host: "::1", port: 1 } },
    );
    expect(config).toMatchObject({
      gmsUri: "sip:other@example.org",
      listen: { host: "::1", port: 9000 },
      policy: { toSelf: true },
      externalKms: ["kms.a.example", "kms.b.example"],
      sip: { tcpPort: 5070, host: "127.0.0.1" },
      tokens: { audience: ["sip:gms@example.org"], jwks: { keys: [{ kty: "EC" }] } },
    });
  });

  it("leaves the given configuration unchanged", () => {
    const config = { ...given, limits: { chunkSize: 5 } };
    configured({ MIKEY_SAKKE_GMS_LIMITS_CHUNK_SIZE: "7" }, config);
    expect(config.limits.chunkSize).toBe(5);
  });

  it.each([
    ["MIKEY_SAKKE_GMS_LIMIT_CHUNK_SIZE", "7"],
    ["MIKEY_SAKKE_GMS_LIMITS_CHUNK_SIZE", "seven"],
    ["MIKEY_SAKKE_GMS_LIMITS_CHUNK_SIZE", ""],
    ["MIKEY_SAKKE_GMS_POLICY_TO_SELF", "yes"],
    ["MIKEY_SAKKE_GMS_TOKENS_SCOPES", "{"],
  ])("is refused with %s=%s, by name and without the value", (name, value) => {
    expect(() => configured({ [name]: value })).toThrow(
      expect.objectContaining({
        kind: "usage",
        code: "BAD_ENVIRONMENT",
        message: expect.stringContaining(name),
      }),
    );
  });
});
