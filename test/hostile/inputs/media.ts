/** Datagrams of media and floor control: recorded ones again, and changed in header and trailer. */
import type { Draw } from "./draw.ts";
import { anyChange, flip, truncate } from "./octets.ts";

const RTP_HEADER = 12;
const RTCP_HEADER = 8;

/** Sequence number, timestamp and SSRC (RFC 3550 5.1). */
function otherHeader(draw: Draw, packet: Uint8Array, header: number): Uint8Array {
  const changed = packet.slice();
  const at = draw.below(header);
  const far = draw.octets(4);
  if (draw.chance(1, 2)) changed.set(far.subarray(0, 2), 2);
  else if (at < changed.length) changed[at] = draw.word();
  return changed;
}

/** MKI, ROC or index and tag stand at the end (RFC 3711 3.1). */
function otherTrailer(draw: Draw, packet: Uint8Array): Uint8Array {
  const changed = packet.slice();
  const from = Math.max(0, changed.length - 1 - draw.below(28));
  changed[from] = draw.word();
  return changed;
}

const made: readonly {
  readonly name: string;
  make(draw: Draw, packet: Uint8Array, other: Uint8Array, header: number): Uint8Array;
}[] = [
  { name: "replay", make: (_, packet) => packet },
  { name: "header", make: (draw, packet, _, header) => otherHeader(draw, packet, header) },
  { name: "trailer", make: (draw, packet) => otherTrailer(draw, packet) },
  { name: "flip", make: (draw, packet) => flip(draw, packet) },
  { name: "truncate", make: (draw, packet) => truncate(draw, packet) },
  { name: "other change", make: (draw, packet, other) => anyChange(draw, packet, other) },
  { name: "noise", make: (draw) => draw.octets(draw.below(300)) },
];

export function changedDatagram(
  draw: Draw,
  packets: readonly Uint8Array[],
  of: "rtp" | "rtcp",
): { kind: string; octets: Uint8Array } {
  const { name, make } = draw.pick(made);
  const octets = make(draw, draw.pick(packets), draw.pick(packets), of === "rtp" ? RTP_HEADER : RTCP_HEADER);
  return { kind: `${of} ${name}`, octets };
}
