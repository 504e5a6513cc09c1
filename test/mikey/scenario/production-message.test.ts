/** A message that another vendor's production library made: opened, and made again with the same choices. */
import { beforeAll, describe, expect, it } from "vitest";
import { toHex } from "../../../base/bytes.ts";
import { load } from "../../../bindings/core/core.ts";
import { Initiator } from "../../../bindings/identity/initiator.ts";
import { KmsDomain } from "../../../bindings/identity/kms-domain.ts";
import { ntpFromUnixMs, ntpToUnixMs } from "../../../bindings/identity/ntp.ts";
import { keyIdFromBytes } from "../../../bindings/identity/purpose-tag.ts";
import { Receiver } from "../../../bindings/identity/receiver.ts";
import type { AcceptedMessage } from "../../../bindings/mikey/accept.ts";
import type { OpenContext } from "../../../bindings/mikey/context.ts";
import { defaultKeyParameters } from "../../../bindings/mikey/key-parameters.ts";
import { decodeMessage } from "../../../bindings/mikey/message.ts";
import { openMessage } from "../../../bindings/mikey/open.ts";
import { parseMessage } from "../../../bindings/mikey/parse.ts";
import { decodeProtectedPayload } from "../../../bindings/mikey/protected-payload.ts";
import { Reader } from "../../../bindings/mikey/reader.ts";
import { MemoryReceiverState } from "../../../bindings/mikey/receiver-state.ts";
import { sealMessage } from "../../../bindings/mikey/seal.ts";
import { GMK_PROFILE } from "../../../bindings/mikey/srtp-profile.ts";
import { seededRandom } from "../../support/random.ts";
import { refusedBy } from "../../support/refused-by.ts";
import { productionGmk } from "../../support/vectors.ts";

const { kms, gms, alice, message: vector } = productionGmk();
const sentAt = ntpToUnixMs(parseMessage(vector.octets).time);

let domain: KmsDomain;
let receiver: Receiver;
let initiator: Initiator;

beforeAll(async () => {
  domain = KmsDomain.load(await load(), {
    kmsUri: kms.uri,
    userIdFormat: kms.userIdFormat,
    userKeyPeriod: kms.userKeyPeriod,
    userKeyOffset: kms.userKeyOffset,
    pubEncKey: kms.zt,
    pubAuthKey: kms.kpak,
  });
  receiver = Receiver.load([domain], [{ ...alice, kmsUri: kms.uri }]);
  initiator = Initiator.load(domain, [{ ...gms, kmsUri: kms.uri }]);
});

function context(changes: Partial<OpenContext> = {}): OpenContext {
  return {
    receiver,
    state: new MemoryReceiverState(),
    now: sentAt + 1000,
    allow: ["GMK"],
    authorise: ({ uri }) => uri === vector.initiatorUri,
    from: vector.initiatorUri,
    ...changes,
  };
}

describe("the production GMK message", () => {
  it("opens with the published key, identifiers and parameters", async () => {
    const opened = (await openMessage(vector.octets, context())) as AcceptedMessage;
    expect(opened.outcome).toBe("accepted");
    expect(toHex(opened.key.reveal())).toBe(toHex(vector.gmk));
    expect(opened.keyId).toBe(0x0df9bc39);
    expect(opened.key.ukId).toBe(0x06a12aea);
    expect(toHex(opened.key.rand)).toBe(toHex(vector.rand));
    expect(opened.initiator.uri).toBe(vector.initiatorUri);
    expect(opened.recipient).toEqual({ uri: vector.responderUri, kmsUri: kms.uri, role: "responder" });
    expect(opened.parameters).toEqual(defaultKeyParameters("GMK"));
    expect(opened.profile?.roc).toEqual({ rate: 1 });
    expect(opened.activation).toBe(sentAt);
    expect(opened.expiry).toBeUndefined();
  });

  it("needs an explicit reference time near its own", async () => {
    await refusedBy("TIME_OUTSIDE_WINDOW", () =>
      openMessage(vector.octets, context({ now: sentAt + 300_001 })),
    );
    await expect(openMessage(vector.octets, context({ now: sentAt + 300_000 }))).resolves.toBeDefined();
  });

  it("is refused when the carrier names another initiator, or none", async () => {
    const other = context({ from: "sip:other@streamwide.com" });
    await refusedBy("HIDDEN_INITIATOR_MISMATCH", () => openMessage(vector.octets, other));
    const { from, ...nobody } = context();
    await refusedBy("HIDDEN_INITIATOR_UNKNOWN", () => openMessage(vector.octets, nobody));
  });
});

describe("the production GMK message sealed here", () => {
  it("equals the published one octet for octet apart from random values, times and signature", async () => {
    const random = seededRandom("production");
    const { messages } = await sealMessage(
      {
        kind: "GMK",
        members: [{ uri: vector.responderUri }],
        key: vector.gmk,
        keyId: keyIdFromBytes(vector.gmkId),
        rand: vector.rand,
        hideInitiator: true,
        hideResponder: true,
        srtp: { sessions: [{ csId: 4 }], parameters: GMK_PROFILE.filter((p) => p.type !== 13) },
        parameters: {},
        parametersDate: 1,
      },
      { initiator, domains: [], random },
      sentAt,
    );
    const [ours, theirs] = [messages[0]!.octets, vector.octets];
    expect(ours.length).toBe(theirs.length);

    // Only the IV of the key parameters, the octets encrypted with it, and r and s of the signature may differ.
    const { payloads, offsets } = decodeMessage(theirs);
    const extension = offsets[payloads.findIndex((p) => p.payload === "GENERAL_EXT")]!;
    const [iv, sealed] = [extension + 4 + 12, extension + 4 + 35];
    const random16 = [iv, iv + 16] as const;
    const ciphertext = [sealed, sealed + 36] as const;
    const signature = [theirs.length - 129, theirs.length - 65] as const;
    const blank = (octets: Uint8Array) => {
      const copy = octets.slice();
      for (const [from, to] of [random16, ciphertext, signature]) copy.fill(0, from, to);
      return toHex(copy);
    };
    expect(blank(ours)).toBe(blank(theirs));

    // The same IV gives the same ciphertext, see protected-payload.test.ts; here the two are told apart.
    const ivOf = (octets: Uint8Array) =>
      toHex(decodeProtectedPayload(new Reader(octets, { start: extension + 4, end: sealed + 36 })).iv);
    expect(ivOf(ours)).not.toBe(ivOf(theirs));
    await expect(openMessage(ours, context({ now: sentAt }))).resolves.toMatchObject({ keyId: 0x0df9bc39 });
  });

  it("has the T of the published one, since a whole second is one T", () => {
    expect(ntpFromUnixMs(sentAt)).toBe(0xec898da800000000n);
  });
});
