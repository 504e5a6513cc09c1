/** Step 2 of clause 5.7.2.x: every check refuses with its number, and leaves nothing behind. */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { groupIds, Initiator, Receiver, sealMessage } from "../../../bindings/index.ts";
import { flip } from "../../support/error-code.ts";
import { replace, resigned } from "../../support/forge.ts";
import { seededRandom } from "../../support/random.ts";
import { makeKms } from "../../support/world.ts";
import {
  ALICE,
  AWAY_KMS,
  BOB,
  DAY_MS,
  Device,
  FOREIGN_GROUP,
  GMS,
  GROUP,
  type GroupWorld,
  HOME_KMS,
  makeGroupWorld,
  NOW,
  OTHER_GROUP,
  SECOND,
  summary,
} from "./device.ts";

let world: GroupWorld;
let device: Device;

beforeAll(async () => {
  world = await makeGroupWorld();
});
beforeEach(async () => {
  device = await Device.create(world);
});

async function expectNothing(): Promise<void> {
  expect(await device.disk.list("group-key/")).toEqual([]);
  expect(device.ring.keys()).toEqual([]);
}

describe("a GMK message that passes all checks", () => {
  it("gives GMK, GMK-ID, GUK-ID, groups, activation, expiry and text", async () => {
    const activation = Math.floor(NOW / SECOND) - 60;
    const { octets, gmk } = await world.seal({
      groups: [GROUP, FOREIGN_GROUP],
      parameters: { activation, expiry: activation + 3600, text: "Löschzug 1" },
    });
    expect(summary(await device.take(octets))).toBe("stored");
    const key = device.ring.current(GROUP)!;
    expect(key).toMatchObject({
      gmkId: gmk.keyId,
      groups: [GROUP],
      state: "active",
      activation: activation * SECOND,
      expiry: (activation + 3600) * SECOND,
      text: "Löschzug 1",
      gmsUri: GMS,
    });
    expect(key.gukId).not.toBe(gmk.keyId);
    expect(key.key.reveal()).toEqual(gmk.key);
    expect(key.key.srtpMaster(0).key).toHaveLength(16);
    expect(device.changes).toEqual(["added"]);
  });

  it("is answered in the same way when it is repeated, also after its key period", async () => {
    const { octets } = await world.seal();
    await device.take(octets);
    expect(summary(await device.take(octets))).toBe("known");
    device.now = NOW + 60 * DAY_MS;
    await device.restart();
    expect(summary(await device.take(octets))).toBe("known");
    expect(await device.disk.list("group-key/")).toHaveLength(1);
  });

  it("may have been stored in a document for as long as its key period lasts", async () => {
    const { octets } = await world.seal({ at: NOW - 5 * DAY_MS });
    expect(summary(await device.take(octets))).toBe("stored");
  });

  it("may hide GMS and user, whom the carrier names", async () => {
    const { octets } = await world.seal({ hideInitiator: true, hideResponder: true });
    expect(summary(await device.take(octets))).toBe("stored");
    const foreign = await world.seal({ hideInitiator: true, initiator: world.stranger });
    expect(summary(await device.take(foreign.octets))).toBe("55 HIDDEN_INITIATOR_MISMATCH");
  });
});

describe("a refused GMK message", () => {
  it("octets that are no message are refused", async () => {
    expect(summary(await device.take(new Uint8Array([1, 26, 0])))).toBe("2 TRUNCATED");
    expect(summary(await device.take(new Uint8Array(20_000)))).toBe("1 MESSAGE_TOO_LONG");
    await expectNothing();
  });

  it("a message with a bad signature is refused", async () => {
    const { octets } = await world.seal();
    expect(summary(await device.take(flip(octets, 8 * (octets.length - 20))))).toBe("41 BAD_SIGNATURE");
    await expectNothing();
  });

  it("a message from somebody other than the GMS, or from a GMS of that name under another KMS, is refused", async () => {
    const { octets } = await world.seal({ initiator: world.stranger });
    expect(summary(await device.take(octets))).toBe("42 INITIATOR_NOT_AUTHORISED");
    const own = await world.seal();
    const gms = { uri: GMS, kmsUri: AWAY_KMS };
    expect(summary(await device.take(own.octets, { gms }))).toBe("42 INITIATOR_NOT_AUTHORISED");
    await expectNothing();
  });

  it("a message with keys that a permitted partner KMS issued for our GMS's name is refused", async () => {
    const partner = makeKms(world.core, AWAY_KMS);
    const forger = Initiator.load(partner.domain, [partner.keySet(GMS)]);
    const { plan, messages } = await sealMessage(
      { kind: "GMK", members: [{ uri: ALICE, kmsUri: HOME_KMS }], parameters: { groups: groupIds([GROUP]) } },
      { initiator: forger, domains: [world.home.domain], random: seededRandom("forger") },
      NOW,
    );
    const receiver = Receiver.load([world.home.domain, partner.domain], [world.home.keySet(ALICE)]);
    const keys = { homeKms: HOME_KMS, receiver };
    const { octets } = messages[0]!;
    const taken = await device.take(octets, { keys, gms: { uri: GMS } });
    expect(summary(taken)).toBe("42 INITIATOR_NOT_AUTHORISED");
    await expectNothing();
    // The forgery is sound but for its KMS: whoever names that one takes it.
    const gms = { uri: GMS, kmsUri: AWAY_KMS };
    expect(await device.take(octets, { keys, gms })).toMatchObject({ key: { gmkId: plan.keyId } });
  });

  it("a message for somebody else is refused", async () => {
    const { octets } = await world.seal({ to: BOB });
    expect(summary(await device.take(octets))).toBe("36 NOT_FOR_ME");
    await expectNothing();
  });

  it("a message with another kind of key is refused", async () => {
    const { octets } = await world.seal({ kind: "CSK", groups: [], parameters: null });
    expect(summary(await device.take(octets))).toBe("30 PURPOSE_NOT_ALLOWED");
    await expectNothing();
  });

  it("a message whose key is encapsulated for another RSK is refused", async () => {
    const { octets } = await world.seal();
    const other = await world.seal({ to: BOB });
    const { decodeMessage } = await import("../../../bindings/index.ts");
    const sed = decodeMessage(other.octets).payloads.find((p) => p.payload === "SAKKE")!;
    const swapped = resigned(octets, world.gms, (draft) => replace(draft, "SAKKE", () => sed as never));
    expect(summary(await device.take(swapped))).toBe("44 SAKKE_CHECK_FAILED");
    await expectNothing();
  });

  it("a message whose parameters are missing or do not decrypt is refused", async () => {
    const { octets } = await world.seal();
    const spoilt = resigned(octets, world.gms, (draft) =>
      replace(draft, "GENERAL_EXT", (p) => {
        const data = p.data.slice();
        data[data.length - 1]! ^= 1;
        return { ...p, data };
      }),
    );
    expect(summary(await device.take(spoilt))).toBe("49 PARAMETERS_NOT_AUTHENTIC");
    const bare = await world.seal({ parameters: null });
    expect(summary(await device.take(bare.octets))).toBe("45 KEY_PARAMETERS_MISSING");
    await expectNothing();
  });

  it("a message for no group, or for a group that the client did not ask for, is refused", async () => {
    expect(summary(await device.take((await world.seal({ groups: [] })).octets))).toBe(
      "62 GROUP_IDS_MISSING",
    );
    const { octets } = await world.seal({ groups: [FOREIGN_GROUP] });
    expect(await device.take(octets)).toEqual({ outcome: "unwanted", groups: [FOREIGN_GROUP] });
    await expectNothing();
    expect(summary(await device.take(octets, { expectsGroup: () => true }))).toBe("stored");
  });

  it("an expired message is refused", async () => {
    const expiry = Math.floor(NOW / SECOND) - 1;
    const { octets } = await world.seal({ parameters: { activation: expiry - 60, expiry } });
    expect(summary(await device.take(octets))).toBe("56 KEY_EXPIRED");
    await expectNothing();
  });

  it("a message under an unknown KMS, under another KMS, or of a past key period is refused", async () => {
    const { octets } = await world.seal();
    const away = new TextEncoder().encode(AWAY_KMS);
    for (const [role, refusal] of [
      [6, "33 UNKNOWN_INITIATOR_KMS"],
      [7, "34 RESPONDER_KMS_NOT_MINE"],
    ] as const) {
      const moved = resigned(octets, world.gms, (draft) =>
        replace(
          draft,
          "IDR",
          (p) => ({ ...p, id: away }),
          (p) => p.role === role,
        ),
      );
      const taken = await device.take(moved);
      expect(summary(taken)).toBe(refusal);
      expect(taken).toMatchObject({ parties: { initiator: GMS, responder: ALICE } });
    }
    device.now = NOW + 60 * DAY_MS;
    expect(summary(await device.take(octets))).toBe("38 KEY_PERIOD_NOT_CURRENT");
    const receiver = Receiver.load([world.home.domain], [world.home.keySet(BOB)]);
    const keys = { homeKms: HOME_KMS, receiver };
    device.now = NOW;
    expect(summary(await device.take(octets, { keys }))).toBe("36 NOT_FOR_ME");
    expect(HOME_KMS).not.toBe(AWAY_KMS);
    await expectNothing();
  });
});

describe("a known GMK-ID", () => {
  it("accepts no other key, no other RAND and no other GMS", async () => {
    const { octets, gmk } = await world.seal();
    await device.take(octets);
    const { keyId, key, rand } = gmk;
    const otherKey = await world.seal({ keyId, rand });
    expect(summary(await device.take(otherKey.octets))).toBe("60 KEY_ID_REUSED");
    const otherRand = await world.seal({ keyId, key });
    expect(summary(await device.take(otherRand.octets))).toBe("60 KEY_ID_REUSED");
    const groups = [OTHER_GROUP];
    const otherGms = await world.seal({ ...gmk, initiator: world.stranger, groups });
    const changes = { gms: { uri: world.stranger.uri }, expectsGroup: () => true };
    expect(summary(await device.take(otherGms.octets, changes))).toBe("59 DUPLICATE_KEY_ID");
    expect(device.ring.current(GROUP)!.key.reveal()).toEqual(key);
    expect(device.changes).toEqual(["added"]);
  });

  it("accepts the same key again with other parameters, and no older message after that", async () => {
    const first = await world.seal();
    const skipped = await world.seal({ ...first.gmk, at: NOW + SECOND });
    const second = await world.seal({
      ...first.gmk,
      at: NOW + 2 * SECOND,
      groups: [GROUP, OTHER_GROUP],
      parameters: { text: "both" },
    });
    await device.take(first.octets);
    const held = device.ring.current(GROUP)!.key;
    expect(summary(await device.take(second.octets))).toBe("stored");
    expect(summary(await device.take(first.octets))).toBe("known");
    expect(summary(await device.take(skipped.octets))).toBe("61 NOT_NEWER");
    const renewed = device.ring.current(OTHER_GROUP)!;
    expect(renewed).toMatchObject({ text: "both", groups: [GROUP, OTHER_GROUP] });
    // A caller that uses the key may go on.
    expect(renewed.key).toBe(held);
    expect(device.changes).toEqual(["added", "renewed"]);
  });

  it("keeps its age when its message is renewed", async () => {
    const first = await world.seal({ at: NOW - 3 * SECOND });
    const newer = await world.seal({ at: NOW - 2 * SECOND });
    const renewal = await world.seal({ ...first.gmk, at: NOW - SECOND });
    for (const { octets } of [first, newer, renewal]) await device.take(octets);
    expect(device.ring.current(GROUP)!.gmkId).toBe(newer.gmk.keyId);
  });

  it("is blocked once it was revoked, also before its key came, and its key is gone from the disk", async () => {
    const { octets, gmk } = await world.seal();
    await device.take(octets);
    const { key } = device.ring.current(GROUP)!;
    const revocation = await world.seal({ ...gmk, at: NOW + SECOND, parameters: { revoked: true } });
    expect(summary(await device.take(revocation.octets))).toBe("revoked");
    expect(() => key.reveal()).toThrow("destroyed");
    expect(device.ring.current(GROUP)).toBeUndefined();
    expect(device.ring.byGmkId(gmk.keyId)).toBeUndefined();
    expect(device.ring.keys(GROUP)).toMatchObject([{ state: "revoked", key: undefined }]);
    await device.restart();
    expect(device.ring.isBlocked(gmk.keyId)).toBe(true);
    const again = await world.seal({ ...gmk, at: NOW + 2 * SECOND });
    expect(summary(await device.take(octets))).toBe("58 KEY_ID_REVOKED");
    expect(summary(await device.take(again.octets))).toBe("58 KEY_ID_REVOKED");
    expect(summary(await device.take(revocation.octets))).toBe("known");
    expect(device.changes).toEqual(["added", "revoked"]);

    const other = await world.seal({ parameters: { revoked: true } });
    expect(summary(await device.take(other.octets))).toBe("revoked");
    const late = await world.seal({ ...other.gmk, at: NOW + SECOND });
    expect(summary(await device.take(late.octets))).toBe("58 KEY_ID_REVOKED");
  });

  it("is revoked by its own GMS only", async () => {
    const { octets, gmk } = await world.seal();
    await device.take(octets);
    const foreign = await world.seal({ ...gmk, initiator: world.stranger, parameters: { revoked: true } });
    expect(summary(await device.take(foreign.octets))).toBe("42 INITIATOR_NOT_AUTHORISED");
    expect(device.ring.current(GROUP)).toBeDefined();
  });
});
