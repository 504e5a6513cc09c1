/**
 * The state that a receiver of protected media keeps by MKI and SSRC. A stream is kept from its first authentic packet
 * on; what was derived for packets that proved nothing yet goes into a small cache, so that forgeries fill no memory.
 *
 * An MKI stands for one sender, and each sender's streams are bounded by themselves: one more takes the place of the
 * sender's own that was idle longest. Of that one the highest index stays, below which nothing is new, so that it may go on
 * and cannot be repeated.
 */
import { equal } from "../../base/bytes.ts";
import { andThen, type MaybePromise } from "../../base/maybe-promise.ts";
import { ReplayWindow } from "./packet-index.ts";
import { type SessionKeys, type SrtpMaster, sessionKeys } from "./session-keys.ts";

/** Why a packet was dropped. */
export type MediaFault =
  /** No RTP or RTCP packet, or too short for what follows it. */
  | "malformed"
  /** No key for its MKI, or one that must not be used. */
  | "unknown-key"
  /** Seen before, or too old to tell. */
  | "replayed"
  /** The tag does not fit. */
  | "not-authentic"
  /** SRTCP without encryption, where all is encrypted (TS 33.180 9.4). */
  | "not-encrypted";

export interface MediaRefusal {
  readonly ok: false;
  readonly fault: MediaFault;
}

export function refused(fault: MediaFault): MediaRefusal {
  return { ok: false, fault };
}

/** Finds the master key by MKI; undefined: there is none, or it must not be used. The caller of `resolve` wipes it. */
export type ResolveMki = (mki: Uint8Array) => SrtpMaster | undefined;

export interface StreamsOptions {
  readonly resolve: ResolveMki;
  /** Streams of all senders that are kept whole. Default 4096. */
  readonly maxStreams?: number;
  /** The most streams that are kept of one sender. Default 16. */
  readonly maxStreamsOfSender?: number;
  /** Streams that went, of which the highest index is kept: about 80 octets each. Default 2^20. */
  readonly maxEnded?: number;
  /** Packets. Default 1024. */
  readonly replayWindow?: number;
}

export interface Stream {
  readonly keys: SessionKeys;
  readonly window: ReplayWindow;
  /** The highest index that the SSRC had under another key, of a stream that nothing authentic came of yet. */
  readonly before?: number | undefined;
}

interface KeptStream extends Stream {
  readonly mki: Uint8Array;
  /** Counts authentic packets of all streams: the lowest was idle longest. */
  usedAt: number;
}

/** The rest of a stream that is not kept any more: no keys. */
interface EndedStream {
  readonly mki?: undefined;
  readonly window: ReplayWindow;
}

interface Sender {
  readonly keys: SessionKeys;
  /** By SSRC. */
  readonly streams: Map<number, KeptStream>;
  /** Highest indexes of streams that went, by SSRC, the first that went in front. */
  readonly ended: Map<number, number>;
}

const MAX_UNPROVEN = 64;
const MAX_STREAMS = 4096;
const MAX_OF_SENDER = 16;
const MAX_ENDED = 2 ** 20;

export class Streams {
  readonly #options: StreamsOptions;
  readonly #labels: { readonly key: number; readonly salt: number };
  /** By MKI, those that an authentic packet came under; the one whose last new stream is longest ago in front. */
  readonly #senders = new Map<string, Sender>();
  /** Session keys of the last few MKIs that nothing authentic came under. */
  readonly #unproven = new Map<string, SessionKeys>();
  /**
   * By SSRC, the stream under the key that it came to last. Most packets belong to it, which their MKI tells without making
   * a name of it. Its index goes on under the next key (RFC 3711 3.3.1), so its window stays here when it is not kept any
   * more.
   */
  readonly #bySsrc = new Map<number, KeptStream | EndedStream>();
  #size = 0;
  #ended = 0;
  #uses = 0;

  constructor(options: StreamsOptions, labels: { readonly key: number; readonly salt: number }) {
    this.#options = options;
    this.#labels = labels;
  }

  /** Streams that are kept whole. */
  get size(): number {
    return this.#size;
  }

  /** The stream, or a new one that is not kept before `admit`; undefined without a key. */
  find(mki: Uint8Array, ssrc: number): MaybePromise<Stream | undefined> {
    const last = this.#bySsrc.get(ssrc);
    if (last?.mki !== undefined && equal(last.mki, mki)) return last;
    const name = nameOf(mki);
    const sender = this.#senders.get(name);
    const known = sender?.streams.get(ssrc);
    if (known !== undefined) return known;
    const window = new ReplayWindow(this.#options.replayWindow, sender?.ended.get(ssrc));
    const before = last?.window.highest;
    return andThen(sender?.keys ?? this.#keys(name, mki), (keys) => keys && { keys, window, before });
  }

  #keys(name: string, mki: Uint8Array): MaybePromise<SessionKeys | undefined> {
    const known = this.#unproven.get(name);
    if (known !== undefined) return known;
    const master = this.#options.resolve(mki);
    if (master === undefined) return undefined;
    return andThen(sessionKeys(master, this.#labels), (keys) => {
      master.key.fill(0);
      master.salt.fill(0);
      const [oldest] = this.#unproven.keys();
      if (this.#unproven.size >= MAX_UNPROVEN) this.#unproven.delete(oldest!);
      this.#unproven.set(name, keys);
      return keys;
    });
  }

  /**
   * Enters an authentic packet: a fault when it has been entered meanwhile. A stream that another packet opened in the
   * meantime is used in place of `stream`.
   */
  admit(mki: Uint8Array, ssrc: number, stream: Stream, index: number): MediaFault | undefined {
    const last = this.#bySsrc.get(ssrc);
    const kept = last?.mki !== undefined && last === stream ? last : this.#entered(mki, ssrc, stream);
    kept.usedAt = ++this.#uses;
    if (!kept.window.isNew(index)) return "replayed";
    kept.window.enter(index);
    return undefined;
  }

  #entered(mki: Uint8Array, ssrc: number, stream: Stream): KeptStream {
    const name = nameOf(mki);
    return this.#senders.get(name)?.streams.get(ssrc) ?? this.#add(name, mki, ssrc, stream);
  }

  /** Forgets keys and streams of MKIs that `keep` says no to, after a key was revoked or has expired. */
  prune(keep: (mki: Uint8Array) => boolean): void {
    for (const name of this.#unproven.keys()) if (!keep(octetsOf(name))) this.#unproven.delete(name);
    for (const [name, { streams, ended }] of this.#senders) {
      if (keep(octetsOf(name))) continue;
      this.#senders.delete(name);
      for (const [ssrc, stream] of streams) this.#forget(ssrc, stream);
      this.#size -= streams.size;
      this.#ended -= ended.size;
    }
  }

  /** Lets go of the keys of a stream, where they are here for its SSRC. */
  #forget(ssrc: number, stream: KeptStream): void {
    if (this.#bySsrc.get(ssrc) === stream) this.#bySsrc.set(ssrc, { window: stream.window });
  }

  #add(name: string, mki: Uint8Array, ssrc: number, { keys, window }: Stream): KeptStream {
    const { maxStreams = MAX_STREAMS, maxStreamsOfSender = MAX_OF_SENDER } = this.#options;
    const sender = this.#senders.get(name) ?? { keys, streams: new Map(), ended: new Map() };
    if (sender.streams.size >= maxStreamsOfSender) this.#end(sender);
    else if (this.#size >= maxStreams) this.#end(this.#idleLongest());
    this.#unproven.delete(name);
    this.#senders.delete(name);
    this.#senders.set(name, sender);
    const kept = { keys, window, mki: mki.slice(), usedAt: this.#uses };
    if (sender.ended.delete(ssrc)) this.#ended--;
    sender.streams.set(ssrc, kept);
    this.#bySsrc.delete(ssrc);
    this.#bySsrc.set(ssrc, kept);
    if (this.#bySsrc.size > maxStreams) this.#bySsrc.delete(this.#bySsrc.keys().next().value!);
    this.#size++;
    return kept;
  }

  /** Ends the stream of a sender that was idle longest. */
  #end(sender: Sender): void {
    const [ssrc, stream] = [...sender.streams].reduce((a, b) => (b[1].usedAt < a[1].usedAt ? b : a));
    this.#forget(ssrc, stream);
    sender.streams.delete(ssrc);
    sender.ended.set(ssrc, stream.window.highest);
    this.#size--;
    this.#ended++;
    if (this.#ended <= (this.#options.maxEnded ?? MAX_ENDED)) return;
    // Only a member, who could speak as any other member anyway, can fill this memory.
    for (const [name, { streams, ended }] of this.#senders) {
      if (ended.size === 0) continue;
      ended.delete(ended.keys().next().value!);
      this.#ended--;
      if (ended.size === 0 && streams.size === 0) this.#senders.delete(name);
      return;
    }
  }

  /** The sender of the stream that was idle longest of all. */
  #idleLongest(): Sender {
    let found: { sender: Sender; usedAt: number } | undefined;
    for (const sender of this.#senders.values()) {
      for (const { usedAt } of sender.streams.values()) {
        if (found === undefined || usedAt < found.usedAt) found = { sender, usedAt };
      }
    }
    return found!.sender;
  }
}

function nameOf(mki: Uint8Array): string {
  let name = "";
  for (const octet of mki) name += String.fromCharCode(0x100 + octet);
  return name;
}

function octetsOf(name: string): Uint8Array {
  return Uint8Array.from(name, (character) => character.charCodeAt(0) - 0x100);
}
