/** Keys that change, members that come late or go, while somebody talks (TS 33.180 5.7, 7.5.1; RFC 4771). */
import { beforeAll, describe, expect, it } from "vitest";
import type { GroupMediaKeys } from "../../../bindings/media/index.ts";
import { ringKeys } from "../../../roles/client/calls/index.ts";
import { gmkOf } from "../../media/packets.ts";
import {
  Device,
  GROUP as FIRE,
  type GroupWorld,
  makeGroupWorld,
  NOW,
  SECOND,
  summary,
} from "../group/device.ts";
import { frameOf, Net, numberOf } from "./medium.ts";
import { ALICE, ALL, BOB, CAROL, join, type Member, Ring, TestServer } from "./members.ts";

const BAD_WEATHER = { loss: 5, delay: 20, jitter: 90 };
const JITTER = { target: 8, capacity: 24 };

function world(seed: string, keys: readonly GroupMediaKeys[]) {
  const net = new Net(seed);
  const server = new TestServer(net, { talkLimit: 10_000_000 });
  const members = keys.map((key, i) => join(net, server, ALL[i]!, key, { jitter: JITTER }));
  return { net, server, members };
}

interface Burst {
  readonly net: Net;
  readonly members: readonly Member[];
}

/** Alice talks; the others listen. `each` is told of each frame before. */
async function burst({ net, members }: Burst, frames: number, each: (n: number) => void = () => undefined) {
  const [alice] = members;
  for (let n = 0; n < frames; n++) {
    each(n);
    await alice!.call.send(frameOf(n));
    await listen({ net, members }, 1);
  }
}

async function listen({ net, members }: Burst, frames: number) {
  for (let n = 0; n < frames; n++) {
    await net.clock.pass(20);
    for (const { call, heard } of members) {
      const frame = call.play();
      if (frame !== undefined) heard.push(numberOf(frame));
    }
  }
}

async function floorTo(who: Member, net: Net) {
  who.call.request();
  await net.clock.pass(100);
  expect(who.call.floor.state).toBe("granted");
}

/** All that the medium brought was decrypted; what was played came in order and is what was said. */
function expectAll(net: Net, { call, media, heard }: Member, before: number) {
  const { received, played, late, dropped, duplicate, buffered, notSpeech, refused } = call.counters.media;
  expect(received).toBe(net.deliveredTo(media.address) - before);
  expect(Object.values(refused).reduce((sum, count) => sum + count)).toBe(0);
  expect(notSpeech).toBe(0);
  expect(heard.length).toBe(played);
  expect(played + late + dropped + duplicate + buffered).toBe(received);
  expect(duplicate + buffered).toBe(0);
  expect(heard).toEqual([...heard].sort((a, b) => a - b));
}

describe("a change of key in the middle of a talk burst", () => {
  it.each(["one", "two", "three"])(
    "loses no speech to keying, with loss and disorder (seed %s)",
    async (seed) => {
      const old = gmkOf(0x0111111, ALL);
      const fresh = gmkOf(0x0222222, ALL);
      const rings = old.map((key) => new Ring(key));
      const { net, server, members } = world(`change ${seed}`, rings);
      await floorTo(members[0]!, net);
      net.weather = BAD_WEATHER;
      await burst({ net, members }, 600, (n) => {
        // Bob has the new key long before it is sent with, Carol just before; both still send under the old one.
        if (n === 50) rings[1]!.held.unshift(fresh[1]!);
        if (n === 299) rings[2]!.held.unshift(fresh[2]!);
        if (n === 300) rings[0]!.held.push(fresh[0]!);
      });
      await listen({ net, members }, 30);
      server.stop();
      for (const member of members.slice(1)) {
        expectAll(net, member, 0);
        // 5 % of 600 are lost on each of two legs: 541 on average, give or take 7; eight times that is no accident.
        expect(member.call.counters.media.received).toBeGreaterThan(480);
        // One stream through both keys, of one talker.
        expect(member.events.filter(({ type }) => type === "talker")).toEqual([
          expect.objectContaining({ user: ALICE }),
        ]);
        expect(member.heard.length).toBeGreaterThan(450);
      }
    },
  );

  it("shuts out a removed member from its first packet on", async () => {
    const old = gmkOf(0x0111111, ALL);
    const fresh = gmkOf(0x0222222, [ALICE, BOB]);
    const rings = old.map((key) => new Ring(key));
    const { net, server, members } = world("removed", rings);
    await floorTo(members[0]!, net);
    rings[1]!.held.unshift(fresh[1]!);
    await burst({ net, members }, 100, (n) => {
      if (n === 50) rings[0]!.held.push(fresh[0]!);
    });
    await listen({ net, members }, 30);
    server.stop();
    const [, bob, carol] = members;
    expect(bob!.heard.length).toBe(100);
    expect(Math.max(...carol!.heard)).toBe(49);
    expect(carol!.call.counters.media).toMatchObject({ received: 50, refused: { "unknown-key": 50 } });
  });

  it("ends what is heard under a revoked key", async () => {
    const keys = gmkOf(0x0111111, ALL);
    const rings = keys.map((key) => new Ring(key));
    const { net, server, members } = world("revoked", rings);
    await floorTo(members[0]!, net);
    await burst({ net, members }, 20, (n) => {
      if (n === 10) rings[1]!.held = [];
    });
    server.stop();
    expect(members[1]!.call.counters.media).toMatchObject({ received: 10, refused: { "unknown-key": 10 } });
    rings[0]!.held = [];
    expect(() => members[0]!.call.send(frameOf(1))).toThrow(
      expect.objectContaining({ code: "NO_GROUP_KEY" }),
    );
  });
});

describe("a member who joins a call late", () => {
  it("hears from the first packet on, also after the sequence number has wrapped", {
    timeout: 60_000,
  }, async () => {
    const keys = gmkOf(0x0111111, ALL);
    const { net, server, members } = world("late", [new Ring(keys[0]!), new Ring(keys[1]!)]);
    const [alice, bob] = members;
    await floorTo(alice!, net);
    // The first sequence number is below 2^15, so that the wrap comes after 2^15 packets at the earliest.
    const wrap = 0x10000;
    for (let n = 0; n < wrap; n++) await alice!.call.send(frameOf(n));
    expect(bob!.call.counters.media.received).toBe(wrap);
    const burstOf = 20;
    const carol = join(net, server, CAROL, new Ring(keys[2]!), { jitter: { target: burstOf } });
    for (let n = 0; n < burstOf; n++) await alice!.call.send(frameOf(n));
    await listen({ net, members: [carol] }, 60);
    server.stop();
    expect(carol.call.counters.media.received).toBe(burstOf);
    expect(carol.heard).toEqual(Array.from({ length: burstOf }, (_, n) => n));
  });
});

describe("key rings of members", () => {
  let group: GroupWorld;
  beforeAll(async () => {
    group = await makeGroupWorld();
  });

  it("send under the newest active key, and receive under every key that may be in use", async () => {
    const device = await Device.create(group);
    const keys = ringKeys(device.ring, FIRE);
    expect(keys.sending()).toBeUndefined();
    const take = async (activation: number, expiry?: number) => {
      const parameters = {
        activation: NOW / SECOND + activation,
        ...(expiry && { expiry: NOW / SECOND + expiry }),
      };
      const { octets, gmk } = await group.seal({ parameters });
      expect(summary(await device.take(octets))).toBe("stored");
      return gmk.keyId;
    };
    const old = await take(-200, 7200);
    const active = await take(-100);
    const pending = await take(3600);
    const other = ringKeys(device.ring, "sip:other@home.example");
    expect(keys.sending()?.keyId).toBe(active);
    expect([old, active, pending].map((id) => keys.receiving(id)?.keyId)).toEqual([old, active, pending]);
    expect(other.sending()).toBeUndefined();
    expect(other.receiving(active)).toBeUndefined();
    device.now = NOW + 3600 * SECOND;
    expect(keys.sending()?.keyId).toBe(pending);
    device.now = NOW + 7201 * SECOND;
    expect(keys.receiving(old)).toBeUndefined();
    expect(keys.receiving(active)?.keyId).toBe(active);
  });
});
