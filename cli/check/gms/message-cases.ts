/** The I_MESSAGEs that came: form, parties, signature, key and parameters (TS 33.180 5.7.2, annex E). */
import { equal } from "../../../base/bytes.ts";
import { formatKeyId } from "../../../bindings/identity/index.ts";
import { ntpToUnixMs } from "../../../bindings/identity/ntp.ts";
import {
  acceptMessage,
  MemoryReceiverState,
  type OpenedMessage,
  type ParsedMessage,
  parseMessage,
  verifyMessage,
} from "../../../bindings/mikey/index.ts";
import { inspectMessage } from "../../../bindings/mikey/inspect.ts";
import { fail, inconclusive, known, must, notApplicable, type TestCase } from "../case.ts";
import type { GmsPeer, Message } from "./peer.ts";

/** Milliseconds that T may be ahead: the window of a receiver. */
const AHEAD_MS = 300_000;
/** T older than this is of a key period that no receiver holds keys of. */
const PERIODS = 2;

export const MESSAGE_CASES: readonly TestCase<GmsPeer>[] = [
  {
    id: "GMS-060",
    title: "sends I_MESSAGEs in the form of annex E",
    clause: "E.1, E.3, E.7; checks 1 to 29",
    run(peer) {
      for (const message of all(peer)) {
        const [problem] = inspectMessage(message.octets).problems;
        if (problem !== undefined)
          fail(`${at(message)}check ${problem.check} ${problem.code}: ${problem.message}`);
        message.parsed = parseMessage(message.octets);
      }
    },
  },
  {
    id: "GMS-061",
    title: "sends GMKs, by the purpose tag of the GUK-ID",
    clause: "annex G, 5.2.3",
    run(peer) {
      for (const { parsed } of parsedOf(peer)) must(parsed.kind === "GMK", `a ${parsed.kind}`);
    },
  },
  {
    id: "GMS-062",
    title: "addresses them to the user",
    clause: "5.7.1",
    run(peer) {
      const { userUri } = peer.options;
      for (const { parsed } of parsedOf(peer)) {
        const { responder } = parsed;
        if (!responder.hidden) must(responder.uri === userUri, `the responder is ${responder.uri}`);
      }
    },
  },
  {
    id: "GMS-063",
    title: "names itself as initiator",
    clause: "5.7.1",
    run(peer) {
      const { gmsUri, keys } = peer.options;
      for (const { parsed } of parsedOf(peer)) {
        const { initiator, initiatorKms } = parsed;
        if (!initiator.hidden)
          must(initiator.uri === gmsUri, `the initiator is ${initiator.uri}, and not ${gmsUri}`);
        if (initiatorKms !== keys.homeKms)
          inconclusive(`keyed by ${initiatorKms}, and the user by ${keys.homeKms}`);
      }
    },
  },
  {
    id: "GMS-064",
    title: "has a T that is neither ahead nor of a key period long over",
    clause: "RFC 3830 5.4, RFC 6509 3.3",
    run(peer) {
      for (const { parsed } of parsedOf(peer)) {
        const sent = ntpToUnixMs(parsed.time);
        const domain = peer.options.keys.receiver.domain(parsed.responderKms, peer.now);
        const text = `T is ${new Date(sent).toISOString()}`;
        must(sent <= peer.now + AHEAD_MS, `${text}, ahead of the clock`);
        if (domain !== undefined) must(sent >= peer.now - PERIODS * domain.rule.period * 1000, text);
      }
    },
  },
  {
    id: "GMS-065",
    title: "signs with the key of the GMS",
    clause: "5.2.2, 5.7.2, RFC 6507 5.2.2; checks 30 to 42",
    run: async (peer) => void (await eachVerified(peer)),
  },
  {
    id: "GMS-066",
    title: "encapsulates a key that the user opens",
    clause: "5.2.2, RFC 6508 6.2.2; checks 43 to 61",
    run: async (peer) => eachOpened(peer, () => undefined),
  },
  {
    id: "GMS-067",
    title: "sends parameters of the key, encrypted under it",
    clause: "5.2.4, 5.7.2, E.6; checks 45 to 51",
    run: async (peer) =>
      eachOpened(peer, ({ parameters }) => must(parameters !== undefined, "no key parameters")),
  },
  {
    id: "GMS-068",
    title: "names the group of the key",
    clause: "5.7.2 step 2, E.6.3",
    async run(peer) {
      const group = peer.options.group ?? notApplicable("no --group was given");
      const named: string[] = [];
      await eachOpened(peer, ({ parameters }) => {
        named.push(...(parameters?.groups.map(({ uri }) => uri) ?? []));
      });
      must(named.includes(group), `keys of ${named.join(", ") || "no group"}`);
    },
  },
  {
    id: "GMS-069",
    title: "sends a key that is not revoked, and does not expire before it is used",
    clause: "E.6.4, E.6.9, E.6.10",
    run: async (peer) =>
      eachOpened(peer, (opened) => {
        if (opened.outcome === "revoked") inconclusive(`GMK ${formatKeyId(opened.keyId)} is revoked`);
        const { activation, expiry } = opened;
        must(expiry === undefined || expiry > activation, "it expires before its activation");
      }),
  },
  {
    id: "GMS-070",
    title: "sends the same key over SIP and HTTP",
    clause: "5.7.2",
    async run(peer) {
      const seen = new Map<string, { readonly from: string; readonly key: Uint8Array }>();
      await eachOpened(peer, (opened, { from }) => {
        if (opened.outcome === "revoked") return;
        const id = formatKeyId(opened.keyId);
        const key = opened.key.reveal();
        const before = seen.get(id);
        if (before === undefined) seen.set(id, { from, key });
        else must(equal(before.key, key), `two keys have the GMK-ID ${id}`);
      });
      for (const { key } of seen.values()) key.fill(0);
      if (new Set(all(peer).map(({ from }) => from)).size < 2) notApplicable("messages came one way only");
    },
  },
];

function all(peer: GmsPeer): Message[] {
  return peer.messages.length > 0 ? peer.messages : inconclusive("no I_MESSAGE came");
}

function parsedOf(peer: GmsPeer): { readonly message: Message; readonly parsed: ParsedMessage }[] {
  return all(peer).map((message) => ({ message, parsed: known(message.parsed, "GMS-060") }));
}

async function eachVerified(peer: GmsPeer) {
  const { gmsUri, keys } = peer.options;
  const verified = [];
  for (const { message, parsed } of parsedOf(peer)) {
    verified.push({
      message,
      verified: await verifyMessage(parsed, {
        receiver: keys.receiver,
        state: new MemoryReceiverState(),
        now: peer.now,
        allow: ["GMK"],
        authorise: ({ uri }) => uri === gmsUri,
        // What lies in a document may have been sent long before; GMS-064 judges the time.
        delivery: "stored",
        from: () => gmsUri,
      }),
    });
  }
  return verified;
}

async function eachOpened(
  peer: GmsPeer,
  look: (opened: OpenedMessage, message: Message) => void,
): Promise<void> {
  for (const { message, verified } of await eachVerified(peer).catch(() =>
    inconclusive("follows from GMS-065, which did not pass"),
  )) {
    const opened = await acceptMessage(verified);
    try {
      look(opened, message);
    } finally {
      if (opened.outcome === "accepted") opened.key.destroy();
    }
  }
}

function at({ from }: Message): string {
  return from === "http" ? "in the GKTP document: " : "in the NOTIFY: ";
}
