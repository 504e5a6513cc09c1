/** Keys that a token may request: its user's, or those of the server to which the token belongs. */
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { parseKmsConfig } from "../../roles/kms/common/config.ts";
import { permittedIdentities } from "../../roles/kms/common/permitted.ts";
import { createTokenVerifier, type TokenFacts } from "../../roles/server/tokens.ts";
import { NOW } from "../support/names.ts";

const PTT = "3gpp:mc:ptt_key_management_service";
const DATA = "3gpp:mc:data_key_management_service";
const ALICE = "sip:alice@example.org";

/** Returns what a verifier reads out of a token with these claims. */
async function factsOf(claims: JWTPayload): Promise<TokenFacts> {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const tokens = { issuer: "idms", audience: "kms", jwks: { keys: [{ ...(await exportJWK(publicKey)) }] } };
  const token = await new SignJWT({ iss: "idms", aud: "kms", exp: NOW / 1000 + 60, scope: PTT, ...claims })
    .setProtectedHeader({ alg: "ES256" })
    .sign(privateKey);
  const config = parseKmsConfig({ kmsUri: "kms.example.org", tokens }).tokens!;
  return createTokenVerifier(config).verify(`Bearer ${token}`, NOW);
}

describe("the server identities of a token", () => {
  const gms = { uri: "sip:gms@example.org", kind: "gms" as const, clientId: "gms-1" };
  const user = { identities: [ALICE], scopes: [PTT], ofUser: true };

  it("belong to a token of the server's client", () => {
    const token = { identities: [], scopes: [PTT], ofUser: false, clientId: "gms-1" };
    expect(permittedIdentities(token, [gms])).toEqual(["sip:gms@example.org"]);
    expect(permittedIdentities(user, [gms])).toEqual([ALICE]);
  });

  it("do not belong to a user who logged in through the server's client", async () => {
    expect(permittedIdentities({ ...user, clientId: "gms-1" }, [gms])).toEqual([ALICE]);
    // Also where no scope stands for the claim that the user has.
    const other = await factsOf({ client_id: "gms-1", scope: DATA, mcptt_id: ALICE });
    expect(other).toMatchObject({ identities: [], clientId: "gms-1" });
    expect(permittedIdentities(other, [gms])).toEqual([]);
    const own = await factsOf({ client_id: "gms-1" });
    expect(permittedIdentities(own, [gms])).toEqual(["sip:gms@example.org"]);
    const authorized = await factsOf({ azp: "gms-1" });
    expect(permittedIdentities(authorized, [gms])).toEqual([]);
  });

  it("belong to a user's token to which the issuer gave the server's scope", () => {
    const scoped = { ...gms, scope: "kms:server" };
    const token = { ...user, clientId: "gms-1", scopes: [PTT, "kms:server"] };
    expect(permittedIdentities(token, [scoped])).toEqual([ALICE, "sip:gms@example.org"]);
    expect(permittedIdentities({ ...token, scopes: [PTT] }, [scoped])).toEqual([ALICE]);
  });

  it("are not given by a claim", () => {
    const claims = { ...user, identities: [ALICE, "sip:gms@example.org"] };
    expect(permittedIdentities(claims, [gms])).toEqual([ALICE]);
    expect(permittedIdentities({ ...claims, clientId: "another" }, [gms])).toEqual([ALICE]);
  });

  it("are given by scope, or by client and scope together", () => {
    const byScope = { uri: "sip:mcx@example.org", kind: "mcx-server" as const, scope: "kms:server" };
    const both = { ...byScope, clientId: "mcx-1" };
    const token = { identities: [], scopes: ["kms:server"], ofUser: false };
    expect(permittedIdentities(token, [byScope])).toEqual(["sip:mcx@example.org"]);
    expect(permittedIdentities(token, [both])).toEqual([]);
    expect(permittedIdentities({ ...token, clientId: "mcx-1" }, [both])).toEqual(["sip:mcx@example.org"]);
  });
});
