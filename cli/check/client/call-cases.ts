/** Test cases for the signalling of a client's group call (TS 24.379 10.1, TS 33.180 9.3, RFC 3261 12 to 15). */
import { fromUtf8 } from "../../../base/bytes.ts";
import { MEDIA, mediaTypeOf } from "../../../documents/group-xml/index.ts";
import {
  CONTENT_TYPE,
  CSEQ,
  isSameUri,
  nameAddress,
  ROUTE,
  type SipRequest,
  type SipSession,
  TO,
} from "../../../transport/sip/index.ts";
import { fail, inconclusive, known, must, notApplicable, type TestCase } from "../case.ts";
import { mcxOf } from "./binding-cases.ts";
import type { CheckCall } from "./call.ts";
import { contactOf, type InviteSeen } from "./mcx.ts";
import type { ClientPeer } from "./peer.ts";

const SESSION_TYPES: ReadonlySet<string | undefined> = new Set(["prearranged", "chat"]);
/** Far above the numbers that a call comes to, so that what follows it is out of order. */
const HIGH_CSEQ = 100_000;

export const CALL_CASES: readonly TestCase<ClientPeer>[] = [
  {
    id: "MCC-110",
    title: "joins the call of its group with an INVITE",
    clause: "TS 24.379 10.1",
    async run(peer) {
      const { clock, startMs } = peer.options;
      const { invites } = mcxOf(peer);
      const isTaken = ({ error }: InviteSeen) => error === undefined;
      if ((await invites.find(clock, startMs, isTaken)) !== undefined) return show(peer, first(peer));
      const [refused] = invites.all;
      if (refused === undefined) fail("no INVITE came");
      show(peer, refused);
      fail(`the INVITE was refused: ${refused.error?.code}: ${refused.error?.message}`);
    },
  },
  {
    id: "MCC-111",
    title: "names the group and the kind of session in its info document",
    clause: "TS 24.379 10.1, F.1",
    run(peer) {
      const { info } = first(peer);
      const { group } = peer.options;
      must(SESSION_TYPES.has(info?.requestType), `session-type is ${info?.requestType}`);
      const uri = info?.requestUri ?? "missing";
      must(isSameUri(uri, group), `mcptt-request-uri is ${uri}, and not ${group}`);
    },
  },
  {
    id: "MCC-112",
    title: "encrypts its info document under its CSK",
    clause: "9.3.4, TS 24.379 4.8",
    run(peer) {
      must(infoPart(peer).encrypted, "the info document came in clear");
    },
  },
  {
    id: "MCC-113",
    title: "signs its info document under its CSK",
    clause: "9.3.5, TS 24.379 4.8",
    run(peer) {
      must(infoPart(peer).signed, "the info document came without a signature");
    },
  },
  {
    id: "MCC-114",
    title: "offers speech under SRTP, with no key in the description",
    clause: "7.4.1, TS 24.379 4.8, RFC 3711",
    run(peer) {
      const part = partOf(first(peer), MEDIA.sdp);
      const lines = fromUtf8(part.body, "SDP").split(/\r?\n/);
      const keys = lines.filter((line) => /^(?:k=|a=crypto:|a=key-mgmt:)/.test(line));
      must(keys.length === 0, `the offer has ${keys[0]?.split(":", 1)[0]}`);
    },
  },
  {
    id: "MCC-115",
    title: "acknowledges the answer",
    clause: "RFC 3261 13.2.2.4",
    async run(peer) {
      const { call } = await inCall(peer);
      must((await requestOf(peer, call, "ACK")) !== undefined, "no ACK came");
    },
  },
  {
    id: "MCC-116",
    title: "sends the ACK by the route that the answer has recorded",
    clause: "RFC 3261 12.1.2, 12.2.1.1",
    async run(peer) {
      const { call } = await inCall(peer);
      const ack = known(await requestOf(peer, call, "ACK"), "MCC-115");
      const route = known(mcxOf(peer).invites.last?.route, "MCC-110");
      const routes = ack.headers.all(ROUTE).map(({ uri }) => uri);
      must(
        routes.some((uri) => isSameUri(uri, route)),
        `Route is ${routes.join(", ") || "missing"}, and not ${route}`,
      );
    },
  },
];

/** Requests of the server within the session, and beside it. */
export const DIALOG_CASES: readonly TestCase<ClientPeer>[] = [
  {
    id: "MCC-140",
    title: "answers an INVITE within the session, which changes nothing, with its description",
    clause: "RFC 3261 14.2, RFC 4028 9",
    async run(peer) {
      const talking = await inCall(peer);
      const response = await ask(peer, talking, "INVITE");
      must(response.status >= 200 && response.status < 300, `answered with ${response.status}`);
      const [type = ""] = response.headers.texts(CONTENT_TYPE.name);
      must(mediaTypeOf(type) === MEDIA.sdp && response.body.length > 0, "the answer has no description");
      must(talking.session.open, "the session is over");
    },
  },
  {
    id: "MCC-141",
    title: "answers an UPDATE that changes nothing with 200",
    clause: "RFC 3311 5.2, RFC 4028 9",
    async run(peer) {
      const talking = await inCall(peer);
      const { request } = first(peer);
      const allowed = request.headers.texts("Allow").join();
      if (!/\bUPDATE\b/i.test(allowed)) notApplicable("the client does not allow UPDATE");
      const { status } = await ask(peer, talking, "UPDATE");
      must(status >= 200 && status < 300, `answered with ${status}`);
    },
  },
  {
    id: "MCC-142",
    title: "refuses a method that it does not know, and stays in the call",
    clause: "RFC 3261 8.2.1, 12.2.2",
    async run(peer) {
      const talking = await inCall(peer);
      const { status } = await ask(peer, talking, "CHECKING");
      must(status === 405 || status === 501, `answered with ${status}`);
      must(talking.session.open, "the session is over");
    },
  },
  {
    id: "MCC-143",
    title: "refuses a request that came out of order with 500, and stays in the call",
    clause: "RFC 3261 12.2.2",
    async run(peer) {
      const talking = await inCall(peer);
      const at = (number: number) => ask(peer, talking, "OPTIONS", `, CSeq ${number}`, number);
      const high = await at(HIGH_CSEQ);
      must(high.status < 500, `a CSeq that skips numbers was answered with ${high.status}`);
      const { status } = await at(HIGH_CSEQ - 1);
      must(status === 500, `answered with ${status}`);
      must(talking.session.open, "the session is over");
    },
  },
  {
    id: "MCC-144",
    title: "answers a BYE of a session that it does not have with 481, and stays in the call",
    clause: "RFC 3261 15.1.2",
    async run(peer) {
      const { session, call } = await inCall(peer);
      const { request } = first(peer);
      const { endpoint, userUri, mcx } = peer.options;
      const uri = contactOf(request) ?? inconclusive("the INVITE had no Contact");
      const exchange = peer.transcript.sent("BYE with other tags");
      const { flow } = mcxOf(peer);
      const { status, reason } = await endpoint!.request({
        method: "BYE",
        uri,
        from: mcx!.uri,
        headers: (headers) =>
          void headers.set(TO, nameAddress(userUri, new Map([["tag", "check-no-such-tag"]]))),
        ...(flow && { peer: flow }),
      });
      exchange.received = `${status} ${reason}`;
      must(status === 481, `answered with ${status}`);
      must(session.open && !call.isOver, "the session is over");
    },
  },
];

/** The last thing that happens to a call. */
export const END_CASES: readonly TestCase<ClientPeer>[] = [
  {
    id: "MCC-151",
    title: "answers the BYE of the server with 200",
    clause: "RFC 3261 15.1.2, TS 24.379 10.1",
    async run(peer) {
      const talking = await inCall(peer);
      const { status } = await ask(peer, talking, "BYE", "", HIGH_CSEQ + 1);
      await talking.call.close();
      must(status >= 200 && status < 300, `answered with ${status}`);
    },
  },
];

export interface Talking {
  readonly call: CheckCall;
  readonly session: SipSession;
}

/** The call that goes on, or one that begins in time. */
export async function inCall(peer: ClientPeer): Promise<Talking> {
  const mcx = mcxOf(peer);
  first(peer);
  const isOn = (one: CheckCall) => !one.isOver && one.session !== undefined;
  const call = mcx.call ?? (await peer.next(mcx.calls, mcx.calls.all.length));
  if (call === undefined) inconclusive("the client has left the call, and has not come again");
  if (!isOn(call)) await peer.next(call.requests, 0);
  return { call, session: call.session ?? inconclusive("the call did not begin") };
}

async function ask(
  peer: ClientPeer,
  { session, call }: Talking,
  method: string,
  about = "",
  number?: number,
) {
  const exchange = peer.transcript.sent(`${method} within the session${about}`);
  const response = await session.send(method, (headers) => {
    if (number !== undefined) headers.set(CSEQ, { number, method });
  });
  exchange.received = `${response.status} ${response.reason}`;
  if (call.isOver && method !== "BYE") inconclusive("the client has left the call");
  return response;
}

function requestOf(peer: ClientPeer, call: CheckCall, method: string): Promise<SipRequest | undefined> {
  return peer.next(call.requests, 0, (request) => request.method === method);
}

/** The first INVITE that was accepted. */
function first(peer: ClientPeer): InviteSeen {
  return known(
    mcxOf(peer).invites.all.find(({ error }) => error === undefined),
    "MCC-110",
  );
}

function partOf({ parts }: InviteSeen, type: string) {
  return known(
    parts.find(({ contentType }) => mediaTypeOf(contentType) === type),
    "MCC-110",
  );
}

function infoPart(peer: ClientPeer) {
  return partOf(first(peer), MEDIA.mcpttInfo);
}

function show(peer: ClientPeer, { request, parts, error }: InviteSeen): void {
  const types = parts.map(({ contentType }) => mediaTypeOf(contentType)).join(", ");
  const why = error === undefined ? "" : ` (${error.code})`;
  peer.transcript.received(`INVITE ${request.uri}, ${types || "no body"}${why}`);
}
