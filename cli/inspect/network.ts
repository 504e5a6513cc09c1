/** From frames to what was said: UDP datagrams, and TCP streams put together in order (RFC 791, 8200, 768, 9293). */
import { concatAll } from "../../base/bytes.ts";
import { Octets } from "./bytes.ts";
import type { CapturedFrame } from "./capture.ts";

export interface Flow {
  readonly protocol: "udp" | "tcp";
  /** Address and port, such as 192.0.2.1:5060 or [2001:db8::1]:5060. */
  readonly from: string;
  readonly to: string;
  /** The time of the first packet. */
  readonly time: number | undefined;
  /** One datagram, or all of one direction of a connection as far as it was captured without a gap. */
  readonly octets: Uint8Array;
}

const LINK = {
  null: 0,
  ethernet: 1,
  rawOld: 12,
  raw: 101,
  loop: 108,
  sll: 113,
  ipv4: 228,
  ipv6: 229,
  sll2: 276,
};
const ETHER = { ipv4: 0x0800, ipv6: 0x86dd, vlan: 0x8100, provider: 0x88a8 };
export const UDP = 17;
const TCP = 6;
/** Extension headers of IPv6 that say their length: hop-by-hop, routing, destination options. */
const EXTENSIONS: ReadonlySet<number> = new Set([0, 43, 60]);

interface Segment {
  readonly sequence: number;
  readonly syn: boolean;
  readonly time: number | undefined;
  readonly octets: Uint8Array;
}

/** Returns the flows in the order of their first packets. Fragments and other protocols are passed over. */
export function flowsOf(frames: readonly CapturedFrame[]): Flow[] {
  const found: (Flow | { readonly key: string })[] = [];
  const streams = new Map<string, { from: string; to: string; segments: Segment[] }>();
  for (const frame of frames) {
    const packet = packetOf(frame);
    if (packet === undefined) continue;
    const { time } = frame;
    const { protocol, source, target, segment } = packet;
    if (segment.length < 8) continue;
    const [from, to] = [`${source}:${segment.u16(0)}`, `${target}:${segment.u16(2)}`];
    if (protocol === UDP) {
      const length = Math.min(segment.u16(4), segment.length);
      found.push({ protocol: "udp", from, to, time, octets: segment.slice(8, length) });
    } else if (protocol === TCP && segment.length >= 20) {
      const key = `${from} ${to}`;
      const stream = streams.get(key) ?? { from, to, segments: [] };
      if (!streams.has(key)) found.push({ key });
      streams.set(key, stream);
      const data = segment.slice((segment.u8(12) >> 4) * 4, segment.length);
      stream.segments.push({ sequence: segment.u32(4), syn: (segment.u8(13) & 2) !== 0, time, octets: data });
    }
  }
  return found.flatMap((one) => {
    if (!("key" in one)) return one.octets.length === 0 ? [] : [one];
    const { from, to, segments } = streams.get(one.key)!;
    const octets = inOrder(segments);
    return octets.length === 0
      ? []
      : [{ protocol: "tcp" as const, from, to, time: segments[0]!.time, octets }];
  });
}

function networkOf(link: number, frame: Octets): Octets | undefined {
  const rest = (at: number) => new Octets(frame.slice(at, frame.length));
  switch (link) {
    case LINK.null:
    case LINK.loop:
      return rest(4);
    case LINK.raw:
    case LINK.rawOld:
    case LINK.ipv4:
    case LINK.ipv6:
      return frame;
    case LINK.sll:
      return rest(16);
    case LINK.sll2:
      return rest(20);
    case LINK.ethernet: {
      let at = 12;
      while (frame.u16(at) === ETHER.vlan || frame.u16(at) === ETHER.provider) at += 4;
      const type = frame.u16(at);
      return type === ETHER.ipv4 || type === ETHER.ipv6 ? rest(at + 2) : undefined;
    }
    default:
      return undefined;
  }
}

export interface Packet {
  readonly protocol: number;
  readonly source: string;
  readonly target: string;
  /** Its IP header, with the extension headers of IPv6. */
  readonly header: Uint8Array;
  readonly segment: Octets;
}

/** The IP packet of a frame; undefined for other frames and for fragments. */
export function packetOf({ link, octets }: CapturedFrame): Packet | undefined {
  const ip = networkOf(link, new Octets(octets));
  if (ip === undefined) return undefined;
  const version = ip.u8(0) >> 4;
  if (version === 4 && ip.length >= 20) {
    // A fragment that is not the first has no ports, and the first one not all of its data.
    if ((ip.u16(6) & 0x3fff) !== 0) return undefined;
    const start = (ip.u8(0) & 15) * 4;
    const segment = new Octets(ip.slice(start, Math.min(ip.u16(2) || ip.length, ip.length)));
    const header = ip.slice(0, start);
    return { protocol: ip.u8(9), source: dotted(ip, 12), target: dotted(ip, 16), header, segment };
  }
  if (version !== 6 || ip.length < 40) return undefined;
  let protocol = ip.u8(6);
  let at = 40;
  while (EXTENSIONS.has(protocol)) {
    protocol = ip.u8(at);
    at += 8 + 8 * ip.u8(at + 1);
    if (at > ip.length) return undefined;
  }
  const end = Math.min(40 + ip.u16(4), ip.length);
  const [source, target] = [colons(ip, 8), colons(ip, 24)];
  return { protocol, source, target, header: ip.slice(0, at), segment: new Octets(ip.slice(at, end)) };
}

/** A segment that was sent again counts once; behind a gap nothing is read. */
function inOrder(segments: readonly Segment[]): Uint8Array {
  const first = segments.find(({ syn }) => syn) ?? segments[0]!;
  const start = first.sequence + (first.syn ? 1 : 0);
  const placed = segments
    .filter(({ octets }) => octets.length > 0)
    .map(({ sequence, syn, octets }) => ({ at: (sequence + (syn ? 1 : 0) - start) >>> 0, octets }))
    .sort((a, b) => a.at - b.at);
  const parts: Uint8Array[] = [];
  let next = 0;
  for (const { at, octets } of placed) {
    if (at > next) break;
    const fresh = octets.subarray(Math.min(next - at, octets.length));
    parts.push(fresh);
    next += fresh.length;
  }
  return concatAll(parts);
}

function dotted(ip: Octets, at: number): string {
  return [...ip.slice(at, at + 4)].join(".");
}

function colons(ip: Octets, at: number): string {
  const groups = Array.from({ length: 8 }, (_, i) => ip.u16(at + 2 * i).toString(16));
  return `[${new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1)}]`;
}
