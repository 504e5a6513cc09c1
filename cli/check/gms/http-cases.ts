/** Group keys and group documents over XCAP (TS 33.180 5.7.2.y, TS 24.481, TS 24.482 A.2.3, RFC 4825). */
import {
  gktpGroupPath,
  gktpUserPath,
  groupDocumentPath,
  MEDIA,
  readGktpDocument,
  readGroupDocument,
} from "../../../documents/group-xml/index.ts";
import { inconclusive, known, must, notApplicable, type TestCase } from "../case.ts";
import { mediaTypeOf } from "../http.ts";
import { forged } from "../tokens.ts";
import type { GmsPeer } from "./peer.ts";

const LARGE = 8 << 20;

export const HTTP_CASES: readonly TestCase<GmsPeer>[] = [
  {
    id: "GMS-001",
    title: "gives the user's GKTP document over XCAP",
    clause: "5.7.2.y, TS 24.481 7.7",
    async run(peer) {
      const { userUri, group } = peer.options;
      const paths = [gktpUserPath(userUri), ...(group === undefined ? [] : [gktpGroupPath(group)])];
      for (const path of paths) {
        const reply = await peer.xcap(path);
        if (reply.status === 404 && path !== paths.at(-1)) continue;
        must(reply.status === 200, `status ${reply.status}; is the user a member of a group with a key?`);
        const entries = readGktpDocument(reply.body);
        must(entries.length > 0, "no GKTP in it; is the user a member of a group with a key?");
        peer.gktpPath = path;
        peer.etag = reply.header("etag");
        peer.messages.push(...entries.map(({ octets }) => ({ from: "http" as const, octets })));
        return;
      }
    },
  },
  {
    id: "GMS-002",
    title: "addresses each GKTP to the user",
    clause: "TS 24.481 7.7",
    async run(peer) {
      const { userUri } = peer.options;
      const reply = await peer.xcap(known(peer.gktpPath, "GMS-001"));
      for (const { id } of readGktpDocument(reply.body)) must(id === userUri, `a GKTP of ${id}`);
    },
  },
  {
    id: "GMS-003",
    title: "sends the document as XML",
    clause: "TS 24.481 7.7, RFC 7303",
    async run(peer) {
      const type = mediaTypeOf(await peer.xcap(known(peer.gktpPath, "GMS-001")));
      must(/^(?:application|text)\/(?:[\w.-]+\+)?xml$/.test(type), `Content-Type is ${type || "missing"}`);
    },
  },
  {
    id: "GMS-004",
    title: "gives an ETag with the document",
    clause: "RFC 4825 7.11",
    run(peer) {
      known(peer.gktpPath, "GMS-001");
      must(/^(?:W\/)?"[^"]*"$/.test(peer.etag ?? ""), `ETag is ${peer.etag ?? "missing"}`);
    },
  },
  {
    id: "GMS-005",
    title: "answers 304 where the user has the document",
    clause: "RFC 4825 7.11, RFC 9110 13.1.2",
    async run(peer) {
      const etag = known(peer.etag, "GMS-004");
      const headers = { "if-none-match": etag };
      const { status } = await peer.xcap(known(peer.gktpPath, "GMS-001"), { headers });
      must(status === 304, `status ${status}`);
    },
  },
  {
    id: "GMS-006",
    title: "gives a member the document of the group",
    clause: "TS 24.481 6.3.3, 7.2",
    async run(peer) {
      const group = peer.options.group ?? notApplicable("no --group was given");
      const reply = await peer.xcap(groupDocumentPath(group));
      must(reply.status === 200, `status ${reply.status}`);
      const { uri } = readGroupDocument(reply.body);
      must(uri === group, `the document of ${uri}`);
      const type = mediaTypeOf(reply);
      must(type === MEDIA.group, `Content-Type is ${type || "missing"}, and not ${MEDIA.group}`);
    },
  },
  {
    id: "GMS-010",
    title: "refuses a request without a token",
    clause: "TS 24.482 A.2.3",
    run: async (peer) => peer.requireRefused(await peer.xcap(path(peer), { token: null })),
  },
  {
    id: "GMS-011",
    title: "refuses a forged token",
    clause: "TS 24.482 A.2.3, RFC 6750 3.1",
    async run(peer) {
      const token = forged(await peer.options.tokens.valid());
      peer.requireRefused(await peer.xcap(path(peer), { token }));
    },
  },
  {
    id: "GMS-012",
    title: "refuses a token that has expired",
    clause: "TS 24.482 A.2.3, RFC 6750 3.1",
    async run(peer) {
      const expired = peer.options.tokens.expired ?? notApplicable("no --expired-token-file was given");
      peer.requireRefused(await peer.xcap(path(peer), { token: await expired() }));
    },
  },
  {
    id: "GMS-013",
    title: "refuses a token without the scope of group management",
    clause: "B.4.2.2, TS 24.482 A.2.3",
    async run(peer) {
      const wrong = peer.options.tokens.wrongScope ?? notApplicable("no --wrong-scope-token-file was given");
      peer.requireRefused(await peer.xcap(path(peer), { token: await wrong() }));
    },
  },
  {
    id: "GMS-014",
    title: "refuses the GKTP document of another user",
    clause: "5.7.2.y, TS 24.482 A.2.3",
    async run(peer) {
      peer.requireRefused(await peer.xcap(gktpUserPath(peer.options.otherUserUri)));
    },
  },
  {
    id: "GMS-015",
    title: "refuses an application usage that there is not",
    clause: "RFC 4825 8.2.1",
    run: async (peer) => peer.requireRefused(await peer.xcap("org.example.unknown/global/index")),
  },
  {
    id: "GMS-016",
    title: "refuses a path whose percent-encoding is broken",
    clause: "RFC 3986 2.1",
    run: async (peer) => peer.requireRefused(await peer.xcap("org.openmobilealliance.groups/global/%zz/x")),
  },
  {
    id: "GMS-017",
    title: "refuses a group document that is not well-formed",
    clause: "RFC 4825 8.2.5",
    async run(peer) {
      const headers = { "content-type": MEDIA.group };
      peer.requireRefused(await peer.xcap(strangeGroup(peer), { method: "PUT", headers, body: "<group" }));
    },
  },
  {
    id: "GMS-018",
    title: "refuses a document that is too large",
    clause: "RFC 9110 15.5.14",
    async run(peer) {
      peer.requireRefused(
        await peer.xcap(strangeGroup(peer), {
          method: "PUT",
          headers: { "content-type": MEDIA.group },
          body: `<group>${" ".repeat(LARGE)}</group>`,
          about: `a document of ${LARGE} octets`,
        }),
      );
    },
  },
  {
    id: "GMS-019",
    title: "forbids caches to keep keys for others",
    clause: "RFC 9111 5.2.2",
    async run(peer) {
      const value = (await peer.xcap(known(peer.gktpPath, "GMS-001"))).header("cache-control") ?? "";
      if (!/\b(?:no-store|private)\b/i.test(value))
        inconclusive("no Cache-Control, which the standard does not ask for");
    },
  },
];

function path(peer: GmsPeer): string {
  return peer.gktpPath ?? gktpUserPath(peer.options.userUri);
}

/** That nobody has, so that nothing is lost where a GMS takes what it must refuse. */
function strangeGroup(peer: GmsPeer): string {
  return groupDocumentPath(peer.options.otherUserUri);
}
