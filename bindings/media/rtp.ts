/** Heads of RTP and RTCP packets (RFC 3550 5.1, 5.3.1, 6.4): what SRTP leaves in clear and builds its nonce from. */

export const RTP_FIXED_BYTES = 12;
/** First header, length and SSRC of a compound RTCP packet: never encrypted (RFC 7714 9.2). */
export const RTCP_CLEAR_BYTES = 8;

const VERSION = 2;

export interface RtpHeader {
  /** Octets up to the payload: fixed part, CSRCs, extension. */
  readonly length: number;
  readonly marker: boolean;
  readonly payloadType: number;
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly ssrc: number;
}

/** Undefined when the octets up to `end` are no RTP packet of version 2. */
export function readRtpHeader(packet: Uint8Array, end = packet.length): RtpHeader | undefined {
  if (end < RTP_FIXED_BYTES || packet[0]! >> 6 !== VERSION) return undefined;
  let length = RTP_FIXED_BYTES + 4 * (packet[0]! & 0x0f);
  if ((packet[0]! & 0x10) !== 0) {
    if (length + 4 > end) return undefined;
    length += 4 + 4 * readUint16(packet, length + 2);
  }
  if (length > end) return undefined;
  return {
    length,
    marker: packet[1]! >= 0x80,
    payloadType: packet[1]! & 0x7f,
    sequenceNumber: readUint16(packet, 2),
    timestamp: readUint32(packet, 4),
    ssrc: readUint32(packet, 8),
  };
}

/** The sequence number of an RTP packet; of anything else a number without meaning. */
export function sequenceNumberOf(packet: Uint8Array): number {
  return readUint16(packet, 2);
}

function readUint16(octets: Uint8Array, at: number): number {
  return (octets[at]! << 8) | octets[at + 1]!;
}

/** The octets are read where they are: a DataView for each packet would cost more than all of its header. */
export function readUint32(octets: Uint8Array, at: number): number {
  return ((readUint16(octets, at) << 16) | readUint16(octets, at + 2)) >>> 0;
}

export function writeUint32(octets: Uint8Array, at: number, value: number): void {
  octets[at] = value >>> 24;
  octets[at + 1] = value >>> 16;
  octets[at + 2] = value >>> 8;
  octets[at + 3] = value;
}

/** Second octets of RTCP packets (RFC 5761 4). */
const RTCP_TYPES = { first: 192, last: 223 };

/** Returns whether a packet is RTCP, where RTP and RTCP come by one way (RFC 5761 4). */
export function isRtcp(packet: Uint8Array): boolean {
  return packet[1]! >= RTCP_TYPES.first && packet[1]! <= RTCP_TYPES.last;
}

/** SSRC of the sender of a compound RTCP packet; undefined when the octets up to `end` are none. */
export function readRtcpSsrc(packet: Uint8Array, end = packet.length): number | undefined {
  if (end < RTCP_CLEAR_BYTES || packet[0]! >> 6 !== VERSION) return undefined;
  return new DataView(packet.buffer, packet.byteOffset, end).getUint32(4);
}
