/** Media distribution: to whom, from whom, with which bounds. */
import { describe, expect, it } from "vitest";
import { writeRtpPacket } from "../../bindings/media/index.ts";
import { MediaRelay, type RelayOptions } from "../../roles/mcx-server/index.ts";
import type { DatagramPort } from "../../transport/datagram/ports.ts";
import { Medium } from "./medium.ts";

const NOBODY = {
  mixed: 0,
  forwarded: 0,
  strangers: 0,
  notMedia: 0,
  withoutFloor: 0,
  sent: 0,
  failed: 0,
  dropped: 0,
};

function packet(sequenceNumber: number): Uint8Array {
  const fields = { marker: false, payloadType: 0, sequenceNumber, timestamp: 0, ssrc: 5 };
  return writeRtpPacket(fields, new Uint8Array(40));
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
  it("gives a packet to all others as it came", () => {
    const { relay, ends, heard, send } = world();
    send(ends[1]!, packet(7));
    expect(heard).toEqual(["0 7", "2 7"]);
    expect(relay.counters).toEqual({ ...NOBODY, forwarded: 1, sent: 2 });
  });

  it("is no reflector: who is no leg reaches nobody, also not from the port of a leg that has gone", () => {
    const { relay, medium, ends, heard, send } = world();
    send(medium.open("192.0.2.66"), packet(1));
    relay.legs.remove("leg0");
    send(ends[0]!, packet(2));
    expect(heard).toEqual([]);
    expect(relay.counters).toEqual({ ...NOBODY, strangers: 2 });
  });

  it("takes legs in, moves them and lets them go while media flow", () => {
    const { relay, medium, ends, heard, send } = world();
    send(ends[0]!, packet(1));
    expect(relay.legs.remove("leg2")).toBe(true);
    expect(relay.legs.remove("leg2")).toBe(false);
    send(ends[0]!, packet(2));
    const moved = medium.open("192.0.2.99");
    moved.receive((bytes) => heard.push(`moved ${bytes[3]}`));
    relay.legs.move("leg1", moved.address);
    send(ends[0]!, packet(3));
    send(ends[1]!, packet(4));
    send(moved, packet(5));
    relay.legs.add("leg2", ends[2]!.address);
    send(moved, packet(6));
    expect(heard).toEqual(["1 1", "2 1", "1 2", "moved 3", "0 5", "0 6", "2 6"]);
    expect(relay.counters.strangers).toBe(1);
  });

  it("distributes media only, and only while floor control lets it", () => {
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
    send(ends[1]!, packet(3));
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

  it("refuses legs that cannot be", () => {
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
    expect(code(() => relay.legs.add("x", ends[0]!.address))).toBe("ADDRESS_IN_USE");
    expect(code(() => relay.legs.add("x", port.address))).toBe("ADDRESS_IN_USE");
    expect(code(() => relay.legs.move("leg1", ends[0]!.address))).toBe("ADDRESS_IN_USE");
    expect(code(() => relay.legs.add("x", { host: "192.0.2.77", port: 0 }))).toBe("BAD_ADDRESS");
    expect(code(() => relay.legs.move("x", free))).toBe("NO_SUCH_LEG");
    relay.legs.add("x", free);
    expect(code(() => relay.legs.add("y", { ...free, port: 8 }))).toBe("TOO_MANY_LEGS");
    expect([...relay.legs.ids()]).toEqual(["leg0", "leg1", "x"]);
  });
});
