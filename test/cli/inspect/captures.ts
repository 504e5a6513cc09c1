/** Small captures, written octet by octet: link, IP and transport headers without checksums. */
import { concat } from "../../../base/bytes.ts";

export const LINK = { null: 0, ethernet: 1, raw: 101 };

const u16 = (value: number) => Uint8Array.of(value >> 8, value & 255);
const u32 = (value: number) => concat(u16(value >>> 16), u16(value & 0xffff));
const little = (octets: Uint8Array) => octets.slice().reverse();

export function udp(from: number, to: number, payload: Uint8Array): Uint8Array {
  return concat(u16(from), u16(to), u16(8 + payload.length), u16(0), payload);
}

export function tcp(
  from: number,
  to: number,
  sequence: number,
  payload: Uint8Array,
  syn = false,
): Uint8Array {
  const flags = Uint8Array.of(0x50, syn ? 2 : 16);
  return concat(u16(from), u16(to), u32(sequence), u32(0), flags, u16(0), u16(0), u16(0), payload);
}

export function ipv4(protocol: number, segment: Uint8Array): Uint8Array {
  const head = concat(
    Uint8Array.of(0x45, 0),
    u16(20 + segment.length),
    u32(0),
    Uint8Array.of(64, protocol),
    u16(0),
  );
  return concat(head, Uint8Array.of(192, 0, 2, 1), Uint8Array.of(192, 0, 2, 2), segment);
}

export function ipv6(protocol: number, segment: Uint8Array): Uint8Array {
  const address = (last: number) => concat(u32(0x20010db8), u32(0), u32(0), u32(last));
  const head = concat(u32(0x60000000), u16(segment.length), Uint8Array.of(protocol, 64));
  return concat(head, address(1), address(2), segment);
}

/** Returns an Ethernet frame with a VLAN tag, and with the padding that short frames have. */
export function ethernet(packet: Uint8Array, type: number): Uint8Array {
  return concat(new Uint8Array(12), u16(0x8100), u16(7), u16(type), packet, new Uint8Array(4));
}

export function loopback(packet: Uint8Array, family: number): Uint8Array {
  return concat(little(u32(family)), packet);
}

export function pcap(link: number, ...frames: readonly Uint8Array[]): Uint8Array {
  const head = [0xa1b2c3d4, 0x00040002, 0, 0, 262144, link].map((word) => little(u32(word)));
  const packets = frames.map((frame, i) =>
    concat(
      ...[1_700_000_000 + i, 500_000, frame.length, frame.length].map((word) => little(u32(word))),
      frame,
    ),
  );
  return concat(...head, ...packets);
}

/** Big-endian, with times in nanoseconds. */
export function pcapng(link: number, ...frames: readonly Uint8Array[]): Uint8Array {
  const block = (type: number, body: Uint8Array) => {
    const padded = concat(body, new Uint8Array((4 - (body.length % 4)) % 4));
    const length = u32(12 + padded.length);
    return concat(u32(type), length, padded, length);
  };
  const section = block(
    0x0a0d0d0a,
    concat(u32(0x1a2b3c4d), u16(1), u16(0), u32(0xffffffff), u32(0xffffffff)),
  );
  const resolution = concat(u16(9), u16(1), Uint8Array.of(9, 0, 0, 0), u32(0));
  const description = block(1, concat(u16(link), u16(0), u32(0), resolution));
  const packets = frames.map((frame) => {
    const nanoseconds = 1_700_000_000_500n * 1_000_000n;
    const time = concat(u32(Number(nanoseconds >> 32n)), u32(Number(nanoseconds & 0xffffffffn)));
    return block(6, concat(u32(0), time, u32(frame.length), u32(frame.length), frame));
  });
  return concat(section, description, ...packets);
}
