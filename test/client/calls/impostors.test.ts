/** Tests what a member who holds the group key cannot do to the others' ears: speak as another untold, and mute another. */
import { describe, expect, it } from "vitest";
import { computeGukId } from "../../../bindings/identity/guk-id.ts";
import { DeliveredKey } from "../../../bindings/index.ts";
import { GroupMedia, writeRtpPacket } from "../../../bindings/media/index.ts";
import { NamedTalkers } from "../../../roles/call/named-talkers.ts";
import { type CallEvent, OffNetworkCall } from "../../../roles/client/calls/index.ts";
import { SsrcSources } from "../../../roles/client/calls/ssrc-sources.ts";
import { gmkOf, rtcp } from "../../media/packets.ts";
import { seededRandom } from "../../support/random.ts";
import { frameOf, Net } from "./medium.ts";
import { ALICE, ALL, BOB, CAROL, GROUP, join, Ring, TestServer } from "./members.ts";

/** A member's key as any other member can compute it. */
function impersonate(key: DeliveredKey, uri: string): DeliveredKey {
  const octets = key.reveal();
  const { kind, keyId, rand } = key;
  return new DeliveredKey(octets.slice(), { kind, keyId, ukId: computeGukId(octets, keyId, uri), rand });
}

function senderOf(key: DeliveredKey, ssrc?: number) {
  return new GroupMedia({ keys: new Ring(key), service: "mcptt" }).sender(ssrc);
}

function speech(sender: ReturnType<typeof senderOf>, sequenceNumber: number): Uint8Array {
  const fields = { marker: false, payloadType: 8, sequenceNumber, timestamp: 160 * sequenceNumber };
  const packet = writeRtpPacket({ ...fields, ssrc: sender.ssrc }, new Uint8Array(160));
  return sender.protect(packet) as Uint8Array;
}

describe("claims of SSRCs in floor control messages", () => {
  it("reserve one SSRC for a named talker, and the previous one for two seconds", () => {
    const talkers = new NamedTalkers();
    expect(talkers.of(1, 0)).toEqual({ users: [], isTheirs: true, isNamed: false });
    talkers.take(ALICE, 1, 0);
    expect(talkers.of(1, 0)).toEqual({ users: [ALICE], isTheirs: true, isNamed: true });
    expect(talkers.of(9, 0)).toEqual({ users: [ALICE], isTheirs: false, isNamed: false });
    talkers.take(BOB, 2, 10_000);
    expect(talkers.of(1, 11_999)).toEqual({ users: [ALICE], isTheirs: true, isNamed: true });
    expect(talkers.of(1, 12_000)).toEqual({ users: [BOB], isTheirs: false, isNamed: false });
    talkers.ended(13_000);
    expect(talkers.of(9, 13_000)).toMatchObject({ users: [], isTheirs: true });
  });

  it("accept a talker without a named SSRC under any SSRC that belongs to nobody", () => {
    const talkers = new NamedTalkers();
    talkers.take(ALICE, 1, 0);
    talkers.take(BOB, undefined, 100);
    expect(talkers.of(7, 100)).toEqual({ users: [BOB], isTheirs: true, isNamed: false });
    expect(talkers.of(1, 100).users).toEqual([ALICE]);
  });

  it("hold for several talkers at a time where several may talk", () => {
    const talkers = new NamedTalkers(true);
    talkers.take(ALICE, 1, 0);
    talkers.take(BOB, 2, 0);
    for (const [ssrc, user] of [
      [1, ALICE],
      [2, BOB],
    ] as const) {
      expect(talkers.of(ssrc, 60_000)).toEqual({ users: [user], isTheirs: true, isNamed: true });
    }
    talkers.ended(60_000, 1);
    expect(talkers.of(1, 70_000).isNamed).toBe(false);
    expect(talkers.of(2, 70_000).isNamed).toBe(true);
  });
});

describe("a member who has the floor and speaks under the previous talker's SSRC", () => {
  it("is not heard while the named talker is heard, and is told once the talker is silent", async () => {
    const net = new Net("as another");
    const server = new TestServer(net);
    const keys = gmkOf(0x0123456, ALL);
    const [alice, bob, carol] = ALL.map((uri, i) => join(net, server, uri, new Ring(keys[i]!)));
    alice!.call.request();
    await net.clock.pass(50);
    for (let n = 0; n < 20; n++) {
      await alice!.call.send(frameOf(n));
      await net.clock.pass(20);
    }
    alice!.call.release();
    await net.clock.pass(3000);
    bob!.call.request();
    await net.clock.pass(50);
    // The server sends on what comes, so that the client has to see it.
    const impostor = senderOf(impersonate(keys[1]!, ALICE));
    const say = (n: number) => server.media.send(speech(impostor, n), carol!.media.address, () => undefined);
    for (let n = 0; n < 30; n++) {
      await bob!.call.send(frameOf(n));
      say(n);
      await net.clock.pass(20);
    }
    const mismatch = { type: "talker-mismatch", ssrc: impostor.ssrc, user: ALICE, claimed: [BOB] };
    expect(carol!.events.filter(({ type }) => type === "talker-mismatch")).toEqual([mismatch]);
    const { notClaimed, mismatches } = carol!.call.counters.media;
    // One may have come before the talker's first.
    expect(notClaimed).toBeGreaterThanOrEqual(29);
    expect(mismatches).toBe(1);
    server.stop();
  });
});

describe("off-network, a member who seals under another's keys", () => {
  const MEDIA = { host: "239.255.0.1", port: 5004 };
  const FLOOR = { host: "239.255.0.1", port: 5005 };

  it("mutes nobody by sequence numbers far ahead, in media or in floor control, in steps or by being first", async () => {
    const net = new Net("mute");
    const keys = gmkOf(0x0123456, ALL);
    const events: CallEvent[] = [];
    const [alice, bob] = [ALICE, BOB].map((userUri, i) => {
      const host = `192.0.2.${50 + i}`;
      return new OffNetworkCall({
        groupUri: GROUP,
        userUri,
        keys: new Ring(keys[i]!),
        mediaPort: net.open(host, MEDIA),
        floorPort: net.open(host, FLOOR),
        group: { media: MEDIA, floor: FLOOR },
        clock: net.clock,
        now: () => net.clock.now(),
        random: seededRandom(userUri),
        members: () => ALL,
        onEvent: (event) => events.push(event),
      });
    });
    // Mallory listens, and sends as Alice as soon as her SSRC is known, before her first packet of media.
    const mallory = net.open("203.0.113.66", FLOOR);
    let forged: ReturnType<typeof senderOf> | undefined;
    mallory.receive((packet) => {
      const ssrc = new DataView(packet.buffer, packet.byteOffset).getUint32(4);
      forged ??= senderOf(impersonate(keys[2]!, ALICE), ssrc);
    });
    alice!.request();
    await net.clock.pass(1);
    const strike = (n: number) => {
      mallory.send(speech(forged!, n & 0xffff), MEDIA, () => undefined);
      const message = forged!.protectRtcp(rtcp(forged!.ssrc, new Uint8Array(8))) as Uint8Array;
      mallory.send(message, FLOOR, () => undefined);
    };
    for (const n of [1, 900, 1800, 20_000, 40_000, 60_000, 5000]) strike(n);
    await net.clock.pass(1000);
    expect(alice!.floor.state).toBe("granted");
    for (let n = 0; n < 60; n++) {
      await alice!.send(frameOf(n));
      strike(6000 + 900 * n);
      await net.clock.pass(20);
    }
    const { media, floor } = bob!.counters;
    expect(media).toMatchObject({ received: 60, refused: { replayed: 0 } });
    expect(media.strangers).toBe(67);
    expect(floor.received).toBeGreaterThan(0);
    expect(bob!.floor).toMatchObject({ state: "taken", talker: ALICE });
    alice!.release();
    await net.clock.pass(100);
    expect(bob!.floor.state).toBe("idle");
    await Promise.all([alice!.close(), bob!.close()]);
    expect(CAROL).toBe(ALL[2]);
  });

  it("takes no SSRC from its owner by filling the memory of SSRC owners", () => {
    const sources = new SsrcSources();
    sources.bind(1, "192.0.2.1");
    for (let ssrc = 1000; ssrc < 50_000; ssrc++) sources.bind(ssrc, "203.0.113.66");
    sources.bind(1, "203.0.113.66");
    expect(sources.isOther(1, "203.0.113.66")).toBe(true);
    expect(sources.isOther(1, "192.0.2.1")).toBe(false);
    expect(sources.isOther(2, "192.0.2.1")).toBe(false);
  });
});
