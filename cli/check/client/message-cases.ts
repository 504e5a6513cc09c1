/** Test cases for good and bad messages to a client (TS 33.180 5.7.2 step 2, annex E, docs/validation.md). */
import { utf8 } from "../../../base/bytes.ts";
import { groupIds, type KeyId } from "../../../bindings/index.ts";
import { ID_ROLES } from "../../../bindings/mikey/codes.ts";
import { atSameHost } from "../at-same-host.ts";
import { known, must, type TestCase } from "../case.ts";
import { type Edit, edited, flip, type MessageDraft, replace } from "../forge.ts";
import { type ClientPeer, DAY_MS, LONG_AGO_MS, type Sealed } from "./peer.ts";

interface Refused {
  readonly id: string;
  /** The title goes on: refuses a message … */
  readonly title: string;
  readonly clause: string;
  readonly make: (peer: ClientPeer) => Promise<Uint8Array>;
}

/** Each has one fault, and its signature verifies unless that is the fault. */
const REFUSED: readonly Refused[] = [
  {
    id: "MCC-042",
    title: "whose signature is not that of its octets",
    clause: "5.7.2 step 2, RFC 6507 5.2.2; check 41",
    make: async (peer) => {
      const { octets } = await peer.seal();
      return flip(octets, 8 * (octets.length - 20));
    },
  },
  {
    id: "MCC-043",
    title: "that was changed after it was signed",
    clause: "5.7.2 step 2, RFC 6507 5.2.2; check 41",
    make: async (peer) => edited((await peer.seal()).octets, tick),
  },
  {
    id: "MCC-044",
    title: "that somebody else signed in the name of the GMS",
    clause: "5.7.2 step 2, RFC 6507 5.2.2; check 41",
    make: async (peer) => peer.resign((await peer.seal()).octets, () => undefined, peer.stranger),
  },
  {
    id: "MCC-045",
    title: "of somebody who may not create groups",
    clause: "5.7.1, 5.7.2 step 2; check 42",
    make: async (peer) => (await peer.seal({ initiator: peer.stranger })).octets,
  },
  {
    id: "MCC-046",
    title: "that is addressed to another user",
    clause: "5.7.1; check 36",
    make: async (peer) => (await peer.seal({ to: otherUser(peer) })).octets,
  },
  {
    id: "MCC-047",
    title: "whose key is encapsulated for the UID of another user",
    clause: "F.2.1, RFC 6508 6.2.2; check 43",
    async make(peer) {
      const { octets } = await peer.seal({ to: otherUser(peer) });
      return peer.resign(octets, named(ID_ROLES.RESPONDER, peer.options.userUri));
    },
  },
  {
    id: "MCC-048",
    title: "whose SAKKE payload was altered",
    clause: "RFC 6508 6.2.2; check 43",
    make: async (peer) =>
      peer.resign((await peer.seal()).octets, (draft) =>
        replace(draft, "SAKKE", (payload) => ({
          ...payload,
          sed: flip(payload.sed, 8 * (payload.sed.length - 1)),
        })),
      ),
  },
  {
    id: "MCC-049",
    title: "whose GUK-ID was altered, and with it the GMK-ID",
    clause: "5.2.3, 5.2.4; check 49",
    make: async (peer) =>
      peer.resign((await peer.seal()).octets, (draft) => {
        draft.hdr = { ...draft.hdr, csbId: (draft.hdr.csbId ^ 1) as KeyId };
      }),
  },
  {
    id: "MCC-050",
    title: "with another GMK under a GMK-ID that it has",
    clause: "5.7.2 step 2; check 59",
    make: async (peer) => (await peer.seal({ keyId: key(peer).gmk.keyId })).octets,
  },
  {
    id: "MCC-051",
    title: "whose T is a day ahead",
    clause: "RFC 3830 5.4, RFC 6509 2.2",
    make: async (peer) => (await peer.seal({ at: peer.now + DAY_MS, initiator: peer.signer() })).octets,
  },
  {
    id: "MCC-052",
    title: "whose T is of a key period that is long over",
    clause: "RFC 3830 5.4, RFC 6509 3.3; check 38",
    make: async (peer) => (await peer.seal({ at: peer.now - LONG_AGO_MS, initiator: peer.signer() })).octets,
  },
  {
    id: "MCC-053",
    title: "whose initiator has a KMS that it does not know",
    clause: "5.2.7, 5.2.8, E.1.2",
    make: async (peer) =>
      peer.resign((await peer.seal()).octets, named(ID_ROLES.INITIATOR_KMS, "unknown-kms.invalid")),
  },
  {
    id: "MCC-054",
    title: "that names another KMS for the user than the user has",
    clause: "5.2.7, 5.2.8, E.1.2",
    make: async (peer) =>
      peer.resign((await peer.seal()).octets, named(ID_ROLES.RESPONDER_KMS, "unknown-kms.invalid")),
  },
  {
    id: "MCC-055",
    title: "whose key parameters do not decrypt",
    clause: "5.2.4, 5.7.2 step 2; check 49",
    make: async (peer) =>
      peer.resign((await peer.seal()).octets, (draft) =>
        replace(draft, "GENERAL_EXT", (payload) => ({
          ...payload,
          data: flip(payload.data, 8 * (payload.data.length - 1)),
        })),
      ),
  },
  {
    id: "MCC-056",
    title: "with a GMK that is for no group",
    clause: "5.7.2 step 2, E.6.3; checks 45 and 63",
    make: async (peer) => (await peer.seal({ parameters: { groups: groupIds([]) } })).octets,
  },
  {
    id: "MCC-057",
    title: "whose key is no GMK by its purpose tag",
    clause: "5.2.3, annex G",
    make: async (peer) => (await peer.seal({ kind: "CSK", parameters: null })).octets,
  },
  {
    id: "MCC-058",
    title: "that ends in the midst of a payload",
    clause: "RFC 3830 6, E.1.2; checks 1 to 29",
    make: async (peer) => (await peer.seal()).octets.subarray(0, 200),
  },
  {
    id: "MCC-059",
    title: "of another version of MIKEY",
    clause: "RFC 3830 6.1, E.1.2; checks 1 to 29",
    make: async (peer) =>
      peer.resign((await peer.seal()).octets, (draft) => {
        draft.hdr = { ...draft.hdr, version: 2 };
      }),
  },
];

export const FIRST_CASES: readonly TestCase<ClientPeer>[] = [
  {
    id: "MCC-040",
    title: "takes a message with a GMK of its group",
    clause: "5.7.2 step 2",
    async run(peer) {
      const sealed = await peer.seal();
      await peer.requireTaken(sealed.octets, "a GMK");
      peer.taken = sealed;
    },
  },
];

export const MESSAGE_CASES: readonly TestCase<ClientPeer>[] = [
  {
    id: "MCC-041",
    title: "takes or refuses the same message when it comes again, and does not fail",
    clause: "RFC 3830 5.4",
    async run(peer) {
      const { outcome, text } = await peer.bring(key(peer).octets, "the same message again");
      must(outcome !== "failed", `${text}: the client failed`);
    },
  },
  ...REFUSED.map(
    ({ id, title, clause, make }): TestCase<ClientPeer> => ({
      id,
      title: `refuses a message ${title}`,
      clause,
      async run(peer) {
        await peer.requireRefused(await make(peer), `a message ${title}`);
      },
    }),
  ),
  {
    id: "MCC-060",
    title: "takes the next GMK of its group, while the one before is in use",
    clause: "5.7.1, 5.7.2 step 2",
    async run(peer) {
      const before = key(peer);
      const next = await peer.seal();
      await peer.requireTaken(next.octets, "another GMK of the same group");
      peer.replaced = before;
      peer.taken = next;
    },
  },
  {
    id: "MCC-061",
    title: "takes the revocation of a GMK",
    clause: "5.7.2 step 3, E.6.9",
    async run(peer) {
      const { gmk } = known(peer.replaced, "MCC-060");
      const revocation = await peer.seal({ ...gmk, parameters: { revoked: true } });
      await peer.requireTaken(revocation.octets, "the revocation of the GMK before");
      peer.revoked = peer.replaced;
    },
  },
  {
    id: "MCC-062",
    title: "refuses a GMK that was revoked",
    clause: "5.7.2 step 3, E.6.9; check 58",
    async run(peer) {
      const { gmk } = known(peer.revoked, "MCC-061");
      const { octets } = await peer.seal(gmk);
      await peer.requireRefused(octets, "the GMK that was revoked");
    },
  },
  {
    id: "MCC-063",
    title: "takes a message that renews the GMK which is left",
    clause: "5.7.2 step 2, RFC 6509 3.3",
    async run(peer) {
      const { octets, gmk } = await peer.seal(key(peer).gmk);
      await peer.requireTaken(octets, "the same GMK with a newer T");
      peer.taken = { octets, gmk };
    },
  },
];

/** After all else: what a GMS lays into the document once more must not be lost on a client that came again. */
export const AGAIN_CASES: readonly TestCase<ClientPeer>[] = [
  {
    id: "MCC-080",
    title: "takes a GMK after all that",
    clause: "5.7.2 step 2",
    async run(peer) {
      key(peer);
      await peer.requireTaken((await peer.seal()).octets, "a GMK");
    },
  },
];

function key(peer: ClientPeer): Sealed {
  return known(peer.taken, "MCC-040");
}

function otherUser({ options }: ClientPeer): string {
  return atSameHost(options.userUri, "check-other");
}

function named(role: number, uri: string): Edit {
  return (draft) =>
    replace(
      draft,
      "IDR",
      (payload) => ({ ...payload, id: utf8(uri) }),
      (payload) => payload.role === role,
    );
}

/** The smallest unit of the time. */
function tick(draft: MessageDraft): void {
  replace(draft, "T", (payload) => ({ ...payload, value: payload.value + 1n }));
}
