/** A group call among members alone: media and floor control by multicast, under keys of the GMK (TS 33.180 7.4.1, 9.4.6). */
import { describe, expect, it } from "vitest";
import type { GroupMediaKeys } from "../../../bindings/media/index.ts";
import { type CallEvent, OffNetworkCall, type OffNetworkConfig } from "../../../roles/client/calls/index.ts";
import { gmkOf } from "../../media/packets.ts";
import { seededRandom } from "../../support/random.ts";
import { frameOf, Net } from "./medium.ts";
import { ALICE, ALL, BOB, CAROL, GROUP, Ring, states } from "./members.ts";
import { say } from "./say.ts";

const MEDIA = { host: "239.255.0.1", port: 5004 };
const FLOOR = { host: "239.255.0.1", port: 5005 };

interface Member {
  readonly call: OffNetworkCall;
  readonly events: CallEvent[];
  readonly heard: number[];
}

function enter(
  net: Net,
  userUri: string,
  keys: GroupMediaKeys,
  floor: Partial<OffNetworkConfig> = {},
): Member {
  const host = `192.0.2.${userUri.charCodeAt(4)}`;
  const events: CallEvent[] = [];
  const call = new OffNetworkCall({
    groupUri: GROUP,
    userUri,
    keys,
    mediaPort: net.open(host, MEDIA),
    floorPort: net.open(host, FLOOR),
    group: { media: MEDIA, floor: FLOOR },
    clock: net.clock,
    now: () => net.clock.now(),
    random: seededRandom(userUri),
    members: () => ALL,
    floor,
    onEvent: (event) => events.push(event),
  });
  return { call, events, heard: [] };
}

function world(seed: string, floor: Partial<OffNetworkConfig> = {}) {
  const net = new Net(seed);
  const members = gmkOf(0x0123123, ALL).map((key, i) => enter(net, ALL[i]!, new Ring(key), floor));
  const [alice, bob, carol] = members;
  return { net, members, alice: alice!, bob: bob!, carol: carol! };
}

async function talk(net: Net, { call }: Member, listeners: readonly Member[], frames: number) {
  const pass = (milliseconds: number) => net.clock.pass(milliseconds);
  const calls = listeners.map((listener) => listener.call);
  const heard = await say(call, calls, frames, { pass });
  for (const [i, listener] of listeners.entries()) listener.heard.push(...heard[i]!);
}

describe("a call without a server", () => {
  it("reaches all members and says who talks; a member with another key hears nothing", async () => {
    const { net, alice, bob, carol } = world("plain");
    const stranger = enter(
      net,
      "sip:mallory@home.example",
      new Ring(gmkOf(0x0123123, ["sip:mallory@home.example"])[0]!),
    );
    alice.call.request();
    await net.clock.pass(1000);
    // Nobody answered: the floor is hers.
    expect(alice.call.floor.state).toBe("granted");
    await talk(net, alice, [bob, carol, stranger], 50);
    for (const { heard, call, events } of [bob, carol]) {
      expect(heard.length).toBeGreaterThan(40);
      expect(heard).toEqual([...heard].sort((a, b) => a - b));
      expect(call.floor).toMatchObject({ state: "taken", talker: ALICE });
      expect(events.filter(({ type }) => type === "talker")).toEqual([
        expect.objectContaining({ user: ALICE }),
      ]);
      expect(call.counters.media.received).toBe(50);
    }
    expect(stranger.heard).toEqual([]);
    const { media, floor } = stranger.call.counters;
    expect(media.received + floor.received).toBe(0);
    expect(media.refused["not-authentic"]).toBe(50);
    expect(floor.refused).toBeGreaterThan(0);
    alice.call.release();
    await net.clock.pass(5000);
    expect([alice, bob, carol].map(({ call }) => call.floor.state)).toEqual(["idle", "idle", "idle"]);
  });

  it("passes the floor from the talker to a waiting member", async () => {
    const { net, alice, bob, carol } = world("queue");
    alice.call.request();
    await net.clock.pass(500);
    await talk(net, alice, [], 5);
    bob.call.request(1);
    await net.clock.pass(100);
    carol.call.request(2);
    await net.clock.pass(100);
    expect([bob, carol].map(({ call }) => call.floor.position)).toEqual([2, 1]);
    alice.call.release();
    await net.clock.pass(200);
    expect(carol.call.floor.state).toBe("granted");
    await talk(net, carol, [alice, bob], 20);
    expect(alice.heard.length).toBeGreaterThan(10);
    carol.call.release();
    await net.clock.pass(300);
    expect(bob.call.floor.state).toBe("granted");
    expect(states(alice.events).at(-1)).toBe("taken b");
  });

  it("lets an urgent request take the floor", async () => {
    const { net, alice, bob } = world("urgent");
    alice.call.request(3);
    await net.clock.pass(500);
    await talk(net, alice, [], 5);
    bob.call.request(250);
    await net.clock.pass(500);
    expect(alice.call.floor).toMatchObject({ state: "taken", talker: BOB });
    expect(bob.call.floor.state).toBe("granted");
    expect(() => alice.call.send(frameOf(1))).toThrow(expect.objectContaining({ code: "FLOOR_NOT_GRANTED" }));
  });

  it("frees the floor of a member who is not heard any more, and goes on under a new GMK", async () => {
    const net = new Net("gone");
    const [old, fresh] = [gmkOf(0x0123123, ALL), gmkOf(0x0456456, ALL)];
    const rings = old.map((key) => new Ring(key));
    const members = rings.map((ring, i) => enter(net, ALL[i]!, ring, { endOfMedia: 1000 }));
    const [alice, bob, carol] = members as [Member, Member, Member];
    alice.call.request();
    await net.clock.pass(500);
    await talk(net, alice, [bob], 10);
    await alice.call.close();
    await net.clock.pass(2000);
    expect(bob.call.floor.state).toBe("idle");
    for (const [i, ring] of rings.entries()) ring.held.push(fresh[i]!);
    bob.call.request();
    await net.clock.pass(500);
    await talk(net, bob, [carol], 20);
    expect(carol.heard.length).toBeGreaterThan(10);
    expect(carol.call.floor.talker).toBe(BOB);
    expect(carol.call.counters.floor.impostors).toBe(0);
    expect(CAROL).toBe(ALL[2]);
  });
});
