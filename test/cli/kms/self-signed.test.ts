/** The self-signed certificate, read by node:crypto. */
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:tls";
import { expect, it } from "vitest";
import { belongsTo, selfSigned } from "../../../cli/server/self-signed.ts";
import { NOW } from "../../support/names.ts";

it("a self-signed certificate is valid for its hosts and days, with its own key, and signs no others", () => {
  const made = selfSigned(["localhost", "127.0.0.1", "::1", "fe80::1:2", "2001:db8:1:2:3:4:5:6"], NOW, 30);
  const certificate = new X509Certificate(made.certificate);
  expect(certificate.checkHost("localhost")).toBe("localhost");
  expect(certificate.checkHost("example.org")).toBeUndefined();
  for (const address of ["127.0.0.1", "::1", "fe80::1:2", "2001:db8:1:2:3:4:5:6"]) {
    expect(certificate.checkIP(address), address).toBe(address);
  }
  expect(certificate.checkIP("127.0.0.2")).toBeUndefined();
  expect(Date.parse(certificate.validFrom)).toBe(NOW - 24 * 3600 * 1000);
  expect(Date.parse(certificate.validTo)).toBe(NOW + 30 * 24 * 3600 * 1000);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.ca).toBe(false);
  expect(belongsTo(made.certificate, made.key)).toBe(true);
});

it("a self-signed certificate is another each time", () => {
  const [one, two] = [selfSigned(["localhost"], NOW, 1), selfSigned(["localhost"], NOW, 1)];
  expect(belongsTo(one.certificate, two.key)).toBe(false);
  const serials = [one, two].map(({ certificate }) => new X509Certificate(certificate).serialNumber);
  expect(new Set(serials).size).toBe(2);
});

it("a self-signed certificate is trusted by who has another one of the same host in the same file, in either order", async () => {
  const [one, two] = [selfSigned(["localhost"], Date.now(), 1), selfSigned(["localhost"], Date.now(), 1)];
  const server = createServer({ cert: one.certificate, key: one.key }, (socket) => socket.end());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    for (const ca of [one.certificate + two.certificate, two.certificate + one.certificate]) {
      const socket = connect({ host: "127.0.0.1", port, servername: "localhost", ca });
      await once(socket, "secureConnect");
      socket.destroy();
    }
  } finally {
    server.close();
  }
});
