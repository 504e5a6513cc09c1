/** The call of a group at the server, with members on a network in memory and time of its own. */
import { describe, expect, it } from "vitest";
import { mixFrames } from "../../../bindings/media/index.ts";
import { frameOf } from "../../client/calls/medium.ts";
import { ALICE, ALL, BOB, CAROL, controlKey, Ring } from "../../client/calls/members.ts";
import { gmkOf } from "../../media/packets.ts";
import { burst, GMK_ID, MIXER, world } from "./at-server.ts";

describe("a group session", () => {
  it("grants the floor, distributes media that it cannot read, and ends the talk of a leaving member", async () => {
    const { net, session, enter } = world("plain");
    const [alice, bob, carol] = gmkOf(GMK_ID, ALL).map((key, i) => enter(ALL[i]!, new Ring(key)));
    alice!.call.request();
    await net.clock.pass(50);
    expect(session.state).toMatchObject({ participants: ALL, talkers: [ALICE], mixed: false });
    const [atBob, atCarol] = await burst(net, alice!, [bob!, carol!], 50);
    expect(atBob).toEqual(Array.from({ length: 50 }, (_, n) => n));
    expect(atCarol).toEqual(atBob);
    expect(session.state.counters).toMatchObject({ forwarded: 50, sent: 100, mixed: 0, mixer_opened: 0 });
    session.leave(ALICE);
    await net.clock.pass(50);
    expect(bob!.call.floor.state).toBe("idle");
    // A member who has left sends in vain.
    await alice!.call.send(frameOf(1));
    await net.clock.pass(50);
    expect(session.state.counters.strangers).toBe(1);
    expect(session.state.participants).toEqual([BOB, CAROL]);
    await session.close();
  });

  it("accepts floor control under the CSK of the leg only, and under the newer CSK as it comes", async () => {
    const { net, session, enter } = world("keys");
    const [alice, bob] = gmkOf(GMK_ID, ALL).map((key, i) => enter(ALL[i]!, new Ring(key)));
    await net.clock.pass(50);
    const before = session.state.counters.floor_received!;
    // Bob's leg has another key now: what it sends under the old one is refused.
    const fresh = controlKey("CSK", 77);
    bob!.control.held.splice(0, 1, fresh);
    bob!.call.request();
    await net.clock.pass(4000);
    expect(session.state.counters.floor_received).toBe(before);
    expect(session.state.counters.floor_refused).toBeGreaterThan(0);
    expect(bob!.call.floor.state).toBe("idle");
    // Alice's keeps both for a while.
    const old = alice!.control.held[0]!;
    alice!.control.held.unshift(controlKey("CSK", 78));
    alice!.control.held.push(old);
    alice!.call.request();
    await net.clock.pass(50);
    expect(session.talkers).toEqual([ALICE]);
    await session.close();
  });

  it("sends messages for all once, by multicast", async () => {
    const { net, session, enter } = world("multicast", { musik: controlKey("MuSiK", 5) });
    const [alice, bob, carol] = gmkOf(GMK_ID, ALL).map((key, i) => enter(ALL[i]!, new Ring(key)));
    const before = session.state.counters.floor_sent!;
    alice!.call.request();
    await net.clock.pass(50);
    // Floor Granted to her, Floor Taken to all.
    expect(session.state.counters.floor_sent! - before).toBe(2);
    expect([bob, carol].map((member) => member!.call.floor.talker)).toEqual([ALICE, ALICE]);
    expect(alice!.call.floor.state).toBe("granted");
    const sent = session.state.counters.sent!;
    const [atBob] = await burst(net, alice!, [bob!], 10);
    expect(atBob).toHaveLength(10);
    // Two legs and the multicast address.
    expect(session.state.counters.sent! - sent).toBe(30);
    await session.close();
  });

  it("takes the floor back from a silent talker", async () => {
    const { net, session, enter } = world("silent", { floor: { endOfMedia: 1000 } });
    const [alice, bob] = gmkOf(GMK_ID, ALL).map((key, i) => enter(ALL[i]!, new Ring(key)));
    alice!.call.request();
    await net.clock.pass(50);
    await burst(net, alice!, [bob!], 20);
    expect(session.talkers).toEqual([ALICE]);
    await net.clock.pass(1100);
    expect(session.talkers).toEqual([]);
    await session.close();
  });
});

describe("the hang timer of the group", () => {
  it("ends the call after that long without talk, and not during talk", async () => {
    let hung = 0;
    const { net, session, enter } = world("hang", { onHang: () => void hung++ });
    const [alice, bob] = gmkOf(GMK_ID, ALL).map((key, i) => enter(ALL[i]!, new Ring(key)));
    session.hangAfter(2000);
    await net.clock.pass(1500);
    alice!.call.request();
    await net.clock.pass(50);
    await burst(net, alice!, [bob!], 150);
    expect([session.talkers, hung]).toEqual([[ALICE], 0]);
    alice!.call.release();
    await net.clock.pass(1900);
    expect(hung).toBe(0);
    await net.clock.pass(200);
    expect(hung).toBe(1);
    await session.close();
  });
});

describe("a session with a key of the group", () => {
  const everybody = [...ALL, MIXER];

  it("mixes all talkers, each without their own voice, under its own GUK-ID", async () => {
    const keys = gmkOf(GMK_ID, everybody);
    const { net, session, enter } = world("mix", { floor: { speakers: 2 }, keys: () => new Ring(keys[3]!) });
    const [alice, bob, carol] = ALL.map((user, i) => enter(user, new Ring(keys[i]!), { mixer: MIXER }));
    alice!.call.request();
    bob!.call.request();
    await net.clock.pass(100);
    expect(session.talkers).toEqual([ALICE, BOB]);
    const [a, b] = [new Int16Array(160).fill(264), new Int16Array(160).fill(1056)];
    const both = mixFrames([a, b], 160);
    const heard: Record<string, number[]> = { a: [], b: [], c: [] };
    for (let n = 0; n < 60; n++) {
      await alice!.call.send(a);
      await bob!.call.send(b);
      await net.clock.pass(20);
      for (const [name, { call }] of Object.entries({ a: alice!, b: bob!, c: carol! })) {
        const frame = call.play();
        if (frame !== undefined) heard[name]!.push(frame[0]!);
      }
    }
    const near = (value: number) => (sample: number) => Math.abs(sample - value) <= 32;
    expect(heard.c!.filter(near(both[0]!)).length).toBeGreaterThan(40);
    expect(heard.a!.filter(near(1056)).length).toBeGreaterThan(40);
    expect(heard.b!.filter(near(264)).length).toBeGreaterThan(40);
    expect(heard.c!.filter(near(264)).length + heard.c!.filter(near(1056)).length).toBeLessThan(5);
    const talkers = carol!.events.filter(({ type }) => type === "talker");
    expect(talkers).toEqual([expect.objectContaining({ user: MIXER })]);
    expect(session.state).toMatchObject({ mixed: true, counters: { forwarded: 0 } });
    expect(session.state.counters.mixer_opened).toBe(120);
    await session.close();
  });

  it("goes on under a new GMK, and only distributes once it has none", async () => {
    const [old, fresh] = [gmkOf(GMK_ID, everybody), gmkOf(0x0fedcba, everybody)];
    const own = new Ring(old[3]!);
    let given: Ring | undefined = own;
    const { net, session, enter } = world("rekey", { keys: () => given });
    const rings = ALL.map((_, i) => new Ring(old[i]!));
    const [alice, bob] = ALL.map((user, i) => enter(user, rings[i]!, { mixer: MIXER }));
    alice!.call.request();
    await net.clock.pass(50);
    for (const [i, ring] of [...rings, own].entries()) ring.held.push(fresh[i]!);
    expect((await burst(net, alice!, [bob!], 30))[0]).toHaveLength(30);
    expect(session.state.counters.forwarded).toBe(0);
    given = undefined;
    expect((await burst(net, alice!, [bob!], 30))[0]!.length).toBeGreaterThan(20);
    expect(session.state.counters.forwarded).toBe(30);
    await session.close();
  });

  it("does not mix a stream sent in another's name", async () => {
    const keys = gmkOf(GMK_ID, everybody);
    const { net, session, enter } = world("impostor", { keys: () => new Ring(keys[3]!) });
    // Bob's client sends under Carol's GUK-ID, which any member can derive.
    const impostor = enter(BOB, new Ring(keys[2]!), { mixer: MIXER });
    const carol = enter(CAROL, new Ring(keys[2]!), { mixer: MIXER });
    impostor.call.request();
    await net.clock.pass(50);
    const [heard] = await burst(net, impostor, [carol], 20);
    expect(heard).toEqual([]);
    expect(session.state.counters.mixer_refused).toBe(20);
    await session.close();
  });

  it("does not mix a stream sent in another's name beside those of others either", async () => {
    const DAVE = "sip:dave@home.example";
    const keys = gmkOf(GMK_ID, [...everybody, DAVE]);
    const { net, session, enter } = world("impostor among others", {
      floor: { speakers: 2 },
      keys: () => new Ring(keys[3]!),
    });
    const alice = enter(ALICE, new Ring(keys[0]!), { mixer: MIXER });
    const impostor = enter(BOB, new Ring(keys[2]!), { mixer: MIXER });
    const dave = enter(DAVE, new Ring(keys[4]!), { mixer: MIXER });
    alice.call.request();
    impostor.call.request();
    await net.clock.pass(100);
    expect(session.talkers).toEqual([ALICE, BOB]);
    const [quiet, loud] = [new Int16Array(160).fill(264), new Int16Array(160).fill(8000)];
    const heard: number[] = [];
    for (let n = 0; n < 40; n++) {
      await alice.call.send(quiet);
      await impostor.call.send(loud);
      await net.clock.pass(20);
      heard.push(dave.call.play()?.[0] ?? 0);
    }
    expect(heard.filter((sample) => sample === 264).length).toBeGreaterThan(20);
    expect(Math.max(...heard)).toBe(264);
    await session.close();
  });

  it("plays nothing to a removed member, and nothing more of them", async () => {
    const keys = gmkOf(GMK_ID, everybody);
    const { net, session, enter } = world("put out", {
      floor: { speakers: 2 },
      keys: () => new Ring(keys[3]!),
    });
    const [alice, bob, carol] = ALL.map((user, i) => enter(user, new Ring(keys[i]!), { mixer: MIXER }));
    alice!.call.request();
    bob!.call.request();
    await net.clock.pass(100);
    const [quiet, loud] = [new Int16Array(160).fill(264), new Int16Array(160).fill(8000)];
    const talk = async (frames: number) => {
      const heard: number[] = [];
      for (let n = 0; n < frames; n++) {
        await alice!.call.send(quiet);
        await bob!.call.send(loud);
        await net.clock.pass(20);
        heard.push(carol!.call.play()?.[0] ?? 0);
      }
      return heard;
    };
    expect(Math.max(...(await talk(30)))).toBeGreaterThan(7000);
    session.leave(BOB);
    // Packets that the mixer has sent are on their way, and in Carol's jitter buffer.
    await net.clock.pass(10);
    const made = session.state.counters.mixer_made!;
    const atBob = net.deliveredTo(bob!.media);
    const heard = await talk(40);
    expect(net.deliveredTo(bob!.media)).toBe(atBob);
    expect(session.state.counters.mixer_made! - made).toBeGreaterThan(20);
    expect(Math.max(...heard.slice(15))).toBe(264);
    await session.close();
  });
});
