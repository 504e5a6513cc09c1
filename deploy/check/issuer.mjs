// A token issuer that serves its keys, and nothing else.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";

const secret = (name) => readFileSync(`/run/secrets/${name}`);
const keys = secret("jwks.json");
createServer({ cert: secret("tls.pem"), key: secret("tls.key") }, (_, response) => response.end(keys)).listen(
  443,
);
process.on("SIGTERM", () => process.exit(0));
