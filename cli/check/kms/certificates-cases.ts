/** Certificates of other KMSs, and which KMSs there are (TS 33.180 D.2.5 to D.2.7). */
import type { KmsMessage } from "../../../documents/kms-xml/index.ts";
import { fail, inconclusive, known, must, type TestCase } from "../case.ts";
import type { KmsPeer } from "./peer.ts";

export const CERTIFICATES_CASES: readonly TestCase<KmsPeer>[] = [
  {
    id: "KMS-040",
    title: "answers certcache with a KmsCertCache",
    clause: "D.2.5, D.3.1",
    async run(peer) {
      const message = await messageAt(peer, "certcache", "certcache");
      peer.cacheNum = message.cacheNum;
      for (const { kmsUri, role } of message.certificates) {
        if (kmsUri !== peer.kmsUri && role === "Root") fail(`the certificate of ${kmsUri} has the Role Root`);
      }
    },
  },
  {
    id: "KMS-041",
    title: "takes the number of the client's cache",
    clause: "D.2.5",
    async run(peer) {
      if (peer.cacheNum === undefined) inconclusive("the KmsCertCache has no CacheNum");
      const { cacheNum } = await messageAt(peer, `certcache/${peer.cacheNum}`, "certcache");
      must((cacheNum ?? 0) >= peer.cacheNum, `CacheNum ${cacheNum} after ${peer.cacheNum}`);
    },
  },
  {
    id: "KMS-042",
    title: "answers cert with the certificate of the KMS that was asked for, or an error",
    clause: "D.2.6, D.3.1",
    async run(peer) {
      const kmsUri = known(peer.kmsUri, "KMS-002");
      const path = `cert/${encodeURIComponent(kmsUri)}`;
      const reply = await peer.post(path);
      if (reply.status !== 200) {
        peer.requireRefused(reply);
        inconclusive("no certificate of its own by cert");
      }
      const { message } = (await peer.open(reply)).response;
      must(
        message?.type === "certcache",
        `the message is ${message?.type ?? "missing"}, and not KmsCertCache`,
      );
      for (const certificate of message.certificates) {
        must(certificate.kmsUri === kmsUri, `the certificate of ${certificate.kmsUri}, asked for ${kmsUri}`);
      }
    },
  },
  {
    id: "KMS-043",
    title: "has no certificate of a KMS that nobody knows",
    clause: "D.2.6, D.3.1",
    async run(peer) {
      peer.requireRefused(await peer.post("cert/kms.unknown.invalid"));
    },
  },
  {
    id: "KMS-044",
    title: "answers lookup with the KMSs that may be used",
    clause: "D.2.7",
    async run(peer) {
      const reply = await peer.post("lookup");
      if (reply.status !== 200) {
        peer.requireRefused(reply);
        inconclusive("no lookup: it came with Rel-15");
      }
      const { message } = (await peer.open(reply)).response;
      must(message?.type === "lookup", `the message is ${message?.type ?? "missing"}, and not KmsLookup`);
    },
  },
];

async function messageAt<T extends KmsMessage["type"]>(
  peer: KmsPeer,
  path: string,
  type: T,
): Promise<Extract<KmsMessage, { type: T }>> {
  const { message } = (await peer.open(await peer.post(path))).response;
  if (message?.type !== type) fail(`the message is ${message?.type ?? "missing"}, and not ${type}`);
  return message as Extract<KmsMessage, { type: T }>;
}
