/**
 * Tests what neither members of a call nor outsiders who send to it can do to the others: floor control, streams and
 * loops.
 */
import { describe, expect, it } from "vitest";
import { computeGukId } from "../../../bindings/identity/guk-id.ts";
import { DeliveredKey } from "../../../bindings/index.ts";
import { GroupMedia, type GroupMediaSender, writeRtpPacket } from "../../../bindings/media/index.ts";
import { OwnSockets } from "../../../roles/mcx/index.ts";
import type { DatagramPort } from "../../../transport/datagram/ports.ts";
import { Net } from "../../client/calls/medium.ts";
import { ALICE, ALL, BOB, CAROL, Controls, controlKey, Ring } from "../../client/calls/members.ts";
import { gmkOf } from "../../media/packets.ts";
import { burst, GMK_ID, SERVER, world } from "./at-server.ts";

const MALLORY = "sip:mallory@home.example";

/** Media as a client protects them, under whatever key and SSRC. */
function speech(key: DeliveredKey, ssrc?: number) {
  const media = new GroupMedia({ keys: new Ring(key), service: "mcptt" });
  const sender: GroupMediaSender = media.sender(ssrc);
  return (sequenceNumber: number) => {
    const fields = { marker: false, payloadType: 8, sequenceNumber, timestamp: 0, ssrc: sender.ssrc };
    return sender.protect(writeRtpPacket(fields, new Uint8Array(160))) as Uint8Array;
  };
}

/** A member's key as any other member can compute it. */
function impersonate(key: DeliveredKey, uri: string): DeliveredKey {
  const octets = key.reveal();
  const { kind, keyId, rand } = key;
  return new DeliveredKey(octets.slice(), { kind, keyId, ukId: computeGukId(octets, keyId, uri), rand });
}

describe("floor control of a member", () => {
  it("goes on when another member's signalling names the same address, and after that one has hung up", async () => {
    const { net, session, enter, enterAs } = world("takeover");
    const [alice] = gmkOf(GMK_ID, ALL).map((key, i) => enter(ALL[i]!, new Ring(key)));
    alice!.call.request();
    await net.clock.pass(50);
    alice!.call.release();
    await net.clock.pass(50);
    const mallory = enterAs(MALLORY, { floor: alice!.floor, media: alice!.media });
    await net.clock.pass(50);
    for (const priority of [0, 255]) {
      alice!.call.request(priority);
      await net.clock.pass(50);
      expect(alice!.call.floor.state).toBe("granted");
      alice!.call.release();
      await net.clock.pass(50);
    }
    session.leave(MALLORY);
    alice!.call.request();
    await net.clock.pass(50);
    expect(alice!.call.floor.state).toBe("granted");
    expect(mallory.news()).toEqual([]);
    await session.close();
  });

  it("goes on when the other one named the address first, and both are served where their messages come from", async () => {
    const { net, session, enterAs } = world("named first");
    const place = net.open("198.51.100.50");
    const mallory = enterAs(MALLORY, { floor: place.address });
    const alice = enterAs(ALICE, { floor: place.address });
    place.receive(() => undefined);
    alice.say({ name: "Floor Request" }, place);
    await net.clock.pass(50);
    expect(session.talkers).toEqual([ALICE]);
    const atPlace = net.deliveredTo(place.address);
    // Mallory's messages do not go to Alice's address any more; where Mallory sends from, they do.
    mallory.say({ name: "Floor Queue Position Request" });
    await net.clock.pass(50);
    expect(mallory.news()).toEqual(["Floor Queue Position Info"]);
    expect(net.deliveredTo(place.address)).toBe(atPlace);
    await session.close();
  });

  it("cannot be taken over by messages under another member's key from their address", async () => {
    const { net, session, enterAs } = world("spoofed");
    const alice = enterAs(ALICE);
    const bob = enterAs(BOB);
    alice.say({ name: "Floor Queue Position Request" });
    await net.clock.pass(50);
    alice.news();
    // Bob's message seems to come from Alice's address.
    bob.news();
    bob.say({ name: "Floor Queue Position Request" }, alice.floor);
    await net.clock.pass(50);
    expect([alice.news(), bob.news()]).toEqual([[], ["Floor Queue Position Info"]]);
    alice.say({ name: "Floor Request" });
    await net.clock.pass(50);
    expect(alice.news()).toEqual(["Floor Granted"]);
    await session.close();
  });

  it("is found by its key where clients have chosen the same CSK-ID", async () => {
    const { net, session, enterAs } = world("one number");
    const csk = () => new Controls(controlKey("CSK", 7));
    const crowd = Array.from({ length: 5 }, (_, i) => enterAs(`${MALLORY}${i}`, {}, csk()));
    const alice = enterAs(ALICE, {}, csk());
    alice.say({ name: "Floor Request" });
    await net.clock.pass(50);
    expect(session.talkers).toEqual([ALICE]);
    crowd[3]!.say({ name: "Floor Request" });
    await net.clock.pass(50);
    expect(crowd[3]!.news()).toContain("Floor Queue Position Info");
    expect(session.state.counters.floor_refused).toBe(0);
    await session.close();
  });

  it("follows a client whose address changes, by new messages and not by replayed ones", async () => {
    const { net, session, enterAs } = world("moved");
    const alice = enterAs(ALICE);
    enterAs(BOB);
    const [packets, elsewhere] = [[] as Uint8Array[], net.open("203.0.113.7")];
    const tap: DatagramPort = { ...alice.floor, send: (packet) => void packets.push(packet.slice()) };
    alice.say({ name: "Floor Queue Position Request" }, tap);
    alice.floor.send(packets[0]!, { host: SERVER, port: session.ports.floor }, () => undefined);
    await net.clock.pass(50);
    alice.news();
    // The same message again from somewhere else.
    elsewhere.send(packets[0]!, { host: SERVER, port: session.ports.floor }, () => undefined);
    await net.clock.pass(50);
    expect(net.deliveredTo(elsewhere.address)).toBe(0);
    alice.say({ name: "Floor Request" }, elsewhere);
    await net.clock.pass(50);
    expect(net.deliveredTo(elsewhere.address)).toBe(1);
    expect(session.talkers).toEqual([ALICE]);
    await session.close();
  });

  it("accepts nothing that the member said in another call, of this group or another, under the same CSK", async () => {
    const { net, session, enterAs } = world("an earlier call");
    const other = world("another group", { net });
    const control = new Controls(controlKey("CSK", 7));
    const elsewhere = net.open("203.0.113.7");
    const [bob, dave] = [enterAs(BOB), other.enterAs(BOB)];
    const packets: Uint8Array[] = [];
    const recorded = (port: DatagramPort): DatagramPort => ({
      ...port,
      send: (packet, to, done) => {
        packets.push(packet.slice());
        port.send(packet, to, done);
      },
    });
    for (const { enterAs: enter } of [{ enterAs }, other]) {
      const alice = enter(ALICE, {}, control);
      alice.say({ name: "Floor Request", mediaSsrc: 77 }, recorded(alice.floor));
      alice.say({ name: "Floor Release" }, recorded(alice.floor));
      await net.clock.pass(50);
    }
    const alice = enterAs(ALICE, {}, control);
    const inOther = other.enterAs(ALICE, {}, control);
    await net.clock.pass(50);
    for (const member of [bob, dave, alice, inOther]) member.news();
    for (const { session: there } of [{ session }, other]) {
      for (const packet of packets) {
        elsewhere.send(packet, { host: SERVER, port: there.ports.floor }, () => undefined);
      }
    }
    await net.clock.pass(50);
    expect([...session.talkers, ...other.session.talkers]).toEqual([]);
    expect([bob, dave, alice, inOther].flatMap((member) => member.news())).toEqual([]);
    expect(net.deliveredTo(elsewhere.address)).toBe(0);
    alice.say({ name: "Floor Request", mediaSsrc: 78 });
    await net.clock.pass(50);
    expect(session.talkers).toEqual([ALICE]);
    await Promise.all([session.close(), other.session.close()]);
  });

  it("accepts no replay of the server's messages from another call, even from the server's address", async () => {
    const { net, session, floorPort, enter, enterAs } = world("the server of before");
    const [key] = gmkOf(GMK_ID, [ALICE]);
    const control = new Controls(controlKey("CSK", 7));
    const bob = enterAs(BOB);
    const first = enter(ALICE, new Ring(key!), { control });
    const told: Uint8Array[] = [];
    net.open("203.0.113.7", first.floor).receive((packet) => told.push(packet.slice()));
    first.call.request();
    await net.clock.pass(50);
    first.call.release();
    await net.clock.pass(50);
    await first.call.close();
    const again = enter(ALICE, new Ring(key!), { control });
    bob.say({ name: "Floor Request" });
    await net.clock.pass(50);
    expect(again.call.floor).toMatchObject({ state: "taken", talker: BOB });
    const { received } = again.call.counters.floor;
    for (const packet of told) floorPort.send(packet, again.floor, () => undefined);
    await net.clock.pass(50);
    expect(told).toHaveLength(2);
    expect(again.call.floor).toMatchObject({ state: "taken", talker: BOB });
    expect(again.call.counters.floor.received).toBe(received);
    await session.close();
  });

  it("sends a member who has not said anything no more than four members' messages", async () => {
    const { net, session, enterAs } = world("reflected");
    const victim = net.open("203.0.113.9");
    for (let i = 0; i < 50; i++) enterAs(`${MALLORY}${i}`, { floor: victim.address });
    await net.clock.pass(50);
    expect(net.deliveredTo(victim.address)).toBe(4);
    await session.close();
  });

  it("is limited in its rate, so that others are heard beside endless requests and releases", async () => {
    const { net, session, enterAs } = world("flood", { messageRate: { perSecond: 5, burst: 15 } });
    const mallory = enterAs(MALLORY);
    const alice = enterAs(ALICE);
    await net.clock.pass(50);
    const before = session.state.counters.floor_sent!;
    for (let n = 0; n < 500; n++) {
      mallory.say({ name: n % 2 === 0 ? "Floor Request" : "Floor Release" });
      await net.clock.pass(2);
    }
    await net.clock.pass(50);
    const { floor_received, floor_tooMany, floor_sent } = session.state.counters;
    // Fifteen at once and five in the second; each is answered to both.
    expect(floor_received).toBeLessThanOrEqual(20);
    expect(floor_tooMany! + floor_received!).toBe(500);
    expect(floor_sent! - before).toBeLessThanOrEqual(40);
    await net.clock.pass(1000);
    mallory.say({ name: "Floor Release" });
    alice.say({ name: "Floor Request" });
    await net.clock.pass(50);
    expect(session.talkers).toEqual([ALICE]);
    await session.close();
  });

  it("leaves the call as it was when it names an address that no leg may have", async () => {
    const { net, session, enter, enterAs } = world("bad floor");
    const [alice, bob] = gmkOf(GMK_ID, ALL).map((key, i) => enter(ALL[i]!, new Ring(key)));
    for (const floor of [
      { host: SERVER, port: session.ports.media },
      { host: "0.0.0.0", port: 9 },
    ]) {
      expect(() => enterAs(ALICE, { floor })).toThrow(expect.objectContaining({ code: "BAD_ADDRESS" }));
      expect(() => enterAs(MALLORY, { floor })).toThrow(expect.objectContaining({ code: "BAD_ADDRESS" }));
    }
    expect(session.state.participants).toEqual(ALL);
    alice!.call.request();
    await net.clock.pass(50);
    const [heard] = await burst(net, alice!, [bob!], 5);
    expect(heard).toHaveLength(5);
    await session.close();
  });
});

describe("the holder of the floor", () => {
  it("cannot speak under the previous talker's GUK-ID or SSRC, nor mute them by numbers far ahead", async () => {
    const { net, session, enter, enterAs } = world("as another");
    const keys = gmkOf(GMK_ID, [...ALL, MALLORY]);
    const [alice, , carol] = ALL.map((user, i) => enter(user, new Ring(keys[i]!)));
    const mallory = enterAs(MALLORY);
    alice!.call.request();
    await net.clock.pass(50);
    await burst(net, alice!, [carol!], 20);
    const said = mallory.heard.at(-1)!;
    const ssrc = new DataView(said.buffer, said.byteOffset).getUint32(8);
    alice!.call.release();
    await net.clock.pass(50);
    mallory.say({ name: "Floor Request", mediaSsrc: ssrc });
    await net.clock.pass(50);
    expect(session.talkers).toEqual([MALLORY]);
    const before = carol!.call.counters.media.received;
    const as = impersonate(keys[3]!, ALICE);
    const fresh = speech(as);
    for (let n = 0; n < 50; n++) mallory.speak(fresh(n));
    const same = speech(as, ssrc);
    for (const n of [20_000, 40_000, 60_000]) mallory.speak(same(n));
    const own = speech(keys[3]!, ssrc);
    mallory.speak(own(1));
    await net.clock.pass(50);
    expect(carol!.call.counters.media.received).toBe(before);
    expect(session.state.counters.otherStream).toBe(54);
    mallory.say({ name: "Floor Release" });
    await net.clock.pass(50);
    alice!.call.request();
    await net.clock.pass(50);
    const [heard] = await burst(net, alice!, [carol!], 60);
    expect(heard).toHaveLength(60);
    await session.close();
  });

  it("may use another's GUK-ID before its owner, is reported then, and shuts the owner out until leaving", async () => {
    const { net, session, enter, enterAs } = world("squatting");
    const keys = gmkOf(GMK_ID, [...ALL, MALLORY]);
    const [alice, , carol] = ALL.map((user, i) => enter(user, new Ring(keys[i]!)));
    const mallory = enterAs(MALLORY);
    mallory.say({ name: "Floor Request" });
    await net.clock.pass(50);
    const forged = speech(impersonate(keys[3]!, ALICE));
    for (let n = 0; n < 20; n++) mallory.speak(forged(n));
    await net.clock.pass(50);
    expect(carol!.events.filter(({ type }) => type === "talker-mismatch")).toMatchObject([
      { user: ALICE, claimed: [MALLORY] },
    ]);
    mallory.say({ name: "Floor Release" });
    await net.clock.pass(3000);
    const talk = async () => {
      alice!.call.request();
      await net.clock.pass(50);
      expect(alice!.call.floor.state).toBe("granted");
      const before = carol!.call.counters.media.received;
      await burst(net, alice!, [carol!], 20);
      alice!.call.release();
      await net.clock.pass(3000);
      return carol!.call.counters.media.received - before;
    };
    expect([await talk(), session.state.counters.otherStream]).toEqual([0, 20]);
    session.leave(MALLORY);
    expect([await talk(), session.state.counters.otherStream]).toEqual([20, 20]);
    await session.close();
  });

  it("is announced with their own SSRC, not with another's that the request names", async () => {
    const { net, session, enterAs } = world("announced");
    const [alice, mallory, carol] = [ALICE, MALLORY, CAROL].map((user) => enterAs(user));
    alice!.say({ name: "Floor Request", mediaSsrc: 77 });
    alice!.say({ name: "Floor Release" });
    mallory!.say({ name: "Floor Request", mediaSsrc: 77 });
    await net.clock.pass(50);
    const taken = carol!.told.filter(({ name }) => name === "Floor Taken");
    expect(taken.map(({ grantedParty, mediaSsrc }) => [grantedParty, mediaSsrc])).toEqual([
      [ALICE, 77],
      [MALLORY, undefined],
    ]);
    await session.close();
  });
});

describe("a media loop that two members try to make", () => {
  const PACKETS = 40;

  /** Calls of some groups, each with two members who work together and a victim. */
  function groups(seed: string, count: number) {
    const net = new Net(seed, { delay: 1 });
    const own = new OwnSockets({ interfaces: () => [] });
    const calls = Array.from({ length: count }, (_, i) => world(`${seed} ${i}`, { net, own }));
    return { net, calls, relayOf: (i: number) => calls[(i + count) % count]!.session.ports.media };
  }

  it.each([1, 2, 3])("is refused: a leg at the sockets of %d groups", async (count) => {
    const { calls, relayOf } = groups("own", count);
    for (const [i, { enterAs, session }] of calls.entries()) {
      for (const host of [SERVER, `::ffff:${SERVER}`, "127.0.0.1", "127.0.0.2", "::1", "0.0.0.0"]) {
        for (const port of [relayOf(i - 1), relayOf(i + 1), session.ports.floor]) {
          expect(() => enterAs(MALLORY, { media: { host, port } })).toThrow(
            expect.objectContaining({ code: "BAD_ADDRESS" }),
          );
        }
      }
    }
  });

  it.each([1, 2, 3])(
    "by outside addresses that lead back into %d groups brings each packet to a victim once",
    async (count) => {
      const { net, calls, relayOf } = groups(`hairpin ${count}`, count);
      // A NAT has two ports for each relay. What a relay sends to one of another's comes out there, from the other of its own.
      const ports = calls.map(() => [net.open("203.0.113.1"), net.open("203.0.113.1")] as const);
      for (const [to, pair] of ports.entries()) {
        for (const [side, port] of pair.entries()) {
          port.receive((bytes, { port: from }) => {
            const by = ports[calls.findIndex(({ session }) => session.ports.media === from)]![1 - side]!;
            by.send(bytes, { host: SERVER, port: relayOf(to) }, () => undefined);
          });
        }
      }
      const members = calls.map(({ enterAs }, i) => ({
        victim: enterAs(ALICE),
        forth: enterAs(`${MALLORY}1`, { media: ports[(i + 1) % count]![0].address }),
        back: enterAs(`${MALLORY}2`, { media: ports[(i + count - 1) % count]![1].address }),
        speaker: enterAs(`${MALLORY}3`),
      }));
      const [{ speaker, back }] = members as [(typeof members)[number]];
      speaker.say({ name: "Floor Request" });
      for (const { back: other } of members.slice(1)) other.say({ name: "Floor Request" });
      await net.clock.pass(10);
      back.say({ name: "Floor Request" });
      const packet = speech(gmkOf(GMK_ID, [MALLORY])[0]!);
      for (let n = 0; n < PACKETS; n++) speaker.speak(packet(n));
      speaker.say({ name: "Floor Release" });
      await net.clock.pass(2000);
      expect(members.map(({ victim }) => victim.heard.length)).toEqual(members.map(() => PACKETS));
      const stopped = calls.map(
        ({ session: { state } }) => state.counters.copies! + state.counters.otherStream!,
      );
      expect(stopped[0]).toBeGreaterThan(0);
      for (const { session } of calls) await session.close();
    },
  );

  it("is cut: packets from the server's own sockets are dropped, even if a leg was there first", async () => {
    const own = new OwnSockets({ interfaces: () => [] });
    const { net, session, enterAs } = world("later", { own });
    const victim = enterAs(ALICE);
    const other = net.open(SERVER);
    const mallory = enterAs(MALLORY, { media: other.address });
    mallory.say({ name: "Floor Request" });
    await net.clock.pass(10);
    const packet = speech(gmkOf(GMK_ID, [MALLORY])[0]!);
    mallory.speak(packet(1), other);
    await net.clock.pass(10);
    expect(victim.heard).toHaveLength(1);
    // The port becomes that of another group's relay.
    own.enter(other);
    mallory.speak(packet(2), other);
    await net.clock.pass(10);
    expect(victim.heard).toHaveLength(1);
    expect(session.state.counters.ownSockets).toBe(1);
    await session.close();
  });
});
