/** Test cases for the requests of a client to its KMS (TS 33.180 5.3, D.1, D.2). */
import { MikeySakkeError } from "../../../base/errors.ts";
import { formatDateTime } from "../../../documents/kms-xml/index.ts";
import { validateKmsDocument } from "../../../documents/kms-xml/schema/validate-node.ts";
import { withoutQuery } from "../../../roles/server/without-query.ts";
import { fail, inconclusive, known, must, notApplicable, type TestCase } from "../case.ts";
import { bearerOf } from "./http.ts";
import type { KmsRequestSeen } from "./kms.ts";
import type { ClientPeer } from "./peer.ts";

/** D.2.2 names 5 seconds as an example; a clock that is off by more than a minute fails at many KMSs. */
const EXAMPLE_MS = 5000;
const CLOCK_MS = 60_000;
const XML_TYPES: ReadonlySet<string> = new Set(["application/xml", "text/xml"]);

export const KMS_CASES: readonly TestCase<ClientPeer>[] = [
  {
    id: "MCC-001",
    title: "asks its KMS for keys",
    clause: "5.3, D.2.4",
    async run(peer) {
      await peer.provisioned();
    },
  },
  {
    id: "MCC-002",
    title: "asks by POST, at the resources of the KMS",
    clause: "D.2.1",
    run(peer) {
      for (const { method, path, target } of requests(peer)) {
        must(target !== undefined, `${path} is no resource of a KMS`);
        must(method === "POST", `${method} ${path}`);
      }
    },
  },
  {
    id: "MCC-003",
    title: "gets the certificate of the KMS before the keys",
    clause: "5.3.3, D.2.3",
    run(peer) {
      const types = requests(peer).map(({ target }) => target?.type);
      const keys = types.indexOf("keyprov");
      const before = types
        .slice(0, keys)
        .some((type) => type === "init" || type === "certcache" || type === "cert");
      if (!before) inconclusive("no certificate was asked for before the keys: it may be configured");
    },
  },
  {
    id: "MCC-004",
    title: "shows its access token to the KMS in the Authorization header field",
    clause: "5.3.2, RFC 6750 2.1",
    run(peer) {
      const { token } = peer.options;
      for (const request of requests(peer)) {
        const shown = bearerOf(request);
        must(shown !== undefined, `${request.path}: no Bearer token`);
        must(
          token === undefined || shown === token,
          `${request.path}: another token than the one that it was given`,
        );
      }
    },
  },
  {
    id: "MCC-005",
    title: "has no token in the URL",
    clause: "RFC 6750 5.3",
    run(peer) {
      const token = peer.options.token ?? "access_token=";
      for (const { path } of requests(peer)) must(!path.includes(token), "the URL has the access token");
    },
  },
  {
    id: "MCC-006",
    title: "sends XML to the KMS, and says so",
    clause: "D.2.1, RFC 7303",
    run(peer) {
      for (const { path, header, body } of requests(peer)) {
        if (body.length === 0) continue;
        const type = (header("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
        must(XML_TYPES.has(type), `${path}: Content-Type is ${type === "" ? "missing" : type}`);
      }
    },
  },
  {
    id: "MCC-007",
    title: "sends a KmsRequest that the schema permits",
    clause: "D.2.2, D.3.5",
    async run(peer) {
      for (const { path, body, error } of requests(peer)) {
        if (body.length === 0) continue;
        if (error !== undefined) fail(`${path}: ${error.code}: ${error.message}`);
        await valid(path, body);
      }
    },
  },
  {
    id: "MCC-008",
    title: "names itself, the KMS and the resource in its request",
    clause: "D.2.2",
    run(peer) {
      const { userUri, kmsUri } = peer.options;
      for (const { path, request } of written(peer)) {
        must(request.userUri === userUri, `${path}: UserUri is ${request.userUri}`);
        must(request.kmsUri === kmsUri, `${path}: KmsUri is ${request.kmsUri}, and not ${kmsUri}`);
        const { clientReqUrl: url } = request;
        const named = URL.canParse(url) ? new URL(url).pathname : url;
        must(
          decoded(named) === decoded(withoutQuery(path)),
          `${path}: ClientReqUrl is ${request.clientReqUrl}`,
        );
      }
    },
  },
  {
    id: "MCC-009",
    title: "says the time of its request",
    clause: "D.2.2",
    run(peer) {
      for (const { path, request, at } of written(peer)) {
        const off = Math.abs(request.time - at);
        must(
          off <= CLOCK_MS,
          `${path}: Time is ${formatDateTime(request.time)}, ${Math.round(off / 1000)} s off`,
        );
        if (off > EXAMPLE_MS) inconclusive(`Time is ${Math.round(off / 1000)} s off: a KMS may refuse it`);
      }
    },
  },
  {
    id: "MCC-010",
    title: "asks for its own keys only",
    clause: "5.3.2, D.2.4",
    run(peer) {
      const { userUri } = peer.options;
      for (const { target } of requests(peer)) {
        if (target?.type !== "keyprov" || target.uris === undefined) continue;
        must(target.uris.includes(userUri), `keys of ${target.uris[0]} were asked for`);
      }
    },
  },
  {
    id: "MCC-011",
    title: "signs its request for keys",
    clause: "D.2.2",
    run(peer) {
      const { ink, trk } = peer.options.protection;
      const key = ink ?? trk;
      if (key === undefined) notApplicable("no --ink or --trk was given");
      const keyprov = requests(peer).filter(({ target }) => target?.type === "keyprov");
      for (const { signedWith } of keyprov)
        must(signedWith === key.id, "the request for keys is not signed with it");
    },
  },
];

async function valid(path: string, body: Uint8Array): Promise<void> {
  try {
    await validateKmsDocument(body);
  } catch (error) {
    if (!(error instanceof MikeySakkeError) || error.code !== "XML_SCHEMA") throw error;
    inconclusive(`${path}: ${error.message}; KMSs read by local names, as vendors differ here`);
  }
}

function requests({ kms, transcript }: ClientPeer): readonly KmsRequestSeen[] {
  const all = kms.seen.all;
  known(all[0], "MCC-001");
  transcript.received(all.map(({ method, path }) => `${method} ${withoutQuery(path)}`).join(", "));
  return all;
}

/** With an empty body a client asks init before it has keys to sign with (D.2.2). */
function written(peer: ClientPeer) {
  const some = requests(peer).flatMap((seen) =>
    seen.request === undefined ? [] : [{ ...seen, request: seen.request }],
  );
  known(some[0], "MCC-007");
  return some;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
