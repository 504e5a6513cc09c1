/** RTP packets and keys for tests of media. */

import { computeGukId } from "../../bindings/identity/guk-id.ts";
import { DeliveredKey, type KeyId, systemRandom } from "../../bindings/index.ts";

export function rtp(ssrc: number, sequenceNumber: number, payload: Uint8Array): Uint8Array {
  const packet = new Uint8Array(12 + payload.length);
  const view = new DataView(packet.buffer);
  packet[0] = 0x80;
  view.setUint16(2, sequenceNumber);
  view.setUint32(4, sequenceNumber * 160);
  view.setUint32(8, ssrc);
  packet.set(payload, 12);
  return packet;
}

/** An RTCP APP packet. */
export function rtcp(ssrc: number, content: Uint8Array): Uint8Array {
  const packet = new Uint8Array(8 + content.length);
  packet.set([0x80, 204]);
  const view = new DataView(packet.buffer);
  view.setUint16(2, packet.length / 4 - 1);
  view.setUint32(4, ssrc);
  packet.set(content, 8);
  return packet;
}

/** One GMK as each of the members holds it. */
export function gmkOf(gmkId: KeyId, uris: readonly string[]): DeliveredKey[] {
  const key = systemRandom(16);
  const rand = systemRandom(16);
  return uris.map(
    (uri) =>
      new DeliveredKey(key.slice(), { kind: "GMK", keyId: gmkId, ukId: computeGukId(key, gmkId, uri), rand }),
  );
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}
