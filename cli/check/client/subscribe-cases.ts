/** The subscription of the client under test to its group keys (TS 24.481 6.3.13, RFC 5875, RFC 6665). */
import { fromUtf8, utf8 } from "../../../base/bytes.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import {
  GROUP_AUID,
  MEDIA,
  mediaTypeOf,
  readMcpttInfo,
  readMultipart,
  readResourceLists,
} from "../../../documents/group-xml/index.ts";
import { locate } from "../../../roles/group-keys/documents.ts";
import { MCPTT_SERVICE } from "../../../roles/identity/ims.ts";
import {
  AUTHORIZATION,
  CONTACT,
  CONTENT_TYPE,
  EVENT,
  EXPIRES,
  FROM,
  type NotifyResult,
  TO,
  tagOf,
} from "../../../transport/sip/index.ts";
import { fail, inconclusive, known, must, notApplicable, type TestCase } from "../case.ts";
import { acceptedTypes, type SubscribeSeen } from "./gms.ts";
import type { ClientPeer } from "./peer.ts";

const MODES: ReadonlySet<string | undefined> = new Set([
  undefined,
  "no-patching",
  "xcap-patching",
  "aggregate",
]);
const FEATURE = "+g.3gpp.icsi-ref";
const TAG_LENGTH = 1;

export const SUBSCRIBE_CASES: readonly TestCase<ClientPeer>[] = [
  {
    id: "MCC-020",
    title: "asks its GMS for group keys, by a subscription or over XCAP",
    clause: "5.7.2.x, 5.7.2.y",
    async run(peer) {
      await peer.began();
    },
  },
  {
    id: "MCC-021",
    title: "subscribes to xcap-diff, with a way of processing that there is",
    clause: "TS 24.481 6.3.13.2, RFC 5875 4.3",
    run(peer) {
      const { headers } = first(peer).request;
      const event = headers.get(EVENT);
      const mode = event?.params.get("diff-processing");
      must(MODES.has(mode), `diff-processing is ${mode}`);
    },
  },
  {
    id: "MCC-022",
    title: "accepts xcap-diff documents",
    clause: "RFC 5875 4.4",
    run(peer) {
      const { request } = first(peer);
      const accepted = acceptedTypes(request);
      if (accepted.length === 0) return;
      const fits = accepted.some(
        (type) => type === MEDIA.xcapDiff || type === "application/*" || type === "*/*",
      );
      must(fits, `Accept is ${accepted.join(", ")}`);
    },
  },
  {
    id: "MCC-023",
    title: "says for how long, or leaves it to the GMS",
    clause: "RFC 5875 4.5, RFC 6665 4.1.2.1",
    run(peer) {
      const { headers } = first(peer).request;
      must(headers.get(EXPIRES) !== 0, "Expires is 0");
      if (!headers.has(EXPIRES)) inconclusive("no Expires: RFC 6665 4.1.2.1 has it SHOULD be there");
    },
  },
  {
    id: "MCC-024",
    title: "names itself in From, with a tag, and the GMS in To, without one",
    clause: "RFC 3261 8.1.1.2, 8.1.1.3",
    run(peer) {
      const { headers } = first(peer).request;
      const [from, to] = [headers.need(FROM), headers.need(TO)];
      must((tagOf(from) ?? "").length >= TAG_LENGTH, "From has no tag");
      must(tagOf(to) === undefined, "To has a tag");
      if (from.uri !== peer.options.userUri)
        inconclusive(`From is ${from.uri}: an identity of an IMS, it seems`);
    },
  },
  {
    id: "MCC-025",
    title: "says that it is an MC client",
    clause: "TS 24.481 6.3.13.2",
    run(peer) {
      const { headers } = first(peer).request;
      const contact = headers.get(CONTACT);
      const feature = contact === undefined || contact === "*" ? undefined : contact.params.get(FEATURE);
      const named = decodeURIComponent(feature ?? "").includes(MCPTT_SERVICE);
      const preferred = headers.texts("P-Preferred-Service").join().includes(MCPTT_SERVICE);
      if (!named) inconclusive(`Contact has no ${FEATURE} of ${MCPTT_SERVICE}`);
      if (!preferred) inconclusive(`no P-Preferred-Service ${MCPTT_SERVICE}`);
    },
  },
  {
    id: "MCC-026",
    title: "shows its access token in the mcptt-info part, or in Authorization",
    clause: "TS 24.481 6.3.13.2, RFC 8898 2.2",
    run(peer) {
      const seen = first(peer);
      const shown = tokensOf(seen);
      must(shown.length > 0, "no access token, neither in mcptt-info nor in Authorization");
      const { token } = peer.options;
      must(
        token === undefined || shown.every((one) => one === token),
        "another token than the one that it was given",
      );
      const info = partsOf(seen).has(MEDIA.mcpttInfo);
      if (!info) inconclusive("in Authorization only: TS 24.481 has it in the mcptt-info part");
    },
  },
  {
    id: "MCC-027",
    title: "asks for its GKTP document, or the collection of it",
    clause: "TS 24.481 6.3.13.2, 7.7, RFC 5875 4.4",
    run(peer) {
      const { userUri, group } = peer.options;
      const resources = resourcesOf(first(peer));
      const located = resources.map(
        (one) => locate(one.endsWith("/") ? `${one}gktp.xml` : one, userUri)?.kind,
      );
      const groups = resources.filter((one) => one.replace(/^\//, "").startsWith(GROUP_AUID));
      if (!located.includes("gktp")) fail(`asked for: ${resources.join(", ") || "nothing"}`);
      if (groups.length === 0) inconclusive(`the document of ${group} was not asked for`);
    },
  },
  {
    id: "MCC-028",
    title: "answers the first NOTIFY with 200",
    clause: "RFC 6665 4.1.3",
    async run(peer) {
      first(peer);
      must200(await peer.next(peer.gms.answers, 0));
    },
  },
  {
    id: "MCC-029",
    title: "shows its access token to the XCAP server",
    clause: "5.7.2.y, TS 24.482 A.2.3",
    run(peer) {
      const { all } = peer.gms.requests;
      if (all.length === 0) notApplicable("the client came over SIP only");
      const bare = all.find(({ token }) => !token);
      must(bare === undefined, `${bare?.method} ${bare?.path}: no token`);
    },
  },
];

/** After the messages: the subscription goes on, and comes again. */
export const LIFE_CASES: readonly TestCase<ClientPeer>[] = [
  {
    id: "MCC-070",
    title: "passes over header fields and elements that it does not know",
    clause: "RFC 3261 8.2.2, RFC 5874 4",
    async run(peer) {
      const subscription = subscribed(peer);
      const exchange = peer.transcript.sent("NOTIFY with an unknown header field and an unknown element");
      const known = `<document sel="${GROUP_AUID}/global/byGroupID/${encodeURIComponent(peer.options.group)}" new-etag="1"/>`;
      const root = `<xcap-diff xmlns="urn:ietf:params:xml:ns:xcap-diff" xmlns:x="urn:example:x" xcap-root="${peer.options.origin}/xcap" x:a="1">`;
      const result = await subscription.notify({
        contentType: MEDIA.xcapDiff,
        body: utf8(`${root}<x:extension>text</x:extension>${known}</xcap-diff>`),
        headers: (headers) => headers.append("X-Unknown", 'a value; of=some, "form"'),
      });
      exchange.received = `${result.status} ${result.reason}`;
      must200(result);
    },
  },
  {
    id: "MCC-071",
    title: "answers a NOTIFY without a body with 200",
    clause: "RFC 5875 4.6, RFC 6665 4.1.3",
    async run(peer) {
      must200(await sent(peer, "NOTIFY without a body", {}));
    },
  },
  {
    id: "MCC-072",
    title: "refuses a NOTIFY whose body it cannot read, and stays subscribed",
    clause: "RFC 3261 8.2.3, 21.4.1",
    async run(peer) {
      const broken = { contentType: MEDIA.xcapDiff, body: utf8("<xcap-diff") };
      const { status } = await sent(peer, "NOTIFY with XML that is not well-formed", broken);
      must(status < 500 || status >= 600, `status ${status}: the client failed, and did not refuse`);
      must(peer.gms.subscription !== undefined, `status ${status}: the subscription is over`);
      if (status < 300) inconclusive("answered with 200");
    },
  },
  {
    id: "MCC-073",
    title: "refreshes the subscription before it is over",
    clause: "RFC 6665 4.1.2.2",
    async run(peer) {
      subscribed(peer);
      const { clock, expires, stepMs } = peer.options;
      const isRefresh = (seen: SubscribeSeen) => seen.isRefresh && seen.request.headers.get(EXPIRES) !== 0;
      const seen = await peer.gms.subscribes.find(clock, expires * 1000 + stepMs, isRefresh);
      if (seen === undefined) fail(`no SUBSCRIBE in the dialog within ${expires} s`);
      peer.showSubscribe(seen);
      must(
        peer.gms.ends.all.every(({ cause }) => cause !== "expired"),
        "the subscription expired",
      );
      must(seen.due === undefined || seen.at < seen.due, "the refresh came when the subscription was over");
    },
  },
  {
    id: "MCC-074",
    title: "shows its access token in a refresh too",
    clause: "TS 24.481 6.3.13.2, RFC 8898 2.2",
    run(peer) {
      if (peer.way === "http") notApplicable("the client came over HTTP");
      const seen = known(
        peer.gms.subscribes.all.find(({ isRefresh }) => isRefresh),
        "MCC-073",
      );
      if (tokensOf(seen).length === 0)
        inconclusive("no token: the GMS may take the dialog for proof, or refuse");
    },
  },
  {
    id: "MCC-075",
    title: "subscribes again at once when the GMS ends the subscription as deactivated",
    clause: "RFC 6665 4.1.3",
    async run(peer) {
      const subscription = subscribed(peer);
      const [subscribes, answers] = [peer.gms.subscribes.all.length, peer.gms.answers.all.length];
      const exchange = peer.transcript.sent("NOTIFY, Subscription-State: terminated;reason=deactivated");
      const { status, reason } = await subscription.terminate("deactivated");
      exchange.received = `${status} ${reason}`;
      const isNew = (seen: SubscribeSeen) => !seen.isRefresh;
      const again = await peer.next(peer.gms.subscribes, subscribes, isNew);
      if (again === undefined) fail("no new SUBSCRIBE came");
      peer.showSubscribe(again);
      must200(await peer.next(peer.gms.answers, answers));
    },
  },
];

function first(peer: ClientPeer): SubscribeSeen {
  if (peer.way === "http") notApplicable("the client came over HTTP");
  const seen = peer.firstSubscribe;
  peer.showSubscribe(seen);
  return seen;
}

/** Not applicable over HTTP, inconclusive when the client has left. */
export function subscribed(peer: ClientPeer) {
  if (peer.way === "http") notApplicable("the client came over HTTP");
  return peer.gms.subscription ?? inconclusive("the client is not subscribed any more");
}

async function sent(peer: ClientPeer, about: string, content: { contentType?: string; body?: Uint8Array }) {
  const subscription = subscribed(peer);
  const exchange = peer.transcript.sent(about);
  const result = await subscription.notify(content);
  exchange.received = `${result.status} ${result.reason}`;
  return result;
}

export function must200(result: NotifyResult | undefined): void {
  if (result === undefined) fail("the NOTIFY has no answer");
  const { status, reason } = result;
  must(status >= 200 && status < 300, `answered with ${status} ${reason}`);
}

/** Parts of a body, by media type. */
function partsOf({ request }: Pick<SubscribeSeen, "request">): ReadonlyMap<string, Uint8Array> {
  const [type] = request.headers.texts(CONTENT_TYPE.name);
  if (type === undefined) return new Map();
  if (!mediaTypeOf(type).startsWith("multipart/")) return new Map([[mediaTypeOf(type), request.body]]);
  const parts = readMultipart(type, request.body);
  return new Map(parts.map((part) => [mediaTypeOf(part.contentType), part.body]));
}

export function tokensOf(seen: Pick<SubscribeSeen, "request">): string[] {
  const shown = seen.request.headers
    .all(AUTHORIZATION)
    .flatMap(({ scheme, token }) =>
      scheme.toLowerCase() === "bearer" && token !== undefined ? [token] : [],
    );
  const info = partsOf(seen).get(MEDIA.mcpttInfo);
  const inBody = info === undefined ? undefined : readToken(info);
  return inBody === undefined ? shown : [...shown, inBody];
}

/** A token that is encrypted under a CSK is there, and cannot be read here. */
function readToken(info: Uint8Array): string | undefined {
  try {
    return readMcpttInfo(info).accessToken;
  } catch (error) {
    if (!(error instanceof MikeySakkeError)) throw error;
    fail(`mcptt-info: ${error.code}: ${error.message}`);
  }
}

function resourcesOf(seen: SubscribeSeen): readonly string[] {
  const list = partsOf(seen).get(MEDIA.resourceLists);
  if (list === undefined) fail("no resource list in the body");
  fromUtf8(list, "resource list");
  return readResourceLists(list);
}
