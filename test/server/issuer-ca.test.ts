/** A token issuer whose certificate is of an authority that only the configuration names. */
import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { expect, it, onTestFinished } from "vitest";
import { selfSigned } from "../../cli/server/self-signed.ts";
import { tokenConfigSchema } from "../../roles/server/token-config.ts";
import { createTokenVerifier } from "../../roles/server/tokens.ts";
import { temporaryFolder } from "../cli/run-cli.ts";

const ISSUER = "https://idms.example.org";
const SCOPE = "3gpp:mc:ptt_key_management_service";
const base = { issuer: ISSUER, audience: "kms" };
const schema = tokenConfigSchema({ [SCOPE]: ["mcptt_id"] });
const newPair = () => selfSigned(["localhost"], Date.now(), 1);

async function startIssuer({ certificate: cert, key }: ReturnType<typeof newPair>) {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const keys = [await exportJWK(publicKey)];
  const server: Server = createServer({ cert, key }, (_, response) => response.end(JSON.stringify({ keys })));
  await new Promise<void>((done) => void server.listen(0, "localhost", done));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
  const token = await new SignJWT({ scope: SCOPE, mcptt_id: "sip:a@b" })
    .setProtectedHeader({ alg: "ES256" })
    .setIssuer(ISSUER)
    .setAudience("kms")
    .setExpirationTime("1h")
    .sign(privateKey);
  return { server, jwksUri: `https://localhost:${(server.address() as AddressInfo).port}/jwks`, token };
}

it("a token issuer is trusted by the file tokens.caFile, and by nothing else", async () => {
  const pair = newPair();
  const { server, jwksUri, token } = await startIssuer(pair);
  const caFile = join(await temporaryFolder(), "ca.pem");
  await writeFile(caFile, pair.certificate);
  /** Returns the identities of the first token that a server is asked to verify, or why it refuses. */
  const outcome = (trusted: object) =>
    createTokenVerifier(schema.parse({ ...base, jwksUri, ...trusted }))
      .verify(`Bearer ${token}`, Date.now())
      .then(
        ({ identities }) => identities,
        ({ code, detail }) => `${code}: ${detail}`,
      );
  expect(await outcome({ caFile })).toEqual(["sip:a@b"]);
  expect(await outcome({})).toMatch(/^TOKENS_UNAVAILABLE: .*self-signed certificate/);

  // The issuer changes its certificate: the file counts as it is at the next request.
  const renewed = newPair();
  server.setSecureContext({ cert: renewed.certificate, key: renewed.key });
  expect(await outcome({ caFile })).toMatch(/^TOKENS_UNAVAILABLE/);
  await writeFile(caFile, renewed.certificate);
  expect(await outcome({ caFile })).toEqual(["sip:a@b"]);
  const missing = `${caFile}.missing`;
  expect(await outcome({ caFile: missing })).toMatch(/^TOKENS_UNAVAILABLE: .*\/ca\.pem\.missing/);
});

it.each([
  ["with keys in the configuration", { jwks: { keys: [{ kty: "EC" }] } }],
  ["over plain HTTP", { jwksUri: "http://localhost/jwks" }],
])("a CA file for the token issuer is refused as useless %s", (_, where) => {
  const parsed = schema.safeParse({ ...base, ...where, caFile: "ca.pem" });
  expect(parsed.error?.issues).toMatchObject([{ path: ["caFile"], message: "is for a jwksUri with https" }]);
});
