/** Tests of the warnings about TLS certificates that clients of a server refuse, or will soon. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { warnOfCertificateEnds } from "../../cli/server/certificate-end.ts";
import { selfSigned } from "../../cli/server/self-signed.ts";
import { requireCredentials } from "../../cli/server/tls.ts";
import { noLog } from "../../roles/server/log.ts";
import { STORY_MS } from "./gms/gms-process.ts";
import { serveKms } from "./kms/kms-process.ts";
import { temporaryFolder } from "./run-cli.ts";

const DAY_MS = 86_400_000;

/** Writes a certificate for so many days, which began a day before `now`, and its key. */
async function putPair(folder: string, now: number, days: number) {
  const files = { certFile: join(folder, "tls.pem"), keyFile: join(folder, "tls.key") };
  const { certificate, key } = selfSigned(["localhost"], now, days);
  await writeFile(files.certFile, certificate);
  await writeFile(files.keyFile, key);
  return files;
}

function logged() {
  const lines: { text: string; certFile?: unknown }[] = [];
  const log = { ...noLog, warn: (facts: object, text: string) => lines.push({ ...facts, text }) };
  return { log, lines };
}

it.each([
  ["is not warned of where it ends in three weeks", 21, undefined],
  ["is warned of where it ends in a week", 7, /ends soon/],
  ["is warned of where it has ended", -1, /has ended/],
])("a TLS certificate %s", async (_, days, text) => {
  const folder = await temporaryFolder();
  // Certificates are made for thirty days.
  const credentials = await requireCredentials(await putPair(folder, Date.now() + (days - 30) * DAY_MS, 30));
  const { log, lines } = logged();
  warnOfCertificateEnds([credentials, undefined, credentials], Date.now(), log);
  const certFile = join(folder, "tls.pem");
  expect(lines).toEqual(
    text === undefined ? [] : [expect.objectContaining({ certFile, text: expect.stringMatching(text) })],
  );
});

it("a TLS certificate is warned of where it is not valid yet", async () => {
  const credentials = await requireCredentials(
    await putPair(await temporaryFolder(), Date.now() + 5 * DAY_MS, 30),
  );
  const { log, lines } = logged();
  warnOfCertificateEnds([credentials], Date.now(), log);
  expect(lines.map(({ text }) => text)).toEqual([expect.stringMatching(/not valid yet/)]);
});

it("a server warns at its start, and after SIGHUP, of a certificate that clients refuse", {
  timeout: STORY_MS,
}, async () => {
  const data = await temporaryFolder();
  const folder = join(data, "kms");
  await mkdir(folder);
  const tls = await putPair(folder, Date.now() - 60 * DAY_MS, 30);
  await writeFile(join(folder, "config.json"), JSON.stringify({ kmsUri: "kms.example.org", tls }));
  const kms = await serveKms(folder);
  const warnings = () =>
    kms
      .log()
      .split("\n")
      .filter((line) => line.includes("the certificate has ended"))
      .map((line) => JSON.parse(line));
  await expect.poll(warnings, { timeout: STORY_MS }).toMatchObject([{ level: 40, certFile: tls.certFile }]);
  process.kill(kms.pid, "SIGHUP");
  await expect.poll(warnings, { timeout: STORY_MS }).toHaveLength(2);
  await putPair(folder, Date.now(), 365);
  process.kill(kms.pid, "SIGHUP");
  await expect
    .poll(() => kms.log().match(/"configuration read anew"/g), { timeout: STORY_MS })
    .toHaveLength(2);
  expect(warnings()).toHaveLength(2);
});
