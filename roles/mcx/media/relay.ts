/**
 * Media distribution (TS 24.380 4.2.2): SRTP of one leg goes to all others, and to a multicast address, as it came. There
 * is no key here: what is protected from end to end passes unread.
 */
import { GCM_TAG_BYTES } from "../../../bindings/media/aes.ts";
import { GROUP_MKI_BYTES, KEY_MKI_BYTES } from "../../../bindings/media/mki.ts";
import { isRtcp, RTCP_CLEAR_BYTES, type RtpHeader, readRtpHeader } from "../../../bindings/media/rtp.ts";
import {
  type DatagramAddress,
  type DatagramPort,
  MAX_PACKET_BYTES,
} from "../../../transport/datagram/ports.ts";
import { MessageRate, type RateLimit } from "../floor/message-rate.ts";
import { type Leg, type LegCounters, type LegsOptions, MediaLegs } from "./legs.ts";
import { StreamOwners } from "./stream-owners.ts";

export type CallKind = "group" | "private";

export interface RelayOptions extends LegsOptions {
  readonly port: DatagramPort;
  /** Whose keys media are under: those of a group when absent. */
  readonly kind?: CallKind;
  /** Gets each packet once, for all who listen there. */
  readonly multicast?: DatagramAddress;
  /** Whether media of a leg are distributed now, as floor control has it. All of them when absent. */
  readonly mayTalk?: (legId: string) => boolean;
  /** Whether a participant gets the media of another. All of them do when absent. */
  readonly mayHear?: (legId: string, talkerId: string) => boolean;
  /** Rate limit for the packets of one talker; none when absent. */
  readonly packets?: RateLimit;
  /**
   * Rate limit for the RTCP of one participant, which goes unread to who talks, and that of who talks to all others
   * (RFC 4585). RTCP goes nowhere when absent.
   */
  readonly feedback?: RateLimit;
  /** Milliseconds, for the rates. */
  readonly now?: () => number;
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
  /** From a socket of this server. */
  ownSockets: number;
  /** Neither RTP nor of a size that media have. */
  notMedia: number;
  /** From a leg that has not the floor. */
  withoutFloor: number;
  /** Under an SSRC or a GUK-ID that is not that of the talk, or is another's. */
  otherStream: number;
  /** Packets that have been distributed before. */
  copies: number;
  /** More packets than one participant may send. */
  tooFast: number;
  /** RTCP packets that went to who talks, or came from there. */
  feedback: number;
}

/** Behind the payload: of group media tag, MKI and ROC, of private media tag and MKI (TS 33.180 7.5.1). */
const TRAILER_BYTES = {
  group: GCM_TAG_BYTES + GROUP_MKI_BYTES + 4,
  private: GCM_TAG_BYTES + KEY_MKI_BYTES,
};

export class MediaRelay {
  readonly legs: MediaLegs;
  readonly #options: RelayOptions;
  /** Owners of the streams. */
  readonly streams: StreamOwners;
  readonly #own = {
    forwarded: 0,
    mixed: 0,
    strangers: 0,
    ownSockets: 0,
    notMedia: 0,
    withoutFloor: 0,
    otherStream: 0,
    copies: 0,
    tooFast: 0,
    feedback: 0,
  };
  /** By leg, where there are limits. */
  readonly #rates = new Map<string, { packets?: MessageRate; feedback?: MessageRate }>();
  #multicastQueued = 0;

  constructor(options: RelayOptions) {
    this.#options = options;
    // Both sides of a private call have the one MKI.
    this.streams = new StreamOwners({ hasGukIds: options.kind !== "private" });
    this.legs = new MediaLegs(options.port, options);
    options.port.receive((packet, from) => this.#take(packet, from));
  }

  get counters(): Readonly<RelayCounters> {
    return { ...this.#own, ...this.legs.counters };
  }

  /** The leg is gone. */
  remove(id: string): boolean {
    this.streams.leave(id);
    this.#rates.delete(id);
    return this.legs.remove(id);
  }

  #take(packet: Uint8Array, from: DatagramAddress): void {
    const legs = this.legs.at(from);
    if (legs.size === 0) {
      this.#own[this.legs.isOwn(from) ? "ownSockets" : "strangers"]++;
      return;
    }
    if (this.#options.feedback !== undefined && isFeedback(packet)) {
      this.#takeFeedback(packet, from, legs);
      return;
    }
    const header = headerOf(packet, TRAILER_BYTES[this.#options.kind ?? "group"]);
    if (header === undefined) {
      this.#own.notMedia++;
      return;
    }
    const leg = this.#talking(legs, header);
    if (leg === undefined) {
      this.#own.withoutFloor++;
      return;
    }
    if (!this.#isInTime(leg.id, "packets")) return;
    const fault = this.streams.take(leg.id, header, packet);
    if (fault === undefined) this.#distribute(leg, packet);
    else this.#own[fault]++;
  }

  #isInTime(id: string, kind: "packets" | "feedback"): boolean {
    const { [kind]: limit, now = () => performance.now() } = this.#options;
    if (limit === undefined) return true;
    const rates = this.#rates.get(id) ?? {};
    this.#rates.set(id, rates);
    rates[kind] ??= new MessageRate(limit);
    if (rates[kind].take(now())) return true;
    this.#own.tooFast++;
    return false;
  }

  /** Anyone in the call may send it, so it is bounded for each; receivers tell whether it is authentic and new. */
  #takeFeedback(packet: Uint8Array, from: DatagramAddress, legs: ReadonlySet<Leg>): void {
    const mayTalk = (id: string) => this.#options.mayTalk?.(id) !== false;
    const talker = [...legs].find(({ id }) => mayTalk(id));
    const [sender = talker] = talker === undefined ? legs : [talker];
    if (sender === undefined || !this.#isInTime(sender.id, "feedback")) return;
    this.#own.feedback++;
    const { mayHear = () => true } = this.#options;
    const gets = (id: string) => (talker === undefined ? mayTalk(id) : mayHear(id, talker.id));
    this.legs.sendToOthers(from, packet, gets);
  }

  /** Among the legs that named one address, the one that may talk; among several such, the owner of the SSRC. */
  #talking(legs: ReadonlySet<Leg>, { ssrc }: RtpHeader): Leg | undefined {
    const talking = [...legs].filter(({ id }) => this.#options.mayTalk?.(id) !== false);
    return talking.find(({ id }) => this.streams.owns(id, ssrc)) ?? talking[0];
  }

  #distribute(leg: Leg, packet: Uint8Array): void {
    this.#options.onMedia?.(leg.id);
    if (this.#options.mix?.(leg.id, packet)) {
      this.#own.mixed++;
      return;
    }
    this.#own.forwarded++;
    const { mayHear } = this.#options;
    this.legs.sendToOthers(leg.address, packet, mayHear && ((id) => mayHear(id, leg.id)));
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

/** Octets of the shortest SRTCP packet of a group: its head, tag, index and MKI. */
const SRTCP_BYTES = RTCP_CLEAR_BYTES + GCM_TAG_BYTES + 4 + GROUP_MKI_BYTES;

function isFeedback(packet: Uint8Array): boolean {
  return packet.length >= SRTCP_BYTES && packet.length <= MAX_PACKET_BYTES && isRtcp(packet);
}

/** Undefined: no media of a call. */
function headerOf(packet: Uint8Array, trailer: number): RtpHeader | undefined {
  if (packet.length > MAX_PACKET_BYTES) return undefined;
  // Control of media on-network ends at the server.
  if (isRtcp(packet)) return undefined;
  return readRtpHeader(packet, packet.length - trailer);
}
