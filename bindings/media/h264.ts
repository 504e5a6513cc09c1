/**
 * H.264 in RTP (RFC 6184): the NAL units of a picture as payloads, whole or as fragments (FU-A), and back, aggregates
 * (STAP-A) included. Nothing in a NAL unit is read but its first octet.
 */
import { concat } from "../../base/bytes.ts";
import { OctetBuffer } from "../../base/octet-buffer.ts";

/** Hertz of RTP timestamps (RFC 6184 8.2.1). */
export const H264_RATE = 90_000;
/** Payloads of this size fit into the smallest path of IPv6 (1,280 octets) with the heads of IP, UDP and SRTP. */
export const H264_PAYLOAD_BYTES = 1180;

const TYPE = 0x1f;
const NRI = 0xe0;
const STAP_A = 24;
const FU_A = 28;
const FU_HEAD_BYTES = 2;
const START = 0x80;
const END = 0x40;
const LAST_SINGLE = 23;
/** Octets of a unit whose fragments come in; a longer one is dropped. */
const MAX_UNIT_BYTES = 8 << 20;

/**
 * The payloads of one access unit (a picture), in the order in which they are sent; the last of them has the marker. Each unit
 * is a payload of its own, or several where it is longer than `maxBytes`.
 */
export function packetiseH264(
  units: readonly Uint8Array[],
  maxBytes: number = H264_PAYLOAD_BYTES,
): Uint8Array[] {
  return units
    .filter((unit) => unit.length > 0)
    .flatMap((unit) => (unit.length <= maxBytes ? [unit] : fragmentsOf(unit, maxBytes - FU_HEAD_BYTES)));
}

/** RFC 6184 5.8: the first octet of the unit is not sent, as the heads of the fragments have what is in it. */
function fragmentsOf(unit: Uint8Array, size: number): Uint8Array[] {
  const first = unit[0]!;
  const fragments: Uint8Array[] = [];
  for (let at = 1; at < unit.length; at += size) {
    const part = unit.subarray(at, at + size);
    const flags = (at === 1 ? START : 0) | (at + size >= unit.length ? END : 0);
    fragments.push(concat(Uint8Array.of((first & NRI) | FU_A, flags | (first & TYPE)), part));
  }
  return fragments;
}

/** The NAL units of one stream out of its payloads, which are given in the order of their sequence numbers. */
export class H264Depacketiser {
  /** The unit whose fragments come, as far as they have come; empty when none is under way. */
  readonly #unit = new OctetBuffer();
  #next: number | undefined;
  #incomplete = 0;
  /** The unit whose fragments come is counted already. */
  #isCounted = false;

  /** The number of units that were dropped, as a part of them was missing or malformed. */
  get incomplete(): number {
    return this.#incomplete;
  }

  /** The units that are complete with this payload: none while a fragmented one goes on, several for an aggregate. */
  take(payload: Uint8Array, sequenceNumber: number): Uint8Array[] {
    const follows = this.#next === undefined || this.#next === sequenceNumber;
    this.#next = (sequenceNumber + 1) & 0xffff;
    if (!follows) this.#drop();
    if (payload.length === 0) return [];
    const type = payload[0]! & TYPE;
    if (type === FU_A) return this.#fragment(payload);
    this.#drop();
    if (type === STAP_A) return this.#aggregate(payload);
    if (type >= 1 && type <= LAST_SINGLE) return [payload.slice()];
    this.#incomplete++;
    return [];
  }

  #fragment(payload: Uint8Array): Uint8Array[] {
    const flags = payload[1] ?? 0;
    const part = payload.subarray(FU_HEAD_BYTES);
    if ((flags & START) !== 0) {
      this.#drop();
      this.#unit.add(Uint8Array.of((payload[0]! & NRI) | (flags & TYPE)));
      this.#isCounted = false;
    } else if (this.#unit.length === 0) {
      // An earlier fragment is lost.
      if (!this.#isCounted) this.#incomplete++;
      this.#isCounted = (flags & END) === 0;
      return [];
    }
    if (this.#unit.length + part.length > MAX_UNIT_BYTES) {
      this.#drop();
      return [];
    }
    this.#unit.add(part);
    if ((flags & END) === 0) return [];
    const unit = this.#unit.octets;
    this.#unit.clear();
    return [unit];
  }

  /** RFC 6184 5.7.1: a length of two octets before each unit. */
  #aggregate(payload: Uint8Array): Uint8Array[] {
    const units: Uint8Array[] = [];
    for (let at = 1; at < payload.length; ) {
      const length = ((payload[at]! << 8) | (payload[at + 1] ?? 0)) >>> 0;
      const end = at + 2 + length;
      if (length === 0 || end > payload.length) {
        this.#incomplete++;
        break;
      }
      units.push(payload.slice(at + 2, end));
      at = end;
    }
    return units;
  }

  #drop(): void {
    if (this.#unit.length > 0) this.#incomplete++;
    this.#isCounted = this.#unit.length > 0;
    this.#unit.clear();
  }
}
