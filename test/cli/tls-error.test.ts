/** What a command says of a server whose certificate it does not accept. */
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { httpsFetch } from "../../cli/server/https.ts";
import { selfSigned } from "../../cli/server/self-signed.ts";
import { tlsError } from "../../cli/server/tls-error.ts";
import { nextStep } from "../../cli/terminal/hints.ts";
import { temporaryFolder } from "./run-cli.ts";

const DAY_MS = 86_400_000;
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Connects to a server with a certificate that starts at a time and lasts a number of days. */
async function refusal(host: string, names: readonly string[], notBefore: number, trusted = true) {
  const { certificate, key } = selfSigned(names, notBefore, 30);
  const server = createServer({ cert: certificate, key }, (_, response) => response.end());
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const ca = join(await temporaryFolder(), "ca.pem");
  await writeFile(ca, certificate);
  const { fetch, close } = await httpsFetch(trusted ? ca : undefined);
  const { port } = server.address() as AddressInfo;
  try {
    return await fetch(`https://${host}:${port}/`).then(
      () => undefined,
      (error: unknown) => tlsError(error),
    );
  } finally {
    await close();
  }
}

it("a certificate that holds is no fault", async () => {
  expect(await refusal("127.0.0.1", ["127.0.0.1"], Date.now() - DAY_MS)).toBeUndefined();
});

it.each([
  ["has expired", "TLS_EXPIRED", Date.now() - 60 * DAY_MS, ["127.0.0.1"], /has expired/, /Renew it/],
  [
    "is not valid yet",
    "TLS_NOT_YET_VALID",
    Date.now() + 10 * DAY_MS,
    ["127.0.0.1"],
    /not valid yet/,
    /clock/,
  ],
  [
    "has another name",
    "TLS_WRONG_NAME",
    Date.now() - DAY_MS,
    ["localhost"],
    /localhost.*not for 127\.0\.0\.1/,
    /name/,
  ],
])("one that %s is told, and what to do: %s", async (_, code, notBefore, names, text, hint) => {
  const error = await refusal("127.0.0.1", names, notBefore);
  expect(error).toMatchObject({ kind: "transport", code });
  expect(error!.message).toMatch(text);
  expect(nextStep(error)).toMatch(hint);
});

it("one of an authority that nobody named is told: TLS_UNTRUSTED", async () => {
  const error = await refusal("127.0.0.1", ["127.0.0.1"], Date.now() - DAY_MS, false);
  expect(error).toMatchObject({ code: "TLS_UNTRUSTED" });
  expect(nextStep(error)).toContain("--ca");
});
