/** RTP packets as a sender makes them (RFC 3550 5.1): no padding, extension or contributing sources. */
import { RTP_FIXED_BYTES, type RtpHeader } from "./rtp.ts";

export type RtpFields = Omit<RtpHeader, "length">;

export function writeRtpPacket(fields: RtpFields, payload: Uint8Array): Uint8Array {
  const packet = new Uint8Array(RTP_FIXED_BYTES + payload.length);
  const view = new DataView(packet.buffer);
  packet[0] = 0x80;
  packet[1] = (fields.marker ? 0x80 : 0) | fields.payloadType;
  view.setUint16(2, fields.sequenceNumber);
  view.setUint32(4, fields.timestamp);
  view.setUint32(8, fields.ssrc);
  packet.set(payload, RTP_FIXED_BYTES);
  return packet;
}

/** The payload without the padding that the P bit announces; undefined when that is longer than there is room for. */
export function rtpPayload(packet: Uint8Array, { length }: RtpHeader): Uint8Array | undefined {
  if ((packet[0]! & 0x20) === 0) return packet.subarray(length);
  const end = packet.length - packet[packet.length - 1]!;
  return end < length || end === packet.length ? undefined : packet.subarray(length, end);
}
