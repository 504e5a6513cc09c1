/** The floor of a group call by way of a server: asked for, waited for, given back, taken away (TS 24.380 6.2.4). */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GroupMedia, writeRtpPacket } from "../../../bindings/media/index.ts";
import { gmkOf } from "../../media/packets.ts";
import { frameOf, Net, numberOf } from "./medium.ts";
import {
  ALICE,
  ALL,
  BOB,
  CAROL,
  controlKey,
  join,
  type Member,
  Ring,
  states,
  TestServer,
} from "./members.ts";

let net: Net;
let server: TestServer;
let alice: Member;
let bob: Member;
let carol: Member;

async function open(
  options: { weather?: Net["weather"]; config?: TestServer["config"] } = {},
): Promise<void> {
  net = new Net("floor", options.weather);
  server = new TestServer(net, options.config);
  const keys = gmkOf(0x0123456, ALL);
  [alice, bob, carol] = ALL.map((uri, i) => join(net, server, uri, new Ring(keys[i]!))) as [
    Member,
    Member,
    Member,
  ];
  await net.clock.pass(1000);
  for (const { events } of [alice, bob, carol]) events.length = 0;
}

beforeEach(() => open());
afterEach(() => server.stop());

/** Says frames with these numbers, one each 20 ms, while the others listen. */
async function talk(who: Member, from: number, count: number): Promise<void> {
  for (let n = from; n < from + count; n++) {
    await who.call.send(frameOf(n));
    await listen(1);
  }
}

async function listen(frames: number): Promise<void> {
  for (let n = 0; n < frames; n++) {
    await net.clock.pass(20);
    for (const { call, heard } of [alice, bob, carol]) {
      const frame = call.play();
      if (frame !== undefined) heard.push(numberOf(frame));
    }
  }
}

const numbers = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);
const thrown = (work: () => unknown) => {
  try {
    work();
    return "nothing";
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe("the floor of a group call", () => {
  it("is granted, and heard by all others under the talker's name", async () => {
    expect(thrown(() => alice.call.send(frameOf(0)))).toBe("FLOOR_NOT_GRANTED");
    alice.call.request();
    await net.clock.pass(50);
    await talk(alice, 0, 60);
    alice.call.release();
    await listen(10);
    expect(bob.heard).toEqual(numbers(0, 60));
    expect(carol.heard).toEqual(numbers(0, 60));
    expect(alice.heard).toEqual([]);
    expect(states(alice.events)).toEqual(["pending", "granted", "releasing", "idle"]);
    expect(states(bob.events)).toEqual(["taken a", "idle"]);
    expect(bob.events.filter(({ type }) => type === "talker")).toEqual([
      expect.objectContaining({ user: ALICE }),
    ]);
    expect(bob.events.some(({ type }) => type === "talker-mismatch")).toBe(false);
    expect(thrown(() => alice.call.send(frameOf(0)))).toBe("FLOOR_NOT_GRANTED");
  });

  it("is waited for, and passes to the member who waits", async () => {
    alice.call.request();
    await net.clock.pass(50);
    bob.call.request();
    carol.call.request(5);
    await net.clock.pass(50);
    expect(bob.call.floor).toMatchObject({ state: "queued", position: 2, talker: ALICE });
    expect(carol.call.floor).toMatchObject({ state: "queued", position: 1 });
    carol.call.release();
    await talk(alice, 0, 20);
    expect(bob.call.floor.position).toBe(1);
    alice.call.release();
    await net.clock.pass(50);
    expect(bob.call.floor.state).toBe("granted");
    await talk(bob, 100, 20);
    expect(alice.heard).toEqual(expect.arrayContaining([100]));
    expect(alice.call.floor).toMatchObject({ state: "taken", talker: BOB });
  });

  it("is taken from a talker of lower priority, who answers with a release", async () => {
    alice.call.request();
    await net.clock.pass(50);
    carol.call.request(250);
    await net.clock.pass(50);
    expect(states(alice.events)).toContain("releasing revoked 4");
    expect(carol.call.floor.state).toBe("granted");
    expect(alice.call.floor).toMatchObject({ state: "taken", talker: CAROL });
  });

  it("is taken by an emergency, which all others are told of", async () => {
    alice.call.request();
    await net.clock.pass(50);
    bob.call.request(0, { isEmergency: true });
    await net.clock.pass(50);
    expect(bob.call.floor).toMatchObject({ state: "granted", isEmergency: true });
    for (const { call } of [alice, carol])
      expect(call.floor).toMatchObject({ state: "taken", talker: BOB, isEmergency: true });
    bob.call.release();
    await net.clock.pass(50);
    expect(carol.call.floor).toMatchObject({ state: "idle", isEmergency: false });
    bob.call.request();
    await net.clock.pass(50);
    expect(carol.call.floor).toMatchObject({ state: "taken", talker: BOB, isEmergency: false });
  });

  it("becomes an emergency floor while somebody talks or waits", async () => {
    alice.call.request();
    await net.clock.pass(50);
    alice.call.request(0, { isEmergency: true });
    bob.call.request();
    await net.clock.pass(50);
    expect(alice.call.floor).toMatchObject({ state: "granted", isEmergency: true });
    expect(bob.call.floor).toMatchObject({ state: "queued", talker: ALICE, isEmergency: true });
    bob.call.request(0, { isEmergency: true });
    carol.call.request(255);
    await net.clock.pass(50);
    alice.call.release();
    await net.clock.pass(50);
    expect(bob.call.floor).toMatchObject({ state: "granted", isEmergency: true });
  });

  it("is asked for again as an emergency floor when the first emergency request was lost", async () => {
    alice.call.request();
    await net.clock.pass(50);
    const weather = net.weather;
    net.weather = { loss: 100 };
    alice.call.request(0, { isEmergency: true });
    await net.clock.pass(50);
    net.weather = weather;
    expect(bob.call.floor).toMatchObject({ talker: ALICE, isEmergency: false });
    await net.clock.pass(1000);
    expect(bob.call.floor).toMatchObject({ talker: ALICE, isEmergency: true });
    const asked = server.log.length;
    await net.clock.pass(2500);
    expect(server.log.slice(asked).filter((line) => line.endsWith("Floor Request"))).toEqual([]);
  });

  it("is taken away after the talk limit", async () => {
    alice.call.request();
    await net.clock.pass(50);
    for (let n = 0; alice.call.floor.state === "granted" && n < 2000; n++) {
      await alice.call.send(frameOf(n));
      await net.clock.pass(20);
    }
    expect(states(alice.events).slice(-2)).toEqual(["releasing revoked 2", "idle"]);
  });

  it("is refused to a member who asks for it when nobody may wait", async () => {
    server.stop();
    await open({ config: { maxQueue: 0 } as TestServer["config"] });
    alice.call.request();
    await net.clock.pass(50);
    bob.call.request();
    await net.clock.pass(50);
    expect(states(bob.events)).toEqual(["taken a", "pending a", "taken a denied 1"]);
  });

  it("is asked for again when requests, answers or releases are lost", async () => {
    server.stop();
    await open({ weather: { loss: 30, delay: 10, jitter: 40 } });
    let granted = 0;
    for (let round = 0; round < 30; round++) {
      const who = [alice, bob, carol][round % 3]!;
      who.call.request();
      await net.clock.pass(2900);
      if (who.call.floor.state === "granted") granted++;
      who.call.release();
      await net.clock.pass(9000);
      expect(["idle", "taken"]).toContain(who.call.floor.state);
      expect(server.state.talks[0]).toBeUndefined();
    }
    expect(granted).toBeGreaterThan(24);
  });

  it("is given up by a client when the server does not answer", async () => {
    net.weather = { loss: 100 };
    alice.call.request();
    await net.clock.pass(10_000);
    expect(states(alice.events)).toEqual(["pending", "idle timed-out"]);
    expect(server.log).toEqual([]);
  });

  it("needs a CSK, and stays under a new one", async () => {
    const [old] = alice.controls.held;
    alice.controls.held = [];
    expect(thrown(() => alice.call.request())).toBe("NO_CONTROL_KEY");
    const fresh = controlKey("CSK", 0x777);
    alice.controls.held = [fresh, old!];
    alice.call.request();
    await net.clock.pass(50);
    expect(alice.call.floor.state).toBe("granted");
    expect(alice.call.counters.floor.refused).toBe(0);
    alice.controls.held = [fresh];
    alice.call.release();
    await net.clock.pass(50);
    expect(alice.call.floor.state).toBe("idle");
  });
});

describe("floor control and media of a group call", () => {
  it("come by multicast under the MuSiK", async () => {
    server.stop();
    net = new Net("multicast", { delay: 5, jitter: 30 });
    const musik = controlKey("MuSiK", 5);
    server = new TestServer(net, {}, musik);
    const keys = gmkOf(0x0123456, ALL);
    [alice, bob, carol] = ALL.map((uri, i) => {
      const multicast = { media: net.open("192.0.2.7"), floor: net.open("192.0.2.7", server.multicast) };
      const member = join(net, server, uri, new Ring(keys[i]!), { multicast });
      member.controls.held.push(musik);
      return member;
    }) as [Member, Member, Member];
    await net.clock.pass(1000);
    alice.call.request();
    await net.clock.pass(200);
    expect(alice.call.floor.state).toBe("granted");
    expect(bob.call.floor).toMatchObject({ state: "taken", talker: ALICE });
    carol.controls.held.pop();
    alice.call.release();
    await net.clock.pass(200);
    expect(bob.call.floor.state).toBe("idle");
    expect(carol.call.floor.state).toBe("taken");
    expect(carol.call.counters.floor.refused).toBe(1);
  });

  it("a client takes floor control and media from the server only", async () => {
    const stranger = net.open("203.0.113.9");
    const packet = new Uint8Array(80).fill(0x80);
    stranger.send(packet, alice.media.address, () => undefined);
    server.media.send(packet, alice.media.address, () => undefined);
    expect(alice.call.counters.media).toMatchObject({ strangers: 1, received: 0, refused: { malformed: 0 } });
    const { refused } = alice.call.counters.media;
    expect(refused["unknown-key"] + refused["not-authentic"]).toBe(1);
  });

  it("a disagreement between floor control and media on who talks is reported", async () => {
    alice.call.request();
    await net.clock.pass(50);
    // Carol sends in Alice's place: the server has been led to think that it is Alice.
    const keys = gmkOf(0x0222222, ALL);
    const impostor = new GroupMedia({ keys: new Ring(keys[2]!), service: "mcptt" }).sender();
    const receiver = join(net, server, "sip:dave@home.example", new Ring(keys[1]!));
    await net.clock.pass(50);
    for (let n = 0; n < 12; n++) {
      const fields = {
        marker: n === 0,
        payloadType: 8,
        sequenceNumber: n,
        timestamp: 160 * n,
        ssrc: impostor.ssrc,
      };
      const packet = await impostor.protect(writeRtpPacket(fields, new Uint8Array(160)));
      server.media.send(packet, receiver.media.address, () => undefined);
    }
    expect(receiver.events.filter(({ type }) => type === "talker-mismatch")).toEqual([
      { type: "talker-mismatch", ssrc: impostor.ssrc, user: CAROL, claimed: [ALICE] },
    ]);
    expect(receiver.call.counters.media.mismatches).toBe(1);
  });

  it("end with the call", async () => {
    alice.call.request();
    await net.clock.pass(50);
    expect(thrown(() => alice.call.send(new Int16Array(80)))).toBe("BAD_FRAME");
    await alice.call.close();
    expect(thrown(() => alice.call.send(frameOf(1)))).toBe("FLOOR_NOT_GRANTED");
    expect(thrown(() => alice.call.request())).toBe("CALL_CLOSED");
  });
});
