/** The receiving end of a call: any number of talkers at a time, each in order, all of them mixed (TS 24.380 4.2.2). */

import { andThen } from "../../base/maybe-promise.ts";
import {
  type GroupMedia,
  type GroupMediaKeys,
  type GroupMki,
  type JitterBufferOptions,
  type MaybePromise,
  type MediaFault,
  mixFrames,
  readGroupMki,
  rtpPayload,
  type UnprotectedRtp,
} from "../../bindings/media/index.ts";
import type { Identities } from "./identities.ts";
import { NO_FAULTS } from "./media-faults.ts";
import type { NamedTalkers } from "./named-talkers.ts";
import { G711_CODECS, type SpeechCodec } from "./speech-codec.ts";
import { NO_FRAMES, sumOf, TalkerStream } from "./talker-stream.ts";

/** Members who are heard. */
export interface Talker {
  readonly ssrc: number;
  /** MC service user ID by the GUK-ID; undefined: no member that is known of. */
  readonly user: string | undefined;
}

export interface TalkerMismatch extends Talker {
  /** The talker that floor control names. */
  readonly claimed: readonly string[];
}

export interface ListenerOptions {
  readonly media: GroupMedia;
  readonly keys: GroupMediaKeys;
  readonly identities: Identities;
  readonly talkers: NamedTalkers;
  /** Identity of a mixing server, whose media may be from any talker. */
  readonly mixer?: string | undefined;
  readonly ownSsrc: number;
  /** The formats that are understood, each with its own payload type and all with frames of one length; G.711 when absent. */
  readonly codecs?: readonly SpeechCodec[] | undefined;
  readonly jitter?: JitterBufferOptions | undefined;
  readonly now: () => number;
  readonly onTalker: (talker: Talker) => void;
  readonly onMismatch: (mismatch: TalkerMismatch) => void;
}

/**
 * Each packet that was received is in one of `notSpeech`, `notClaimed`, `played`, `late`, `duplicate`, `dropped` and
 * `buffered`, once it is decoded.
 */
export interface ListenerCounters {
  /** Packets that were decrypted. */
  readonly received: number;
  /** The number of them that carried no speech in a known codec. */
  readonly notSpeech: number;
  /** The number of them that came from somebody else while the named talker was heard. */
  readonly notClaimed: number;
  /** Frames that were played. */
  readonly played: number;
  /** Frames that came too late to be played. */
  readonly late: number;
  /** Frames that were there already. */
  readonly duplicate: number;
  /** Frames that gave way to newer ones, or to a shorter delay. */
  readonly dropped: number;
  /** Frames that wait for their turn. */
  readonly buffered: number;
  /** Frames that were missing when they were to be played. */
  readonly lost: number;
  /** Streams whose sender is not the talker that floor control names. */
  readonly mismatches: number;
  /** Packets that were not decrypted. */
  readonly refused: Readonly<Record<MediaFault, number>>;
}

const MAX_STREAMS = 64;
/** The most streams of one user. All streams of unknown users count as those of one user. */
const MAX_OF_USER = 8;
/**
 * Packets of somebody else than the talker named before it is told: floor control may come a little later than media.
 */
const SURE = 10;

export class Listener {
  readonly #options: ListenerOptions;
  readonly #counted = { received: 0, notSpeech: 0, notClaimed: 0, mismatches: 0 };
  readonly #refused = { ...NO_FAULTS };
  readonly #streams = new Set<TalkerStream>();
  /** The frame counts of streams that are gone. */
  #past = NO_FRAMES;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  get counters(): ListenerCounters {
    const frames = sumOf([this.#past, ...[...this.#streams].map(({ counters }) => counters)]);
    return { ...this.#counted, ...frames, refused: { ...this.#refused } };
  }

  /** The talker whose packet it was; undefined when it was refused, or one's own that came back. */
  take(packet: Uint8Array): MaybePromise<Talker | undefined> {
    return andThen(this.#options.media.receive(packet), (result) => {
      if (result.ok) return this.#heard(result);
      this.#refused[result.fault]++;
      return undefined;
    });
  }

  /** The next 20 ms; undefined: silence. */
  play(): Int16Array | undefined {
    const frames = this.playEach().map(({ frame }) => frame);
    const { codecs = G711_CODECS } = this.#options;
    return frames.length === 0 ? undefined : mixFrames(frames, codecs[0]!.samples);
  }

  /** The next 20 ms of each talker who is heard. */
  playEach(): { readonly user: string | undefined; readonly frame: Int16Array }[] {
    const heard: { user: string | undefined; frame: Int16Array }[] = [];
    for (const stream of this.#streams) {
      const played = stream.pull();
      if (typeof played !== "string") heard.push({ user: stream.user, frame: played.frame });
    }
    return heard;
  }

  #heard({ packet, header, mki }: UnprotectedRtp): MaybePromise<Talker | undefined> {
    const { keys, ownSsrc, now } = this.#options;
    const sender = readGroupMki(mki);
    // A multicast group gives back what one sends to it.
    if (header.ssrc === ownSsrc && keys.receiving(sender.gmkId)?.ukId === sender.gukId) return undefined;
    this.#counted.received++;
    const { codecs = G711_CODECS } = this.#options;
    const codec = codecs.find(({ format }) => format.type === header.payloadType);
    const payload = rtpPayload(packet, header);
    if (codec === undefined || payload === undefined) {
      this.#counted.notSpeech++;
      return undefined;
    }
    const stream = this.#stream(header.ssrc, sender);
    if (!this.#compare(stream)) {
      this.#counted.notClaimed++;
      return undefined;
    }
    const { sequenceNumber, timestamp } = header;
    const { timestampStep } = codec;
    const arrival = now();
    return andThen(stream.decode(codec, payload), (frame) => {
      if (frame === undefined) {
        this.#counted.notSpeech++;
        return undefined;
      }
      // The stream may have given way to newer ones meanwhile.
      if (this.#streams.has(stream)) {
        stream.push({ sequenceNumber, timestamp, timestampStep, arrival, frame });
      } else this.#past = { ...this.#past, dropped: this.#past.dropped + 1 };
      return { ssrc: stream.ssrc, user: stream.user };
    });
  }

  /** Members may have drawn the same SSRC: their GUK-IDs tell them apart, and under a new GMK who they are. */
  #stream(ssrc: number, sender: GroupMki): TalkerStream {
    const { identities, keys, now, onTalker, jitter = {} } = this.#options;
    const those = [...this.#streams].filter((stream) => stream.ssrc === ssrc);
    const known = those.find((stream) => stream.isUnder(sender) === true);
    const user = known?.user ?? identities.userOf(sender);
    const stream =
      known ??
      those.find(
        (other) =>
          other.isUnder(sender) === undefined &&
          (other.user === user || other.user === undefined || user === undefined),
      ) ??
      new TalkerStream(ssrc, jitter);
    const isNews = !this.#streams.has(stream) || stream.user !== (user ?? stream.user);
    stream.user = user ?? stream.user;
    stream.lastHeard = now();
    if (known === undefined) {
      stream.prune((gmkId) => keys.receiving(gmkId) !== undefined);
      stream.enter(sender);
    }
    if (!this.#streams.has(stream)) this.#add(stream);
    if (isNews) onTalker({ ssrc, user: stream.user });
    return stream;
  }

  /** Makes room for a new stream: a sender with many streams loses one of its own first. */
  #add(stream: TalkerStream): void {
    const own = [...this.#streams].filter(({ user }) => user === stream.user);
    if (own.length >= MAX_OF_USER) this.#end(own);
    else if (this.#streams.size >= MAX_STREAMS) this.#end([...this.#streams]);
    this.#streams.add(stream);
  }

  #end(streams: readonly TalkerStream[]): void {
    const quietest = streams.reduce((a, b) => (b.lastHeard < a.lastHeard ? b : a));
    quietest.end();
    this.#past = sumOf([this.#past, quietest.counters]);
    this.#streams.delete(quietest);
  }

  /**
   * 5.2.3: the GUK-ID links media to an identity, which must be that of floor control, and the SSRC the one that it
   * names. False for what is not to be heard: media of somebody else while the named talker is heard. Where that one is
   * silent they are heard, as the Floor Taken may be lost, and told.
   */
  #compare(stream: TalkerStream): boolean {
    const { talkers, mixer, now, onMismatch } = this.#options;
    const { ssrc, user } = stream;
    const at = now();
    const claim = talkers.of(ssrc, at);
    const { users: claimed } = claim;
    if (!sameNames(claimed, stream.claimed)) {
      stream.claimed = claimed;
      stream.odd = 0;
    }
    const isMixer = user !== undefined && user === mixer && !claim.isNamed;
    const isTheirs = claimed.length === 0 || (user !== undefined && claimed.includes(user));
    if (isMixer || (isTheirs && claim.isTheirs)) {
      if (claim.isNamed) talkers.heard(ssrc, at);
      return true;
    }
    if (++stream.odd === SURE) {
      this.#counted.mismatches++;
      onMismatch({ ssrc, user, claimed });
    }
    return !talkers.isHeard(at);
  }
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((name, i) => name === b[i]));
}
