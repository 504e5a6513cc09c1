// node deploy/check/secrets.mjs FOLDER: the files that deploy/README.md asks for in secrets/, for a trial: random keys, a
// certificate that is its own authority, and a day's access tokens of an issuer whose keys are in jwks.json.
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

const folder = process.argv[2];
mkdirSync(folder, { mode: 0o700 });
const put = (name, text) => writeFileSync(join(folder, name), text);
const password = randomBytes(24).toString("hex");
put("store-key", randomBytes(32).toString("hex"));
put("database-password", password);
put("database-url", `postgresql://mikey_sakke:${password}@postgres/mikey_sakke`);

const names = ["kms", "gms", "mcx", "console", "id"].map((name) => `DNS:${name}.example.org`);
const certificate = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
const subject = ["-subj", "/CN=example.org", "-addext", `subjectAltName=${names.join(",")}`];
const out = ["-keyout", join(folder, "tls.key"), "-out", join(folder, "tls.pem")];
execFileSync("openssl", ["req", ...certificate, ...subject, ...out], { stdio: "pipe" });

const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
put("jwks.json", JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: "check", alg: "ES256" }] }));
const KMS = "3gpp:mc:ptt_key_management_service";
const token = (claims, ...scopes) =>
  new SignJWT({ ...claims, scope: scopes.join(" ") })
    .setProtectedHeader({ alg: "ES256", kid: "check" })
    .setIssuer("https://id.example.org")
    .setAudience(["kms.example.org", "sip:gms@example.org"])
    .setExpirationTime("1d")
    .sign(privateKey);
put("gms.token", await token({ client_id: "gms" }, KMS));
// The MCX server asks the KMS for its keys, and the GMS for the members of groups. Its identity in the token is one that users
// have as well, so the KMS goes by a scope of its own.
const mcx = { client_id: "mcx", mcptt_id: "sip:mcx@example.org" };
put("mcx.token", await token(mcx, KMS, "3gpp:mc:ptt_group_management_service", "mcx-server"));
for (const name of ["store-key", "database-password", "database-url", "jwks.json"])
  chmodSync(join(folder, name), 0o444);
for (const name of ["tls.pem", "tls.key", "gms.token", "mcx.token"]) chmodSync(join(folder, name), 0o444);
