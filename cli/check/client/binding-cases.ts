/** Test cases for the settings that a client publishes at its MCX server, with its CSK (TS 33.180 5.4, 9.2.1, TS 24.379 7.2). */
import { fromUtf8 } from "../../../base/bytes.ts";
import { keyKind } from "../../../bindings/identity/purpose-tag.ts";
import { CS_IDS, ID_ROLES, MAP_EMPTY, MAP_GENERIC_ID } from "../../../bindings/mikey/codes.ts";
import { decodeMessage } from "../../../bindings/mikey/message.ts";
import { EXPIRES } from "../../../transport/sip/index.ts";
import { fail, inconclusive, known, must, notApplicable, type TestCase } from "../case.ts";
import type { CheckMcx, PublishSeen } from "./mcx.ts";
import type { ClientPeer } from "./peer.ts";

export const BINDING_CASES: readonly TestCase<ClientPeer>[] = [
  {
    id: "MCC-100",
    title: "publishes its settings at the MCX server",
    clause: "TS 24.379 7.2.2, TS 33.180 5.4",
    async run(peer) {
      const { clock, startMs } = peer.options;
      const seen = await mcxOf(peer).publishes.find(clock, startMs);
      if (seen === undefined) fail("no PUBLISH of poc-settings came");
      show(peer, seen);
    },
  },
  {
    id: "MCC-101",
    title: "uploads a CSK that it has signed and sealed to the MC domain",
    clause: "5.4, 9.2.1.2, E.4",
    run(peer) {
      const { mikey, csk, error } = withCsk(peer);
      if (csk !== undefined) return;
      const why = error === undefined ? "" : `: ${error.code}: ${error.message}`;
      fail(mikey === undefined ? `no I_MESSAGE came${why}` : `the I_MESSAGE was refused${why}`);
    },
  },
  {
    id: "MCC-102",
    title: "names itself as the initiator, and the identity of the MC domain as the responder",
    clause: "5.4, E.1.2, TS 24.379 4.8",
    run(peer) {
      const { payloads } = cskMessage(peer);
      const named = (role: number) => {
        const found = payloads.find((one) => one.payload === "IDR" && one.role === role);
        return found?.payload === "IDR" ? fromUtf8(found.id) : undefined;
      };
      const { userUri, mcx } = peer.options;
      const [initiator, responder] = [named(ID_ROLES.INITIATOR), named(ID_ROLES.RESPONDER)];
      if (initiator === undefined || responder === undefined)
        inconclusive("IDRi or IDRr is hidden: a server may ask for their URIs");
      must(initiator === userUri, `IDRi is ${initiator}`);
      must(responder === mcx?.uri, `IDRr is ${responder}`);
    },
  },
  {
    id: "MCC-103",
    title: "says in the header of the message that the key is a CSK for floor control",
    clause: "5.4, annex G, E.4, TS 36.579-1 5.5.9.1",
    run(peer) {
      const { csbId, mapType, csCount, sessions } = cskMessage(peer).hdr;
      must(keyKind(csbId) === "CSK", `the purpose tag of the CSB-ID is ${csbId >>> 28}`);
      const isEmpty = csCount === 0 && mapType === MAP_EMPTY;
      const isGeneric = csCount === 1 && mapType === MAP_GENERIC_ID && sessions[0]?.csId === CS_IDS.MCPTT_CSK;
      must(isEmpty || isGeneric, `#CS is ${csCount}, the map is of type ${mapType}`);
    },
  },
  {
    id: "MCC-104",
    title: "shows its access token when it publishes its settings",
    clause: "TS 24.379 7.2.2, RFC 8898 2.2",
    run(peer) {
      const { token } = withCsk(peer);
      must(token !== undefined, "no access token, neither in an info document nor in Authorization");
      const given = peer.options.token;
      must(given === undefined || token === given, "another token than the one that it was given");
    },
  },
];

/** After the call, as it takes as long as a binding. */
export const RENEWAL_CASES: readonly TestCase<ClientPeer>[] = [
  {
    id: "MCC-150",
    title:
      "renews its settings before they are over, with a CSK or signed under the one that it has uploaded",
    clause: "RFC 3903 4.1, 9.3.5",
    async run(peer) {
      const { clock, expires, stepMs } = peer.options;
      const { publishes } = mcxOf(peer);
      const isRenewal = ({ due, request }: PublishSeen) =>
        due !== undefined && request.headers.get(EXPIRES) !== 0;
      const seen = await publishes.find(clock, expires * 1000 + stepMs, isRenewal);
      if (seen === undefined) fail(`no other PUBLISH within ${expires} s`);
      show(peer, seen);
      must(seen.at <= seen.due!, "the PUBLISH came when the settings were over");
      must(seen.error === undefined, `${seen.error?.code}: ${seen.error?.message}`);
      if (seen.csk === undefined && !seen.isSigned)
        inconclusive("the PUBLISH has neither a CSK nor a signature: only its connection vouches for it");
    },
  },
];

export function mcxOf({ mcx }: ClientPeer): CheckMcx {
  return mcx ?? notApplicable("no MCX server is played");
}

/** The first PUBLISH with a CSK that was taken, or the first of all. */
function withCsk(peer: ClientPeer): PublishSeen {
  const { all } = mcxOf(peer).publishes;
  const seen = known(all.find(({ csk }) => csk !== undefined) ?? all[0], "MCC-100");
  show(peer, seen);
  return seen;
}

function cskMessage(peer: ClientPeer) {
  return decodeMessage(known(withCsk(peer).mikey, "MCC-101"));
}

function show(peer: ClientPeer, { request, mikey, error }: PublishSeen): void {
  const what = mikey === undefined ? "" : `, an I_MESSAGE of ${mikey.length} octets`;
  const why = error === undefined ? "" : ` (${error.code})`;
  peer.transcript.received(`PUBLISH ${request.uri}, ${request.body.length} octets${what}${why}`);
}
