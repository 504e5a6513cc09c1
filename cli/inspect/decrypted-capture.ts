/**
 * A capture with the media of groups decrypted. Wireshark reads no keys out of MIKEY messages, so it is given packets
 * in clear: IP packets in a classic pcap file, everything but SRTP as it was captured.
 */
import { concat, concatAll } from "../../base/bytes.ts";
import type { DeliveredKey, KeyId } from "../../bindings/index.ts";
import { GroupMedia, type MediaService } from "../../bindings/media/index.ts";
import type { CapturedFrame } from "./capture.ts";
import { type Packet, packetOf, UDP } from "./network.ts";

const SERVICES: readonly MediaService[] = ["mcptt", "mcvideo"];
const UDP_HEADER = 8;
const RTP_HEADER = 12;
const PCAP_MICROSECONDS = 0xa1b2c3d4;
const PCAP_VERSION = 0x00040002;
const MOST_OCTETS = 262_144;
const LINK_RAW = 101;
/** Fields of the IP headers. */
const V4 = { length: 2, checksum: 10, addresses: 12 };
const V6 = { header: 40, length: 4, addresses: 8 };

export interface DecryptedCapture {
  readonly octets: Uint8Array;
  /** Packets of media that were decrypted. */
  readonly decrypted: number;
  /** Packets in the file. */
  readonly packets: number;
}

/** Keys of groups by GMK-ID. Frames that hold no whole IP packet are left out. */
export async function decryptCapture(
  frames: readonly CapturedFrame[],
  keys: ReadonlyMap<KeyId, DeliveredKey>,
): Promise<DecryptedCapture> {
  const opener = new MediaOpener(keys);
  const out = [words(PCAP_MICROSECONDS, PCAP_VERSION, 0, 0, MOST_OCTETS, LINK_RAW)];
  let decrypted = 0;
  let packets = 0;
  for (const frame of frames) {
    const packet = packetOf(frame);
    if (packet === undefined) continue;
    const plain = packet.protocol === UDP ? await opener.open(packet.segment.octets) : undefined;
    if (plain !== undefined) decrypted++;
    const ip =
      plain === undefined ? concat(packet.header, packet.segment.octets) : withPayload(packet, plain);
    packets++;
    const time = frame.time ?? 0;
    const [seconds, micros] = [Math.floor(time / 1000), Math.round((time % 1000) * 1000)];
    out.push(words(seconds, Math.min(micros, 999_999), ip.length, ip.length), ip);
  }
  return { octets: concatAll(out), decrypted, packets };
}

/** A relayed packet is in a capture once for each leg, which is no replay here: what was opened before is remembered. */
class MediaOpener {
  readonly #media: readonly GroupMedia[];
  readonly #opened = new Map<string, Uint8Array>();

  constructor(keys: ReadonlyMap<KeyId, DeliveredKey>) {
    const all = { sending: () => undefined, receiving: (gmkId: KeyId) => keys.get(gmkId) };
    this.#media = SERVICES.map((service) => new GroupMedia({ keys: all, service }));
  }

  /** The RTP packet of a UDP datagram with SRTP under one of the keys. */
  async open(datagram: Uint8Array): Promise<Uint8Array | undefined> {
    const packet = datagram.subarray(UDP_HEADER);
    if (packet.length < RTP_HEADER || packet[0]! >> 6 !== 2) return undefined;
    const name = Buffer.from(packet.buffer, packet.byteOffset, packet.length).toString("latin1");
    const before = this.#opened.get(name);
    if (before !== undefined) return before;
    for (const media of this.#media) {
      const result = await media.receive(packet);
      if (!result.ok) continue;
      this.#opened.set(name, result.packet);
      return result.packet;
    }
    return undefined;
  }
}

/** The same UDP datagram with another payload; lengths and checksums follow (RFC 768, 791, 8200). */
function withPayload({ header, segment }: Packet, payload: Uint8Array): Uint8Array {
  const udp = concat(segment.slice(0, UDP_HEADER), payload);
  const ip = header.slice();
  const view = new DataView(ip.buffer);
  const isV4 = ip[0]! >> 4 === 4;
  if (isV4) {
    view.setUint16(V4.length, ip.length + udp.length);
    view.setUint16(V4.checksum, 0);
    view.setUint16(V4.checksum, checksum(ip));
  } else view.setUint16(V6.length, ip.length - V6.header + udp.length);
  const fields = new DataView(udp.buffer);
  fields.setUint16(4, udp.length);
  fields.setUint16(6, 0);
  const addresses = isV4 ? ip.subarray(V4.addresses, 20) : ip.subarray(V6.addresses, V6.header);
  const pseudo = concat(addresses, Uint8Array.of(0, UDP, udp.length >> 8, udp.length & 255));
  // 0 would stand for no checksum.
  fields.setUint16(6, checksum(concat(pseudo, udp)) || 0xffff);
  return concat(ip, udp);
}

/** RFC 1071. */
function checksum(octets: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < octets.length; i += 2) sum += (octets[i]! << 8) | (octets[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function words(...values: readonly number[]): Uint8Array {
  const octets = new Uint8Array(4 * values.length);
  const view = new DataView(octets.buffer);
  for (const [i, value] of values.entries()) view.setUint32(4 * i, value);
  return octets;
}
