/** A GMS keys a group: one GMK, one message per member, everybody can follow everybody's media. */
import { beforeAll, describe, expect, it } from "vitest";
import { toHex } from "../../../base/bytes.ts";
import { Initiator } from "../../../bindings/identity/initiator.ts";
import { ntpFromUnixMs, ntpUnfold } from "../../../bindings/identity/ntp.ts";
import { Receiver } from "../../../bindings/identity/receiver.ts";
import type { AcceptedMessage } from "../../../bindings/mikey/accept.ts";
import { type SealedMessage, type SealKeys, sealSlice } from "../../../bindings/mikey/build.ts";
import { CS_IDS } from "../../../bindings/mikey/codes.ts";
import { groupIds } from "../../../bindings/mikey/key-parameters.ts";
import { openMessage } from "../../../bindings/mikey/open.ts";
import { destroyPlan, planSeal, type SealPlan, type SealRequest } from "../../../bindings/mikey/plan.ts";
import { sealGroup } from "../../../bindings/mikey/seal.ts";
import { seededRandom } from "../../support/random.ts";
import { GMS, makeWorld, NOW, type World } from "../../support/world.ts";

let world: World;
let keys: SealKeys;
const members = ["alice", "bob", "carol", "dave", "erin"].map((name) => ({
  uri: `sip:${name}@home.example`,
}));
const request: SealRequest = {
  kind: "GMK",
  members,
  parameters: { text: "fire", groups: groupIds(["sip:g1"]) },
};

beforeAll(async () => {
  world = await makeWorld();
  keys = { initiator: world.gms, domains: [world.home.domain], random: seededRandom("group") };
});

function plan(changes: Partial<SealRequest> = {}, random = keys.random): SealPlan {
  return planSeal({ ...request, ...changes }, { initiator: world.gms, random, now: NOW });
}

async function open(message: SealedMessage): Promise<AcceptedMessage> {
  const receiver = Receiver.load([world.home.domain], [world.home.keySet(message.uri)]);
  return (await openMessage(message.octets, world.context({ receiver }))) as AcceptedMessage;
}

describe("a group that gets a key", () => {
  let sealed: SealedMessage[];
  let opened: AcceptedMessage[];
  let group: SealPlan;

  beforeAll(async () => {
    group = plan();
    sealed = [];
    for await (const batch of sealGroup(group, keys, { batchSize: 2 })) sealed.push(...batch);
    opened = await Promise.all(sealed.map(open));
  });

  it("gets one key, one GMK-ID and one RAND", () => {
    for (const { key, keyId } of opened) {
      expect(toHex(key.reveal())).toBe(toHex(group.key));
      expect(toHex(key.rand)).toBe(toHex(group.rand));
      expect(keyId).toBe(group.keyId);
    }
    expect(sealed.map((m) => m.uri)).toEqual(members.map((m) => m.uri));
  });

  it("gets a GUK-ID and a T of its own for each member", () => {
    expect(new Set(opened.map((o) => o.key.ukId)).size).toBe(members.length);
    expect(opened.map((o) => o.key.ukId)).toEqual(group.members.map((m) => m.csbId));
    expect(new Set(opened.map((o) => o.time)).size).toBe(members.length);
    expect(sealed.map((m) => ntpUnfold(m.time) - ntpUnfold(group.time))).toEqual([0n, 1n, 2n, 3n, 4n]);
  });

  it("learns its group IDs and text", () => {
    for (const { parameters } of opened) {
      expect(parameters).toMatchObject({
        text: "fire",
        groups: [{ iei: 0x7b, uri: "sip:g1" }],
        revoked: false,
      });
    }
  });

  it("can derive the media key of any sender, and only with the right crypto session", () => {
    const [alice, bob] = [opened[0]!.key, opened[1]!.key];
    const sent = bob.srtpMaster(CS_IDS.MCPTT_GROUP);
    expect(alice.srtpMaster(CS_IDS.MCPTT_GROUP, bob.ukId)).toEqual(sent);
    expect(alice.srtpMaster(CS_IDS.MCPTT_GROUP)).not.toEqual(sent);
    expect(alice.srtpMaster(CS_IDS.MCVIDEO_GROUP, bob.ukId)).not.toEqual(sent);
    expect(alice.dpck()).toEqual(bob.dpck());
  });

  it("can destroy the key", async () => {
    const { key } = await open(sealed[0]!);
    key.destroy();
    expect(() => key.reveal()).toThrow(expect.objectContaining({ code: "DESTROYED" }));
    const temporary = plan();
    destroyPlan(temporary);
    expect(toHex(temporary.key)).toBe("00".repeat(16));
  });
});

describe("sealing in slices", () => {
  it("gives with a cloned plan the result of one piece, except for random values", async () => {
    const group = plan();
    const whole = await sealSlice(group, { ...keys, random: sevens });
    const clone = structuredClone(group);
    const parts = [
      ...(await sealSlice(clone, { ...keys, random: sevens }, 0, 2)),
      ...(await sealSlice(clone, { ...keys, random: sevens }, 2)),
    ];
    const unsigned = (m: SealedMessage) => toHex(m.octets.slice(0, -129));
    expect(parts.map(unsigned)).toEqual(whole.map(unsigned));
    expect(await sealSlice(group, keys, 5, 5)).toEqual([]);
  });

  it("goes on where it stopped, and stops when told", async () => {
    const group = plan();
    const rest: string[] = [];
    for await (const batch of sealGroup(group, keys, { start: 3 })) rest.push(...batch.map((m) => m.uri));
    expect(rest).toEqual(members.slice(3).map((m) => m.uri));

    const abort = new AbortController();
    const done: string[] = [];
    const run = async () => {
      for await (const batch of sealGroup(group, keys, { batchSize: 2, signal: abort.signal })) {
        done.push(...batch.map((m) => m.uri));
        abort.abort(new Error("enough"));
      }
    };
    await expect(run()).rejects.toThrow("enough");
    expect(done).toHaveLength(2);
  });

  it("refuses keys of another initiator and members of an unknown KMS", async () => {
    const other = Initiator.load(world.home.domain, [world.home.keySet("sip:other@home.example")]);
    await expect(sealSlice(plan(), { ...keys, initiator: other })).rejects.toMatchObject({
      code: "OTHER_INITIATOR",
    });
    const away = plan({ members: [{ uri: "sip:x@away.example", kmsUri: "kms.away.example" }] });
    await expect(sealSlice(away, keys)).rejects.toMatchObject({ kind: "usage", code: "UNKNOWN_KMS" });
  });
});

/** The same octets whatever is drawn, so that slices do not differ by what was drawn before. */
const sevens = (length: number) => new Uint8Array(length).fill(7);

describe("the timestamps of an initiator", () => {
  it("are never given twice, even within one millisecond", () => {
    const initiator = Initiator.load(world.home.domain, [world.home.keySet(GMS)]);
    const first = initiator.reserveTimes(NOW, 1000);
    expect(initiator.reserveTimes(NOW, 1000)).toBe(first + 1000n);
    expect(initiator.reserveTimes(NOW - 5000, 1)).toBe(first + 2000n);
    expect(initiator.reserveTimes(NOW + 1000, 1)).toBe(ntpFromUnixMs(NOW + 1000));
  });

  it("of one batch lie in one second, so that they share a key period", () => {
    const initiator = Initiator.load(world.home.domain, [world.home.keySet(GMS)]);
    const millisecond = 2 ** 32 / 1000;
    const time = initiator.reserveTimes(NOW + 999, Math.ceil(2 * millisecond));
    expect(time).toBe(ntpFromUnixMs(NOW + 1000));
  });
});

describe("the planning of messages", () => {
  // Found by search: under this GMK both have the user salt 2933da2.
  const gmk = Uint8Array.from({ length: 16 }, (_, i) => i);
  const colliding = ["sip:user4977@home.example", "sip:user24586@home.example"].map((uri) => ({ uri }));

  it("draws another GMK when two members would share a GUK-ID", () => {
    const later = seededRandom("later");
    let draws = 0;
    const random = (length: number) => (length === 16 && draws++ === 0 ? gmk.slice() : later(length));
    const group = plan({ members: colliding }, random);
    expect(toHex(group.key)).not.toBe(toHex(gmk));
    expect(group.members[0]!.csbId).not.toBe(group.members[1]!.csbId);
  });

  it("fails when the GMK is given, or none can be found", () => {
    const collision = expect.objectContaining({ kind: "usage", code: "GUK_ID_COLLISION" });
    expect(() => plan({ members: colliding, key: gmk })).toThrow(collision);
    expect(() => plan({ members: colliding }, (n) => gmk.slice(0, n))).toThrow(collision);
    expect(() => plan({ members: colliding, key: gmk, kind: "MuSiK", parameters: {} })).not.toThrow();
  });

  it.each([
    ["NO_MEMBERS", { members: [] }],
    ["BAD_MEMBER", { members: [{ uri: "" }] }],
    ["DUPLICATE_MEMBER", { members: [members[0]!, members[1]!, members[0]!] }],
    ["WRONG_LENGTH", { key: new Uint8Array(32) }],
    ["WRONG_LENGTH", { rand: new Uint8Array(15) }],
    ["BAD_KEY_ID", { keyId: 0x10000000 }],
    ["BAD_KEY_ID", { keyId: -1 }],
    ["FIELD_OUT_OF_RANGE", { parameters: { expiry: -1 } }],
  ])("is refused with %s", (code, changes) => {
    expect(() => plan(changes)).toThrow(expect.objectContaining({ kind: "usage", code }));
  });

  it("needs a signing key for the period", () => {
    const late = planSeal(request, { initiator: world.gms, random: keys.random, now: NOW + 40 * 86400_000 });
    return expect(sealSlice(late, keys)).rejects.toMatchObject({ kind: "usage", code: "NO_SIGNING_KEY" });
  });
});
