/**
 * Media distribution (TS 24.380 4.2.2): SRTP of one leg goes to all others, and to a multicast address, as it came. There
 * is no key here: what is protected from end to end passes unread.
 */
import { readRtpHeader } from "../../../bindings/media/rtp.ts";
import type { DatagramAddress, DatagramPort } from "../../../transport/datagram/ports.ts";
import { type Leg, type LegCounters, type LegsOptions, MediaLegs } from "./legs.ts";

export interface RelayOptions extends LegsOptions {
  readonly port: DatagramPort;
  /** Gets each packet once, for all who listen there. */
  readonly multicast?: DatagramAddress;
  /** Whether media of a leg are distributed now, as floor control has it. All of them when absent. */
  readonly mayTalk?: (legId: string) => boolean;
  /** Told of each packet that is distributed or mixed, for the end of media to be noticed. */
  readonly onMedia?: (legId: string) => void;
  /** Takes a packet out of the distribution, as where media are mixed: true when it did. */
  readonly mix?: (legId: string, packet: Uint8Array) => boolean;
}

export interface RelayCounters extends LegCounters {
  /** Packets that were distributed. */
  forwarded: number;
  /** Packets that were mixed with others. */
  mixed: number;
  /** From an address that is no leg's. */
  strangers: number;
  /** Neither RTP nor of a size that media have. */
  notMedia: number;
  /** From a leg that has not the floor. */
  withoutFloor: number;
}

/** An Ethernet frame without the heads of IP and UDP. */
const MAX_PACKET_BYTES = 1472;
/** Second octets of RTCP packets (RFC 5761 4): control of media on-network ends at the server. */
const RTCP_TYPES = { first: 192, last: 223 };

export class MediaRelay {
  readonly legs: MediaLegs;
  readonly #options: RelayOptions;
  readonly #own = { forwarded: 0, mixed: 0, strangers: 0, notMedia: 0, withoutFloor: 0 };
  #multicastQueued = 0;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.legs = new MediaLegs(options.port, options);
    options.port.receive((packet, from) => this.#take(packet, from));
  }

  get counters(): Readonly<RelayCounters> {
    return { ...this.#own, ...this.legs.counters };
  }

  #take(packet: Uint8Array, from: DatagramAddress): void {
    const leg = this.legs.from(from);
    if (leg === undefined) {
      this.#own.strangers++;
      return;
    }
    if (!isMedia(packet)) {
      this.#own.notMedia++;
      return;
    }
    if (this.#options.mayTalk?.(leg.id) === false) {
      this.#own.withoutFloor++;
      return;
    }
    this.#distribute(leg, packet);
  }

  #distribute(leg: Leg, packet: Uint8Array): void {
    this.#options.onMedia?.(leg.id);
    if (this.#options.mix?.(leg.id, packet)) {
      this.#own.mixed++;
      return;
    }
    this.#own.forwarded++;
    this.legs.sendToOthers(leg.id, packet);
    this.#sendToMulticast(packet);
  }

  #sendToMulticast(packet: Uint8Array): void {
    const { port, multicast, maxQueued = 64 } = this.#options;
    if (multicast === undefined) return;
    const { counters } = this.legs;
    if (this.#multicastQueued >= maxQueued) {
      counters.dropped++;
      return;
    }
    this.#multicastQueued++;
    port.send(packet, multicast, (failed) => {
      this.#multicastQueued--;
      if (failed) counters.failed++;
      else counters.sent++;
    });
  }
}

function isMedia(packet: Uint8Array): boolean {
  if (packet.length > MAX_PACKET_BYTES || readRtpHeader(packet) === undefined) return false;
  return packet[1]! < RTCP_TYPES.first || packet[1]! > RTCP_TYPES.last;
}
