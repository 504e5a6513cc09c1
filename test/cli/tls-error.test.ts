/** Tests what a command says of a server whose certificate it does not accept. */
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { httpsFetch } from "../../cli/server/https.ts";
import { selfSigned } from "../../cli/server/self-signed.ts";
import { nextStep } from "../../cli/terminal/hints.ts";
import { tlsError } from "../../cli/terminal/tls-error.ts";
import { runCli, temporaryFolder } from "./run-cli.ts";

const DAY_MS = 86_400_000;
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Connects to a server with a certificate that starts at a time and lasts a number of days. */
async function refusal(host: string, names: readonly string[], notBefore: number, trusted = true) {
  const { certificate, port } = await serve(names, notBefore);
  const ca = join(await temporaryFolder(), "ca.pem");
  await writeFile(ca, certificate);
  return refusalOf(`https://${host}:${port}/`, trusted ? ca : undefined);
}

async function serve(names: readonly string[], notBefore: number) {
  const { certificate, key } = selfSigned(names, notBefore, 30);
  const server = createServer({ cert: certificate, key }, (_, response) => response.end());
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return { certificate, port: (server.address() as AddressInfo).port };
}

async function refusalOf(url: string, ca: string | undefined) {
  const { fetch, close } = await httpsFetch(ca);
  try {
    return await fetch(url).then(
      () => undefined,
      (error: unknown) => tlsError(error),
    );
  } finally {
    await close();
  }
}

it("a valid TLS certificate is no fault", async () => {
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
])(
  "a TLS certificate that %s is reported, with what to do: %s",
  async (_, code, notBefore, names, text, hint) => {
    const error = await refusal("127.0.0.1", names, notBefore);
    expect(error).toMatchObject({ kind: "transport", code });
    expect(error!.message).toMatch(text);
    expect(nextStep(error)).toMatch(hint);
  },
);

it("a TLS certificate of an unknown authority is reported: TLS_UNTRUSTED", async () => {
  const error = await refusal("127.0.0.1", ["127.0.0.1"], Date.now() - DAY_MS, false);
  expect(error).toMatchObject({ code: "TLS_UNTRUSTED" });
  expect(nextStep(error)).toContain("--ca");
});

it("self-signed certificates of several servers in one file are each trusted", async () => {
  const served = [await serve(["localhost"], Date.now()), await serve(["localhost"], Date.now())];
  const ca = join(await temporaryFolder(), "both.pem");
  await writeFile(ca, served.map(({ certificate }) => certificate).join(""));
  for (const { port } of served) expect(await refusalOf(`https://localhost:${port}/`, ca)).toBeUndefined();
});

it("every command reports a TLS certificate that it does not trust, and not an unreachable server", async () => {
  const { port } = await serve(["127.0.0.1"], Date.now());
  const token = join(await temporaryFolder(), "token");
  await writeFile(token, "token");
  const kms = ["--kms-url", `https://127.0.0.1:${port}`, "--token-file", token];
  const gms = ["--gms-uri", "sip:gms@example.org", "--sip", "sip:127.0.0.1:9;transport=tcp"];
  const run = await runCli([
    "client",
    "run",
    "--user",
    "sip:a@example.org",
    "--once",
    ...kms,
    ...gms,
    "--json",
  ]);
  expect(run.json()).toMatchObject({ code: "TLS_UNTRUSTED" });
});
