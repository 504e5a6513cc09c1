/** Checks 30 to 42: may this receiver take this message now, and who sent it. */
import { beforeAll, describe, expect, it } from "vitest";
import { Initiator } from "../../../bindings/identity/initiator.ts";
import { KmsDomain } from "../../../bindings/identity/kms-domain.ts";
import { ntpFromUnixMs } from "../../../bindings/identity/ntp.ts";
import { Receiver } from "../../../bindings/identity/receiver.ts";
import type { InitiatorIdentity, OpenContext } from "../../../bindings/mikey/context.ts";
import { openMessage } from "../../../bindings/mikey/open.ts";
import { parseMessage } from "../../../bindings/mikey/parse.ts";
import { verifyMessage } from "../../../bindings/mikey/verify.ts";
import { replace, resigned, signedWithoutHeader } from "../../support/forge.ts";
import { refusedBy } from "../../support/refused-by.ts";
import {
  ALICE,
  AWAY_KMS,
  BOB,
  DAY_MS,
  GMS,
  makeKms,
  makeWorld,
  NOW,
  type World,
} from "../../support/world.ts";

let world: World;
let octets: Uint8Array;

beforeAll(async () => {
  world = await makeWorld();
  octets = (await world.seal()).octets;
});

const verify = (message: Uint8Array, changes: Partial<OpenContext> = {}) =>
  verifyMessage(parseMessage(message), world.context(changes));

const receiver = (...uris: string[]) =>
  Receiver.load(
    [world.home.domain],
    uris.map((uri) => world.home.keySet(uri)),
  );

describe("a message is refused in its procedure:", () => {
  it("except for the message from which these are derived", async () => {
    await expect(openMessage(octets, world.context())).resolves.toMatchObject({ outcome: "accepted" });
  });

  it("30 PURPOSE_NOT_ALLOWED: a GMK where a CSK is expected", async () => {
    await refusedBy("PURPOSE_NOT_ALLOWED", () => verify(octets, { allow: ["CSK", "PCK"] }));
    await refusedBy("PURPOSE_NOT_ALLOWED", () => verify(octets, { allow: [] }));
  });

  it("31 TIME_OUTSIDE_WINDOW: five minutes by default, either side", async () => {
    await refusedBy("TIME_OUTSIDE_WINDOW", () => verify(octets, { now: NOW + 300_001 }));
    await refusedBy("TIME_OUTSIDE_WINDOW", () => verify(octets, { now: NOW - 300_001 }));
    await refusedBy("TIME_OUTSIDE_WINDOW", () => verify(octets, { now: NOW - 300_001, delivery: "stored" }));
    await expect(verify(octets, { now: NOW + 299_999 })).resolves.toBeDefined();
  });

  it("32 REPLAYED: seen before, as the state says", async () => {
    const context = world.context();
    await openMessage(octets, context);
    await refusedBy("REPLAYED", () => verifyMessage(parseMessage(octets), context));
  });

  it("33 UNKNOWN_INITIATOR_KMS", async () => {
    const elsewhere = resigned(octets, world.gms, (m) =>
      replace(
        m,
        "IDR",
        (p) => ({ ...p, id: new TextEncoder().encode(AWAY_KMS) }),
        (p) => p.role === 6,
      ),
    );
    await refusedBy("UNKNOWN_INITIATOR_KMS", () => verify(elsewhere));
  });

  it("34 RESPONDER_KMS_NOT_MINE: known, but not the one that keys me", async () => {
    const away = makeKms(world.core, AWAY_KMS);
    const alice = Receiver.load([world.home.domain, away.domain], [world.home.keySet(ALICE)]);
    const elsewhere = resigned(octets, world.gms, (m) =>
      replace(
        m,
        "IDR",
        (p) => ({ ...p, id: new TextEncoder().encode(AWAY_KMS) }),
        (p) => p.role === 7,
      ),
    );
    await refusedBy("RESPONDER_KMS_NOT_MINE", () => verify(elsewhere, { receiver: alice }));
  });

  it.each([
    ["revoked", { revoked: true }],
    ["not yet valid", { validFrom: NOW + 1 }],
    ["no longer valid", { validTo: NOW - 1 }],
  ])("35 KMS_NOT_VALID: certificate %s at T", async (_name, change) => {
    const domain = KmsDomain.load(world.core, { ...world.home.certificate, ...change });
    const alice = Receiver.load([domain], [world.home.keySet(ALICE)]);
    await refusedBy("KMS_NOT_VALID", () => verify(octets, { receiver: alice }));
  });

  it("36 NOT_FOR_ME: wrong receiver, plain and hidden", async () => {
    const hidden = (await world.seal({ hideResponder: true })).octets;
    for (const message of [octets, hidden]) {
      await refusedBy("NOT_FOR_ME", () => verify(message, { receiver: receiver(BOB) }));
    }
  });

  it("37 NO_KEY_FOR_PERIOD: wrong period", async () => {
    const before = world.home.keySet(ALICE, NOW - 40 * DAY_MS);
    const alice = Receiver.load([world.home.domain], [before]);
    await refusedBy("NO_KEY_FOR_PERIOD", () => verify(octets, { receiver: alice }));
  });

  it("38 KEY_PERIOD_NOT_CURRENT: collected too late, or T before all periods", async () => {
    const late = { now: NOW + 40 * DAY_MS, delivery: "stored" as const };
    await refusedBy("KEY_PERIOD_NOT_CURRENT", () => verify(octets, late));
    const offset = 5_000_000_000;
    const future = makeKms(world.core, "kms.future.example", {
      userKeyPeriod: 2 * offset,
      userKeyOffset: offset,
    });
    const fromFuture = resigned(octets, world.gms, (m) =>
      replace(
        m,
        "IDR",
        (p) => ({ ...p, id: new TextEncoder().encode("kms.future.example") }),
        (p) => p.role === 6,
      ),
    );
    const alice = Receiver.load([world.home.domain, future.domain], [world.home.keySet(ALICE)]);
    await refusedBy("KEY_PERIOD_NOT_CURRENT", () => verify(fromFuture, { receiver: alice }));
  });

  it("39 UID_PERIOD_MISMATCH: my UID, but of another time", async () => {
    const hidden = (await world.seal({ hideResponder: true })).octets;
    const before = world.home.keySet(ALICE, NOW - 40 * DAY_MS);
    const alice = Receiver.load([world.home.domain], [before]);
    const old = resigned(hidden, world.gms, (m) =>
      replace(
        m,
        "IDR",
        (p) => ({ ...p, id: before.uid }),
        (p) => p.role === 9,
      ),
    );
    await refusedBy("UID_PERIOD_MISMATCH", () => verify(old, { receiver: alice }));
  });

  it("40 INITIATOR_NOT_AS_ASSERTED", async () => {
    await refusedBy("INITIATOR_NOT_AS_ASSERTED", () => verify(octets, { from: BOB }));
    await expect(verify(octets, { from: GMS })).resolves.toBeDefined();
  });

  it("41 BAD_SIGNATURE: by somebody else, under another name, or with another T", async () => {
    const stranger = Initiator.load(world.home.domain, [world.home.keySet(BOB)]);
    await refusedBy("BAD_SIGNATURE", () => verify(resigned(octets, stranger, () => {})));
    const renamed = resigned(octets, world.gms, (m) =>
      replace(
        m,
        "IDR",
        (p) => ({ ...p, id: new TextEncoder().encode(BOB) }),
        (p) => p.role === 1,
      ),
    );
    await refusedBy("BAD_SIGNATURE", () => verify(renamed));
    const later = octets.slice();
    later[17]! ^= 1;
    await refusedBy("BAD_SIGNATURE", () => verify(later));
  });

  it("41 BAD_SIGNATURE: the form without SIGN header counts only where configured", async () => {
    const short = signedWithoutHeader(octets, world.gms);
    await refusedBy("BAD_SIGNATURE", () => verify(short));
    await expect(verify(short, { tolerance: { signatureWithoutHeader: true } })).resolves.toBeDefined();
    await expect(verify(octets, { tolerance: { signatureWithoutHeader: true } })).resolves.toBeDefined();
    const stranger = Initiator.load(world.home.domain, [world.home.keySet(BOB)]);
    const forged = signedWithoutHeader(octets, stranger);
    await refusedBy("BAD_SIGNATURE", () => verify(forged, { tolerance: { signatureWithoutHeader: true } }));
  });

  it("42 INITIATOR_NOT_AUTHORISED: asked with the verified identity, before anything is decapsulated", async () => {
    const asked: [InitiatorIdentity, string][] = [];
    const authorise: OpenContext["authorise"] = async (identity, kind) => {
      asked.push([identity, kind]);
      return false;
    };
    await refusedBy("INITIATOR_NOT_AUTHORISED", () => verify(octets, { authorise }));
    const { uid } = world.gms.keyAt(ntpFromUnixMs(NOW));
    expect(asked).toEqual([[{ uri: GMS, uid, kmsUri: world.home.domain.kmsUri }, "GMK"]]);
    const forged = octets.slice();
    forged[octets.length - 1]! ^= 1;
    await refusedBy("BAD_SIGNATURE", () => verify(forged, { authorise }));
    expect(asked).toHaveLength(1);
  });

  it("64 INITIATOR_NOT_OF_KMS: a KMS vouches for the domains of its certificate only, open initiator or hidden", async () => {
    const limited = (...kmsDomains: string[]) =>
      Receiver.load(
        [KmsDomain.load(world.core, { ...world.home.certificate, kmsDomains })],
        [world.home.keySet(ALICE)],
      );
    for (const entries of [["away.example"], [ALICE], ["example"], ["tel:+45"], []]) {
      await refusedBy("INITIATOR_NOT_OF_KMS", () => verify(octets, { receiver: limited(...entries) }));
    }
    for (const entry of ["home.example", "sip:HOME.example", GMS]) {
      await expect(verify(octets, { receiver: limited("away.example", entry) })).resolves.toBeDefined();
    }
    const hidden = (await world.seal({ hideInitiator: true })).octets;
    const open = (...entries: string[]) =>
      openMessage(hidden, world.context({ receiver: limited(...entries), from: GMS }));
    await refusedBy("INITIATOR_NOT_OF_KMS", () => open("away.example"));
    await expect(open("home.example")).resolves.toMatchObject({ outcome: "accepted" });
  });
});
