/** A certificate that is renewed in its file is given out by all listeners that run, and what is open stays open. */
import { writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { expect, it, onTestFinished } from "vitest";
import { systemRandom } from "../../base/random.ts";
import { selfSigned } from "../../cli/server/self-signed.ts";
import { requireCredentials } from "../../cli/server/tls.ts";
import { certificateMetrics } from "../../roles/server/certificate-metrics.ts";
import { type Credentials, createListener, ownGuard, readCredentials } from "../../roles/server/listener.ts";
import { sipSchema } from "../../roles/server/sip-config.ts";
import { sipLimits, sipTransports } from "../../roles/server/sip-transports.ts";
import { Admission } from "../../transport/admission/admission.ts";
import { LegSockets } from "../../transport/datagram/websocket-node.ts";
import { temporaryFolder } from "../cli/run-cli.ts";

async function serialAt(port: number): Promise<{ serial: string; socket: TLSSocket }> {
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
  socket.on("error", () => undefined);
  onTestFinished(() => void socket.destroy());
  await new Promise<void>((resolve, reject) => {
    socket.once("secureConnect", () => resolve());
    socket.once("error", reject);
  });
  return { serial: socket.getPeerCertificate().serialNumber, socket };
}

/** Reads from the metrics of a server how many days the certificate of a file is valid. */
async function daysLeft(credentials: Credentials, file: string): Promise<number> {
  const text = await certificateMetrics(credentials)();
  const line = text.split("\n").find((line) => line.includes(`file="${file}"`));
  return (Number(line?.split(" ").at(-1)) - Date.now() / 1000) / 86_400;
}

it("renewed certificates are used on HTTPS, SIP over TLS, WSS and media of pages", async () => {
  const folder = await temporaryFolder();
  const files = { certFile: join(folder, "tls.crt"), keyFile: join(folder, "tls.key") };
  const put = async (days: number) => {
    const { certificate, key } = selfSigned(["localhost"], Date.now(), days);
    await writeFile(files.certFile, certificate);
    await writeFile(files.keyFile, key);
  };
  await put(30);
  const credentials = await requireCredentials(files);
  const admission = new Admission();
  const https = createListener({
    bodyBytes: 1000,
    requestTimeout: 10,
    credentials,
    random: systemRandom,
    guard: ownGuard(),
  });
  await https.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => https.close());
  const transports = sipTransports(sipSchema.parse({ host: "127.0.0.1", tlsPort: 0, wssPort: 0 }), {
    credentials,
    limits: sipLimits({ bodyBytes: 1000 }),
    admission,
    requestTimeout: 10,
  });
  for (const transport of transports) {
    await transport.start({ message: () => undefined, closed: () => undefined } as never);
    onTestFinished(() => transport.close());
  }
  const { secured, cert, key } = credentials;
  const legs = new LegSockets({
    host: "127.0.0.1",
    port: 0,
    tls: { cert, key, secured },
    origins: [],
    random: systemRandom,
    admission,
  });
  await legs.listen();
  onTestFinished(() => legs.close());
  const ports = [
    (https.server.address() as AddressInfo).port,
    ...transports.map(({ sentBy }) => sentBy.port!),
    legs.port!,
  ];
  expect(ports).toHaveLength(4);
  const before = await Promise.all(ports.map(serialAt));
  expect(new Set(before.map(({ serial }) => serial)).size).toBe(1);

  expect(await daysLeft(credentials, files.certFile)).toBeCloseTo(30, 1);

  // A program that embeds a server has the same from the files of its configuration.
  expect(await daysLeft(await readCredentials(files), files.certFile)).toBeCloseTo(30, 1);
  expect(await certificateMetrics(undefined)()).not.toContain("file=");

  await put(90);
  await credentials.renew();
  expect(await daysLeft(credentials, files.certFile)).toBeCloseTo(90, 1);
  const after = await Promise.all(ports.map(serialAt));
  expect(new Set(after.map(({ serial }) => serial)).size).toBe(1);
  expect(after[0]!.serial).not.toBe(before[0]!.serial);
  expect(before.every(({ socket }) => !socket.destroyed)).toBe(true);

  // A key that is not the certificate's changes nothing.
  const { key: other } = selfSigned(["localhost"], Date.now(), 30);
  await writeFile(files.keyFile, other);
  await expect(credentials.renew()).rejects.toMatchObject({ code: "BAD_TLS" });
  expect((await serialAt(ports[0]!)).serial).toBe(after[0]!.serial);
});
