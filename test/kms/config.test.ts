import { describe, expect, it } from "vitest";
import { MikeySakkeError } from "../../base/errors.ts";
import { type KmsConfigInput, parseKmsConfig } from "../../roles/kms/common/config.ts";

const TOKENS = {
  issuer: "https://idms.example.org",
  audience: "kms",
  jwksUri: "https://idms.example.org/jwks",
};

function faultOf(config: unknown): string {
  try {
    parseKmsConfig(config);
  } catch (error) {
    if (error instanceof MikeySakkeError && error.code === "BAD_CONFIG") return error.message;
    throw error;
  }
  return "none";
}

describe("the KMS configuration", () => {
  it("needs nothing but a KmsUri", () => {
    expect(parseKmsConfig({ kmsUri: "kms.example.org" })).toMatchObject({
      listen: { host: "127.0.0.1", port: 8443 },
      admin: { host: "127.0.0.1", port: 8444 },
      userKeyPeriod: 2592000,
      userKeyOffset: 0,
      policy: { periodsAhead: 1, periodsBack: 1, autoEnrol: true, requestMaxAge: 5, requireSignature: false },
      limits: { bodyBytes: 65536 },
    });
  });

  it("has default scopes for the three services, and the Rel-13 scope", () => {
    const { tokens } = parseKmsConfig({ kmsUri: "kms.example.org", tokens: TOKENS });
    expect(Object.keys(tokens!.scopes)).toEqual([
      "3gpp:mc:ptt_key_management_service",
      "3gpp:mc:video_key_management_service",
      "3gpp:mc:data_key_management_service",
      "3gpp:mcptt:key_management_server",
    ]);
  });

  const faults: [string, Partial<Record<keyof KmsConfigInput, unknown>>, RegExp][] = [
    ["no KmsUri", { kmsUri: undefined }, /kmsUri/],
    ["an unknown key", { kmsURL: "x" } as never, /kmsURL/],
    ["an unknown key further down", { policy: { requireSignatures: true } }, /policy: .*requireSignatures/],
    ["a port out of range", { listen: { port: 65536 } }, /listen\.port/],
    ["an offset of a period", { userKeyPeriod: 3600, userKeyOffset: 3600 }, /userKeyOffset/],
    ["an admin listener that others reach", { admin: { host: "0.0.0.0" } }, /admin\.host/],
    ["tokens without keys", { tokens: { ...TOKENS, jwksUri: undefined } }, /jwksUri or jwks/],
    ["tokens with both kinds of keys", { tokens: { ...TOKENS, jwks: { keys: [{}] } } }, /jwksUri or jwks/],
    ["a shared-secret algorithm", { tokens: { ...TOKENS, algorithms: ["HS256"] } }, /algorithms/],
    ["no algorithm", { tokens: { ...TOKENS, algorithms: ["none"] } }, /algorithms/],
    [
      "a server that any token may be",
      { servers: [{ uri: "sip:gms@example.org", kind: "gms" }] },
      /servers\.0/,
    ],
    ["an origin of another scheme", { urls: ["ftp://kms.example.org"] }, /urls\.0/],
  ];
  it.each(faults)("is refused with %s", (_, changes, text) => {
    expect(faultOf({ kmsUri: "kms.example.org", ...changes })).toMatch(text);
  });

  it("is refused with every fault at once", () => {
    expect(faultOf({ kmsUri: "", listen: { port: -1 }, workers: 1.5 })).toMatch(
      /kmsUri.*listen\.port.*workers/,
    );
  });
});
