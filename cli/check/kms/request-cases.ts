/** Checks of what must be right in a request (TS 33.180 D.2.1, D.2.2). */
import { sealKmsRequest } from "../../../documents/kms-xml/index.ts";
import { fail, inconclusive, must, notApplicable, type TestCase } from "../case.ts";
import type { KmsPeer, Post } from "./peer.ts";

const HOUR = 3_600_000;

interface Refused {
  readonly id: string;
  readonly title: string;
  readonly clause: string;
  readonly path?: string;
  readonly post: (peer: KmsPeer) => Post;
}

const REFUSED: readonly Refused[] = [
  {
    id: "KMS-060",
    title: "refuses a request to another KMS",
    clause: "D.2.2",
    post: () => ({ request: { kmsUri: "kms.unknown.invalid" } }),
  },
  {
    id: "KMS-061",
    title: "refuses a request whose ClientReqUrl is another resource",
    clause: "D.2.2",
    post: (peer) => ({ request: { clientReqUrl: `${peer.root}/init` } }),
  },
  {
    id: "KMS-062",
    title: "refuses a request of an hour ago",
    clause: "D.2.2",
    post: (peer) => ({ request: { time: peer.now - HOUR } }),
  },
  {
    id: "KMS-063",
    title: "refuses a request of an hour ahead",
    clause: "D.2.2",
    post: (peer) => ({ request: { time: peer.now + HOUR } }),
  },
  {
    id: "KMS-064",
    title: "refuses another method than POST",
    clause: "D.2.1",
    post: () => ({ method: "GET", request: null }),
  },
  {
    id: "KMS-065",
    title: "refuses a resource that there is not",
    clause: "D.2.1",
    path: "keys",
    post: () => ({}),
  },
  {
    id: "KMS-066",
    title: "refuses a time without a URI before it",
    clause: "D.2.4",
    path: "keyprov/D6B4323200000000",
    post: () => ({}),
  },
  {
    id: "KMS-067",
    title: "refuses a path whose percent-encoding is broken",
    clause: "RFC 3986 2.1",
    path: "keyprov/%zz",
    post: () => ({}),
  },
  {
    id: "KMS-068",
    title: "refuses XML that is not a KmsRequest",
    clause: "D.2.2",
    post: () => ({ request: '<KmsResponse xmlns="urn:3gpp:ns:mcsecKMSInterface:1.0"/>' }),
  },
  {
    id: "KMS-069",
    title: "refuses a KmsRequest without its Time",
    clause: "D.2.2",
    post: (peer) => ({ request: withoutTime(peer) }),
  },
];

const refusedCase = ({ id, title, clause, path = "keyprov", post }: Refused): TestCase<KmsPeer> => ({
  id,
  title,
  clause,
  run: async (peer) => peer.requireRefused(await peer.post(path, post(peer))),
});

export const REQUEST_CASES: readonly TestCase<KmsPeer>[] = [
  ...REFUSED.map(refusedCase),
  {
    id: "KMS-070",
    title: "passes over an extension of another namespace",
    clause: "D.1, D.3.5",
    async run(peer) {
      if (peer.signingKey !== undefined) notApplicable("the signature of the request would not hold");
      const xml = peer.body("init");
      const extended = xml.replace(
        /<\/KmsRequest>/,
        '<x:Extension xmlns:x="urn:example:extension">passed over</x:Extension></KmsRequest>',
      );
      await peer.open(await peer.post("init", { request: extended }));
    },
  },
  {
    id: "KMS-071",
    title: "answers or refuses a body of another media type, and does not fail",
    clause: "RFC 9110 15.5.16",
    async run(peer) {
      const reply = await peer.post("init", { contentType: "application/json" });
      must(reply.status < 500, `status ${reply.status}`);
    },
  },
  {
    id: "KMS-072",
    title: "refuses a signed request that comes again",
    clause: "D.2.2",
    async run(peer) {
      if (peer.signingKey === undefined) notApplicable("no --ink or --trk was given");
      const request = peer.body("init");
      await peer.open(await peer.post("init", { request }));
      const again = await peer.post("init", { request });
      if (again.status === 200) inconclusive("answered again within the time that D.2.2 gives a request");
      peer.requireRefused(again);
    },
  },
  {
    id: "KMS-073",
    title: "refuses a request that was changed after it was signed",
    clause: "D.2.2",
    async run(peer) {
      if (peer.signingKey === undefined) notApplicable("no --ink or --trk was given");
      const request = peer.body("keyprov").replace("</UserUri>", "</UserUri> ");
      peer.requireRefused(await peer.post("keyprov", { request }));
    },
  },
  {
    id: "KMS-074",
    title: "refuses a request without a signature from a user who has an InK",
    clause: "D.2.2",
    async run(peer) {
      if (peer.options.protection.ink === undefined) notApplicable("no --ink was given");
      const reply = await peer.post("keyprov", { request: sealKmsRequest(peer.request("keyprov")) });
      if (reply.status === 200) fail("answered: whoever takes the signature off loses nothing");
      peer.requireRefused(reply);
    },
  },
];

function withoutTime(peer: KmsPeer): string {
  return sealKmsRequest(peer.request("keyprov")).replace(/<Time>[^<]*<\/Time>/, "");
}
