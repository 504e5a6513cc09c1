/** Media distribution: to whom, from whom, with which bounds. */
import { describe, expect, it } from "vitest";
import { groupMki, writeRtpPacket } from "../../../bindings/media/index.ts";
import { MediaRelay, OwnSockets, type RelayOptions } from "../../../roles/mcx/index.ts";
import type { DatagramPort } from "../../../transport/datagram/ports.ts";
import { Medium } from "./medium.ts";

const NOBODY = {
  mixed: 0,
  forwarded: 0,
  strangers: 0,
  ownSockets: 0,
  otherStream: 0,
  copies: 0,
  notMedia: 0,
  withoutFloor: 0,
  sent: 0,
  failed: 0,
  dropped: 0,
  tooFast: 0,
  feedback: 0,
};

/** A packet in the stream of one leg; its content does not matter. */
function packet(sequenceNumber: number, leg = 0, ssrc = 5 + leg): Uint8Array {
  const fields = { marker: false, payloadType: 0, sequenceNumber, timestamp: 0, ssrc };
  const out = writeRtpPacket(fields, new Uint8Array(60));
  out.set(groupMki({ gmkId: 1, gukId: 100 + leg }), out.length - 12);
  return out;
}

function world(options: Partial<RelayOptions> = {}, members = 3) {
  const medium = new Medium();
  const port = options.port ?? medium.open();
  const relay = new MediaRelay({ ...options, port });
  const heard: string[] = [];
  const ends = Array.from({ length: members }, (_, i) => {
    const end = medium.open(`192.0.2.${i + 10}`);
    end.receive((bytes, from) => {
      expect(from).toEqual(port.address);
      heard.push(`${i} ${bytes[3]}`);
    });
    relay.legs.add(`leg${i}`, end.address);
    return end;
  });
  const send = (end: DatagramPort, bytes: Uint8Array) => end.send(bytes, port.address, () => undefined);
  return { medium, port, relay, ends, heard, send };
}

describe("media relay", () => {
  it("passes a packet unchanged to all others", () => {
    const { relay, ends, heard, send } = world();
    send(ends[1]!, packet(7, 1));
    expect(heard).toEqual(["0 7", "2 7"]);
    expect(relay.counters).toEqual({ ...NOBODY, forwarded: 1, sent: 2 });
  });

  it("is no reflector: a stranger reaches nobody, not even from the port of a departed leg", () => {
    const { relay, medium, ends, heard, send } = world();
    send(medium.open("192.0.2.66"), packet(1));
    relay.legs.remove("leg0");
    send(ends[0]!, packet(2));
    expect(heard).toEqual([]);
    expect(relay.counters).toEqual({ ...NOBODY, strangers: 2 });
  });

  it("adds, moves and removes legs while media flow", () => {
    const { relay, medium, ends, heard, send } = world();
    send(ends[0]!, packet(1));
    expect(relay.legs.remove("leg2")).toBe(true);
    expect(relay.legs.remove("leg2")).toBe(false);
    send(ends[0]!, packet(2));
    const moved = medium.open("192.0.2.99");
    moved.receive((bytes) => heard.push(`moved ${bytes[3]}`));
    relay.legs.move("leg1", moved.address);
    send(ends[0]!, packet(3));
    send(ends[1]!, packet(4, 1));
    send(moved, packet(5, 1));
    relay.legs.add("leg2", ends[2]!.address);
    send(moved, packet(6, 1));
    expect(heard).toEqual(["1 1", "2 1", "1 2", "moved 3", "0 5", "0 6", "2 6"]);
    expect(relay.counters.strangers).toBe(1);
  });

  it("distributes media only, and only while floor control permits", () => {
    const holder = { id: "leg0" };
    const told: string[] = [];
    const { relay, ends, heard, send } = world({
      mayTalk: (id) => id === holder.id,
      onMedia: (id) => told.push(id),
    });
    send(ends[0]!, new Uint8Array(4));
    send(ends[0]!, new Uint8Array(100));
    send(
      ends[0]!,
      packet(1).map((octet, at) => (at === 1 ? 200 : octet)),
    );
    send(ends[0]!, new Uint8Array(1473).fill(0x80));
    send(ends[1]!, packet(2));
    expect(heard).toEqual([]);
    holder.id = "leg1";
    send(ends[1]!, packet(3, 1));
    expect(heard).toEqual(["0 3", "2 3"]);
    expect(told).toEqual(["leg1"]);
    expect(relay.counters).toEqual({ ...NOBODY, notMedia: 4, withoutFloor: 1, forwarded: 1, sent: 2 });
  });

  it("gives each packet once to a multicast address", () => {
    const medium = new Medium();
    const group = { host: "239.255.1.1", port: 5000 };
    const heard: number[] = [];
    for (const host of ["192.0.2.50", "192.0.2.51"]) {
      medium.open(host, group).receive((bytes) => heard.push(bytes[3]!));
    }
    const port = medium.open();
    const relay = new MediaRelay({ port, multicast: group });
    const talker = medium.open("192.0.2.9");
    relay.legs.add("talker", talker.address);
    talker.send(packet(9), port.address, () => undefined);
    expect(heard).toEqual([9, 9]);
    expect(relay.counters.sent).toBe(1);
  });

  it("keeps a bounded queue for each leg and for the multicast address", () => {
    const medium = new Medium();
    const inner = medium.open();
    const waiting: ((failed: boolean) => void)[] = [];
    const port: DatagramPort = { ...inner, send: (_bytes, _to, done) => void waiting.push(done) };
    const { relay, ends, send } = world({ port, multicast: { host: "239.1.1.1", port: 1 }, maxQueued: 2 }, 0);
    expect(ends).toEqual([]);
    const talker = medium.open("192.0.2.9");
    relay.legs.add("talker", talker.address);
    relay.legs.add("slow", { host: "192.0.2.10", port: 1 });
    for (let n = 0; n < 5; n++) send(talker, packet(n));
    expect(waiting.length).toBe(4);
    expect(relay.counters).toMatchObject({ forwarded: 5, dropped: 6, sent: 0 });
    for (const done of waiting.splice(0)) done(false);
    send(talker, packet(6));
    for (const done of waiting.splice(0)) done(true);
    expect(relay.counters).toMatchObject({ forwarded: 6, dropped: 6, sent: 4, failed: 2 });
  });

  it("refuses invalid legs", () => {
    const { relay, port, ends } = world({ maxLegs: 3 }, 2);
    const code = (work: () => void) => {
      try {
        work();
        return "done";
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    const free = { host: "192.0.2.77", port: 7 };
    expect(code(() => relay.legs.add("leg0", free))).toBe("LEG_EXISTS");
    expect(code(() => relay.legs.add("x", port.address))).toBe("BAD_ADDRESS");
    expect(code(() => relay.legs.move("leg1", port.address))).toBe("BAD_ADDRESS");
    expect(code(() => relay.legs.add("x", { host: "192.0.2.77", port: 0 }))).toBe("BAD_ADDRESS");
    expect(ends).toHaveLength(2);
    expect(code(() => relay.legs.move("x", free))).toBe("NO_SUCH_LEG");
    relay.legs.add("x", free);
    expect(code(() => relay.legs.add("y", { ...free, port: 8 }))).toBe("TOO_MANY_LEGS");
    expect([...relay.legs.ids()]).toEqual(["leg0", "leg1", "x"]);
  });
});

describe("an address that two legs name", () => {
  it("gets each packet once, and belongs to the leg that may talk: neither takes it from the other", () => {
    const holder = { id: "leg0" };
    const { relay, ends, heard, send } = world({ mayTalk: (id) => id === holder.id });
    // leg9 says that it is where leg1 is.
    relay.legs.add("leg9", ends[1]!.address);
    send(ends[0]!, packet(1));
    expect(heard).toEqual(["1 1", "2 1"]);
    holder.id = "leg1";
    send(ends[1]!, packet(2, 1));
    expect(heard.slice(2)).toEqual(["0 2", "2 2"]);
    relay.remove("leg9");
    send(ends[1]!, packet(3, 1));
    expect(heard.slice(4)).toEqual(["0 3", "2 3"]);
    relay.remove("leg1");
    send(ends[1]!, packet(4, 1));
    expect(relay.counters).toMatchObject({ strangers: 1, forwarded: 3 });
  });
});

describe("the streams of legs", () => {
  it("do not go out under the SSRC of another leg, even after that leg has left", () => {
    const { relay, ends, heard, send } = world();
    send(ends[0]!, packet(1));
    send(ends[1]!, packet(60_000, 1, 5));
    relay.remove("leg0");
    send(ends[1]!, packet(60_001, 1, 5));
    expect(heard).toEqual(["1 1", "2 1"]);
    expect(relay.counters.otherStream).toBe(2);
  });

  it("do not go out under the GUK-ID of another leg, nor under two GUK-IDs of one GMK", () => {
    const { relay, ends, heard, send } = world();
    send(ends[0]!, packet(1));
    // Leg 1 under the GUK-ID of leg 0.
    send(ends[1]!, packet(2, 0, 77));
    send(ends[2]!, packet(3, 2));
    send(ends[2]!, packet(4, 3, 7));
    expect(heard).toEqual(["1 1", "2 1", "0 3", "1 3"]);
    expect(relay.counters.otherStream).toBe(2);
    // The GUK-ID is free once its leg is gone, as when a user comes again with another client.
    relay.remove("leg0");
    send(ends[1]!, packet(5, 0, 78));
    expect(relay.counters.otherStream).toBe(2);
  });

  it("have one SSRC for the whole of a talk, the one of floor control if that names one", () => {
    const { relay, ends, heard, send } = world();
    relay.streams.begin("leg0", undefined);
    send(ends[0]!, packet(1));
    send(ends[0]!, packet(2, 0, 99));
    relay.streams.begin("leg0", 99);
    send(ends[0]!, packet(3));
    send(ends[0]!, packet(4, 0, 99));
    expect(heard).toEqual(["1 1", "2 1", "1 4", "2 4"]);
    expect(relay.counters.otherStream).toBe(2);
  });

  it("go out once, in any order, through the wrap of the sequence number and after a long hole", () => {
    const { relay, ends, send } = world();
    const numbers = [65_530, 65_534, 65_531, 2, 65_535, 1];
    for (const number of [...numbers, ...numbers]) send(ends[0]!, packet(number));
    expect(relay.counters).toMatchObject({ forwarded: numbers.length, copies: numbers.length });
    // 40,000 packets did not come: what follows looks old at first.
    for (let n = 0; n < 40; n++) send(ends[0]!, packet(40_000 + n));
    expect(relay.counters).toMatchObject({ forwarded: numbers.length + 9, copies: numbers.length + 31 });
  });

  it("remain even if another member uses SSRC after SSRC", () => {
    const { relay, ends, send } = world();
    send(ends[0]!, packet(1));
    for (let ssrc = 1000; ssrc < 3000; ssrc++) {
      relay.streams.begin("leg1", ssrc);
      send(ends[1]!, packet(1, 1, ssrc));
    }
    relay.streams.begin("leg1", undefined);
    send(ends[1]!, packet(2, 1, 5));
    expect(relay.counters).toMatchObject({ forwarded: 2001, otherStream: 1 });
  });
});

describe("the address of a leg", () => {
  const interfaces = () => [
    { address: "198.51.100.7", netmask: "255.255.255.0", family: "IPv4" as const },
    { address: "2001:db8::7", netmask: "ffff:ffff:ffff:ffff::", family: "IPv6" as const },
  ];

  it.each([
    ["0.0.0.0", 4000],
    ["0.1.2.3", 4000],
    ["::", 4000],
    ["0:0::0", 4000],
    ["239.1.2.3", 4000],
    ["ff02::1", 4000],
    ["255.255.255.255", 4000],
    ["240.0.0.1", 4000],
    // Broadcast of the network that the machine is in.
    ["198.51.100.255", 4000],
    ["dead:beef", 4000],
    ["127.000.000.001", 4000],
    ["1.2.3", 4000],
    ["mcx.example.org", 4000],
    ["", 4000],
    ["203.0.113.5", 0],
    ["203.0.113.5", 65_536],
    ["203.0.113.5", 1.5],
    // Sockets of the server, by whatever way they are called.
    ["192.0.2.1", 10_000],
    ["::ffff:192.0.2.1", 10_000],
    ["::FFFF:c000:201", 10_000],
    ["127.0.0.1", 10_000],
    ["127.8.8.8", 10_000],
    ["::1", 10_000],
    ["0:0:0:0:0:0:0:1", 10_000],
    ["198.51.100.7", 10_000],
    ["2001:DB8:0::7", 10_000],
    ["203.0.113.1", 10_000],
    ["198.51.100.7", 5070],
    ["127.0.0.1", 5070],
  ])("%s port %d is refused", (host, port) => {
    const own = new OwnSockets({ advertised: ["203.0.113.1"], otherPorts: () => [5070], interfaces });
    const medium = new Medium();
    own.enter(medium.open());
    const relay = new MediaRelay({ port: medium.open(), own });
    expect(() => relay.legs.add("x", { host, port })).toThrow(
      expect.objectContaining({ code: "BAD_ADDRESS", message: expect.stringContaining(`port ${port}`) }),
    );
    expect(relay.legs.size).toBe(0);
  });

  it.each([
    ["203.0.113.1", 10_001],
    ["198.51.100.7", 10_001],
    ["127.0.0.1", 10_001],
    ["198.51.100.254", 10_000],
    ["2001:db8::8", 10_000],
  ])("%s port %d, which is not the server's, is accepted", (host, port) => {
    const own = new OwnSockets({ advertised: ["203.0.113.1"], otherPorts: () => [5070], interfaces });
    own.enter(new Medium().open());
    expect(own.legAddress("x", { host, port })).toEqual({ host, port });
  });

  it("is free again once the server's socket there is closed", () => {
    const own = new OwnSockets({ interfaces });
    const port = new Medium().open();
    const close = own.enter(port);
    expect(own.has(port.address)).toBe(true);
    close();
    close();
    expect(own.has(port.address)).toBe(false);
  });
});

describe("media relay of video", () => {
  /** SRTCP of one leg; its content does not matter. */
  const report = (leg: number) => Uint8Array.from({ length: 48 }, (_, i) => [0x81, 206, 0, leg][i] ?? 0);

  it("passes a burst of large packets, and no more of one talker than the limit", () => {
    let now = 0;
    const { relay, ends, heard, send } = world({
      packets: { perSecond: 100, burst: 150 },
      maxQueued: 200,
      now: () => now,
    });
    const picture = Array.from({ length: 120 }, (_, i) => {
      const large = new Uint8Array(1240);
      large.set(packet(1 + i).subarray(0, 12));
      large.set(groupMki({ gmkId: 1, gukId: 100 }), large.length - 12);
      return large;
    });
    for (const one of picture) send(ends[0]!, one);
    expect([heard.length, relay.counters.tooFast, relay.counters.dropped]).toEqual([240, 0, 0]);
    for (let i = 0; i < 100; i++) send(ends[0]!, packet(121 + i));
    expect([heard.length, relay.counters.tooFast]).toEqual([300, 70]);
    now += 1000;
    for (let i = 0; i < 110; i++) send(ends[0]!, packet(300 + i));
    expect([heard.length, relay.counters.tooFast]).toEqual([500, 80]);
    send(ends[1]!, packet(1, 1));
    expect(heard.length).toBe(502);
  });

  it("passes media to those who receive them", () => {
    const { ends, heard, send } = world({
      mayHear: (listener, talker) => `${talker} ${listener}` === "leg0 leg2",
    });
    send(ends[0]!, packet(7));
    send(ends[1]!, packet(8, 1));
    expect(heard).toEqual(["2 7"]);
  });

  it("passes RTCP to who talks, and that of who talks to who receives, within the limit", () => {
    const { relay, ends, heard, send } = world({
      feedback: { perSecond: 1, burst: 2 },
      mayTalk: (id) => id === "leg0",
      mayHear: (listener) => listener === "leg2",
      now: () => 0,
    });
    for (let i = 0; i < 3; i++) send(ends[1]!, report(1));
    expect(heard).toEqual(["0 1", "0 1"]);
    send(ends[0]!, report(0));
    expect(heard).toEqual(["0 1", "0 1", "2 0"]);
    send(ends[1]!, report(1).subarray(0, 20));
    expect(relay.counters).toMatchObject({ feedback: 3, tooFast: 1, notMedia: 1, forwarded: 0 });
  });

  it("keeps RTCP where there is no limit for it", () => {
    const { relay, ends, heard, send } = world();
    send(ends[1]!, report(1));
    expect(heard).toEqual([]);
    expect(relay.counters).toEqual({ ...NOBODY, notMedia: 1 });
  });
});
