/**
 * Whose streams are whose in one call. SSRC and MKI of SRTP are in clear, so a server without a group key can tell that a
 * leg speaks under those of another, and that a packet comes again: what has been distributed once is not distributed a
 * second time, whichever way it came back.
 */
import { KEY_MKI_BYTES } from "../../../bindings/media/mki.ts";
import { guessIndex, ReplayWindow, SEQUENCE_NUMBERS } from "../../../bindings/media/packet-index.ts";
import type { RtpHeader } from "../../../bindings/media/rtp.ts";

/** Why a packet of a leg that has the floor does not go out. */
export type StreamFault =
  /** Another SSRC than the one that its talk began with, or an SSRC or GUK-ID that is another's. */
  | "otherStream"
  /** Seen before, or too old to tell. */
  | "copies";

interface Stream {
  window: ReplayWindow;
  /** Packets in a row that were too old to tell. */
  old: number;
}

interface Owner {
  /** The SSRC of the talk that goes on; undefined before its first packet, unless floor control said it. */
  talk: number | undefined;
  readonly streams: Map<number, Stream>;
  /** One for each GMK, by GMK-ID. */
  readonly gukIds: Map<number, number>;
}

/** An SSRC is drawn for each call: a client that joins anew has another. */
const MAX_STREAMS = 4;
/** More than there are GMKs in use for a group. */
const MAX_GMKS = 8;
/** Most members who have left and whose SSRCs stay reserved. */
const MAX_LEFT = 1024;
/** After so many that are too old the sender has jumped, as over a long hole in coverage. */
const LOST_TOUCH = 32;
/** Behind the tag of the default profile: MKI, then the ROC (TS 33.180 7.4.2, RFC 4771). */
const ROC_BYTES = 4;

export class StreamOwners {
  readonly #hasGukIds: boolean;
  readonly #owners = new Map<string, Owner>();
  /** In the order of leaving. */
  readonly #left = new Map<string, Owner>();
  readonly #bySsrc = new Map<number, string>();
  readonly #byMki = new Map<string, string>();

  constructor({ hasGukIds }: { readonly hasGukIds: boolean } = { hasGukIds: true }) {
    this.#hasGukIds = hasGukIds;
  }

  /** A talk begins, under that SSRC if floor control says it: the next packet of the user says it otherwise. */
  begin(user: string, ssrc: number | undefined): void {
    this.#of(user).talk = ssrc;
  }

  /** Takes an SSRC for a user; false when it is another's. */
  claim(user: string, ssrc: number): boolean {
    const holder = this.#bySsrc.get(ssrc);
    if (holder !== undefined && holder !== user) return false;
    const { streams } = this.#of(user);
    if (streams.has(ssrc)) return true;
    const [oldest] = streams.keys();
    if (streams.size >= MAX_STREAMS) this.#forget(streams, oldest!);
    streams.set(ssrc, { window: new ReplayWindow(), old: 0 });
    this.#bySsrc.set(ssrc, user);
    return true;
  }

  owns(user: string, ssrc: number): boolean {
    return this.#bySsrc.get(ssrc) === user;
  }

  /** Undefined: the packet may go out, once. */
  take(user: string, { ssrc, sequenceNumber }: RtpHeader, packet: Uint8Array): StreamFault | undefined {
    const owner = this.#of(user);
    if (owner.talk !== undefined && owner.talk !== ssrc) return "otherStream";
    if (!this.claim(user, ssrc)) return "otherStream";
    if (this.#hasGukIds && !this.#claimMki(user, owner, packet)) return "otherStream";
    owner.talk = ssrc;
    return isFirst(owner.streams.get(ssrc)!, sequenceNumber) ? undefined : "copies";
  }

  /**
   * A member who left keeps their SSRCs, because packets under them may still be in transit; their GUK-IDs become
   * free.
   */
  leave(user: string): void {
    const owner = this.#owners.get(user);
    if (owner === undefined) return;
    this.#owners.delete(user);
    for (const [gmkId, gukId] of owner.gukIds) this.#byMki.delete(mkiName(gmkId, gukId));
    owner.gukIds.clear();
    owner.talk = undefined;
    this.#left.set(user, owner);
    if (this.#left.size <= MAX_LEFT) return;
    const [first] = this.#left;
    const [name, { streams }] = first!;
    this.#left.delete(name);
    for (const ssrc of streams.keys()) this.#forget(streams, ssrc);
  }

  #of(user: string): Owner {
    const known = this.#owners.get(user) ?? this.#left.get(user);
    const owner = known ?? { talk: undefined, streams: new Map(), gukIds: new Map() };
    this.#left.delete(user);
    this.#owners.set(user, owner);
    return owner;
  }

  #forget(streams: Map<number, Stream>, ssrc: number): void {
    streams.delete(ssrc);
    this.#bySsrc.delete(ssrc);
  }

  /** A leg has one GUK-ID under each GMK, and none that another leg has. */
  #claimMki(user: string, { gukIds }: Owner, packet: Uint8Array): boolean {
    const at = packet.length - ROC_BYTES - 2 * KEY_MKI_BYTES;
    const view = new DataView(packet.buffer, packet.byteOffset + at);
    const [gmkId, gukId] = [view.getUint32(0), view.getUint32(KEY_MKI_BYTES)];
    const known = gukIds.get(gmkId);
    if (known !== undefined) return known === gukId;
    const name = mkiName(gmkId, gukId);
    if (this.#byMki.has(name)) return false;
    const [oldest] = gukIds;
    if (gukIds.size >= MAX_GMKS) {
      gukIds.delete(oldest![0]);
      this.#byMki.delete(mkiName(...oldest!));
    }
    gukIds.set(gmkId, gukId);
    this.#byMki.set(name, user);
    return true;
  }
}

function isFirst(stream: Stream, sequenceNumber: number): boolean {
  const { highest } = stream.window;
  // One round ahead, so that what comes late before the first packet has an index too.
  const index = highest < 0 ? SEQUENCE_NUMBERS + sequenceNumber : guessIndex(highest, sequenceNumber);
  if (stream.window.isNew(index)) {
    stream.window.enter(index);
    stream.old = 0;
    return true;
  }
  const isOld = index <= highest - stream.window.size;
  stream.old = isOld ? stream.old + 1 : 0;
  if (stream.old < LOST_TOUCH) return false;
  stream.window = new ReplayWindow();
  stream.old = 0;
  return isFirst(stream, sequenceNumber);
}

function mkiName(gmkId: number, gukId: number): string {
  return `${gmkId} ${gukId}`;
}
