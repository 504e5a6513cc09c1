/** Room for packets: what one has no other gets, and packets that are kept stay as they were. */
import { expect, it } from "vitest";
import { PacketOctets } from "../../bindings/media/packet-octets.ts";

it("each packet has octets of its own, which are zero, over many arrays", () => {
  const octets = new PacketOctets();
  const lengths = Array.from({ length: 500 }, (_, i) => (i * 37) % 400);
  const packets = lengths.map((length, i) => {
    const packet = octets.take(length);
    expect(packet.every((octet) => octet === 0)).toBe(true);
    return packet.fill(1 + (i % 255));
  });
  expect(packets.map(({ length }) => length)).toEqual(lengths);
  for (const [i, packet] of packets.entries()) {
    expect(
      packet.every((octet) => octet === 1 + (i % 255)),
      `packet ${i}`,
    ).toBe(true);
  }
});

it("packets of voice share an ArrayBuffer, and a large packet has one of its own", () => {
  const octets = new PacketOctets();
  const [first, second, large] = [octets.take(172), octets.take(172), octets.take(8000)];
  expect(second.buffer).toBe(first.buffer);
  expect(large.byteLength).toBe(large.buffer.byteLength);
});

it("room goes on where the ArrayBuffer of earlier packets was transferred", () => {
  const octets = new PacketOctets();
  const sent = octets.take(100);
  structuredClone(sent, { transfer: [sent.buffer as ArrayBuffer] });
  expect(octets.take(100)).toEqual(new Uint8Array(100));
});
