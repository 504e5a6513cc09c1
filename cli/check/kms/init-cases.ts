/** The KMS is there, and its certificate is one (TS 33.180 D.2.3, D.3.1, D.3.2). */
import { MikeySakkeError } from "../../../base/errors.ts";
import { KmsDomain } from "../../../bindings/identity/kms-domain.ts";
import { formatDateTime } from "../../../documents/kms-xml/index.ts";
import { validateKmsDocument } from "../../../documents/kms-xml/schema/validate-node.ts";
import { requireFit, requireProtected } from "../../../roles/identity/check-answer.ts";
import { fail, inconclusive, known, must, notApplicable, type TestCase } from "../case.ts";
import { mediaTypeOf } from "../http.ts";
import type { KmsPeer } from "./peer.ts";

/** Milliseconds that Time of an answer may be off: clocks of a plugtest are set by NTP. */
const CLOCK_MS = 60_000;
const XML_TYPES: ReadonlySet<string> = new Set(["application/xml", "text/xml"]);

export const INIT_CASES: readonly TestCase<KmsPeer>[] = [
  {
    id: "KMS-001",
    title: "is reached over HTTPS",
    clause: "D.1",
    async run(peer) {
      await peer.post("init", { request: null, about: "an empty body" });
      if (new URL(peer.root).protocol !== "https:") inconclusive("plain HTTP on loopback");
    },
  },
  {
    id: "KMS-002",
    title: "answers init with an empty body, as clients without message security send it",
    clause: "D.2.2",
    async run(peer) {
      const reply = await peer.post("init", { request: null, about: "an empty body" });
      if (reply.status !== 200) {
        if (peer.kmsUri === undefined)
          inconclusive("refused: give --kms-uri, so that the others can be tried");
        inconclusive("refused, as a KMS may that wants signed requests");
      }
      const { response } = await peer.open(reply);
      if (peer.kmsUri !== undefined) {
        must(response.kmsUri === peer.kmsUri, `KmsUri is ${response.kmsUri}, and not ${peer.kmsUri}`);
      }
      peer.kmsUri = response.kmsUri;
    },
  },
  {
    id: "KMS-003",
    title: "answers init with a KmsInit that has its certificate",
    clause: "D.2.3, D.3.1",
    async run(peer) {
      const { response } = await peer.open(await peer.post("init"));
      const { message } = response;
      must(message?.type === "init", `the message is ${message?.type ?? "missing"}, and not KmsInit`);
      peer.certificate = message.certificate;
    },
  },
  {
    id: "KMS-004",
    title: "sends XML, and says so",
    clause: "D.2.1, RFC 7303",
    async run(peer) {
      const type = mediaTypeOf(await peer.post("init"));
      must(XML_TYPES.has(type), `Content-Type is ${type === "" ? "missing" : type}, and not application/xml`);
    },
  },
  {
    id: "KMS-005",
    title: "names user, KMS and resource of the request in its answer",
    clause: "D.3.1",
    async run(peer) {
      const { response } = await peer.open(await peer.post("init"));
      requireFit(response, peer.request("init"));
    },
  },
  {
    id: "KMS-006",
    title: "says the time of its answer",
    clause: "D.3.1",
    async run(peer) {
      const { response } = await peer.open(await peer.post("init"));
      const off = Math.abs(response.time - peer.now);
      must(off <= CLOCK_MS, `Time is ${formatDateTime(response.time)}, ${Math.round(off / 1000)} s off`);
    },
  },
  {
    id: "KMS-007",
    title: "sends documents that the schema permits",
    clause: "D.3.5",
    async run(peer) {
      const reply = await peer.post("init");
      await peer.open(reply);
      try {
        await validateKmsDocument(reply.body);
      } catch (error) {
        if (!(error instanceof MikeySakkeError) || error.code !== "XML_SCHEMA") throw error;
        inconclusive(`${error.message}; clients read by local names, as vendors differ here`);
      }
    },
  },
  {
    id: "KMS-008",
    title: "signs its answer where the request was signed",
    clause: "D.2.2",
    async run(peer) {
      const signWith = peer.signingKey;
      if (signWith === undefined) notApplicable("no --ink or --trk was given");
      requireProtected(await peer.open(await peer.post("init")), peer.options.protection, signWith);
    },
  },
  {
    id: "KMS-010",
    title: "has the Role Root in its own certificate",
    clause: "D.3.2",
    run(peer) {
      const { role } = known(peer.certificate, "KMS-003");
      if (role === undefined) inconclusive("the certificate has no Role");
      must(role === "Root", `Role is ${role}`);
    },
  },
  {
    id: "KMS-011",
    title: "names itself in its certificate",
    clause: "D.3.2",
    run(peer) {
      const { kmsUri } = known(peer.certificate, "KMS-003");
      must(kmsUri === peer.kmsUri, `KmsUri is ${kmsUri}, and that of the answers ${peer.kmsUri}`);
    },
  },
  {
    id: "KMS-012",
    title: "has a certificate that is valid now and not revoked",
    clause: "D.3.2",
    run(peer) {
      const { validFrom, validTo, revoked } = known(peer.certificate, "KMS-003");
      if (revoked === true) fail("the certificate is revoked");
      if (validFrom !== undefined && validFrom > peer.now)
        fail(`valid from ${formatDateTime(validFrom)} only`);
      if (validTo !== undefined && validTo < peer.now) fail(`valid until ${formatDateTime(validTo)} only`);
    },
  },
  {
    id: "KMS-013",
    title: "has public keys that are points of their curves, and parameters that are known",
    clause: "D.3.2, F.2.1, RFC 6508 2.2, RFC 6507 4.2",
    run(peer) {
      // Checks 70 to 72 of docs/validation.md.
      peer.domain = KmsDomain.load(peer.options.core, known(peer.certificate, "KMS-003"));
    },
  },
];
