/** The receiving end of a call: any number of talkers at a time, each in order, all of them mixed (TS 24.380 4.2.2). */
import {
  decodeG711,
  G711_FRAME,
  type GroupMedia,
  type GroupMediaKeys,
  type GroupMki,
  g711LawOf,
  type JitterBufferOptions,
  type MaybePromise,
  type MediaFault,
  mixFrames,
  readGroupMki,
  rtpPayload,
  type UnprotectedRtp,
} from "../../../bindings/media/index.ts";
import { andThen } from "../../../bindings/media/maybe.ts";
import type { Claims } from "./claims.ts";
import type { Identities } from "./identities.ts";
import { TalkerStream } from "./talker-stream.ts";

/** Who is heard. */
export interface Talker {
  readonly ssrc: number;
  /** MC service user ID by the GUK-ID; undefined: no member that is known of. */
  readonly user: string | undefined;
}

export interface TalkerMismatch extends Talker {
  /** Whom floor control names. */
  readonly claimed: readonly string[];
}

export interface ListenerOptions {
  readonly media: GroupMedia;
  readonly keys: GroupMediaKeys;
  readonly identities: Identities;
  readonly claims: Claims;
  /** Identity of a server that mixes, whose media are of whoever talks. */
  readonly mixer?: string | undefined;
  readonly ownSsrc: number;
  readonly jitter?: JitterBufferOptions | undefined;
  readonly now: () => number;
  readonly onTalker: (talker: Talker) => void;
  readonly onMismatch: (mismatch: TalkerMismatch) => void;
}

export interface ListenerCounters {
  /** Packets that were decrypted. */
  readonly received: number;
  /** Of those, such as came too late to be played. */
  readonly late: number;
  /** Frames that were missing when they were to be played. */
  readonly lost: number;
  /** Decrypted, but no speech that is understood. */
  readonly notSpeech: number;
  /** Streams whose sender is not whom floor control names. */
  readonly mismatches: number;
  /** Packets that were not decrypted. */
  readonly refused: Readonly<Record<MediaFault, number>>;
}

const MAX_STREAMS = 64;
/** Packets of somebody else than the talker named before it is told: floor control may come a little later than media. */
const SURE = 10;

export class Listener {
  readonly #options: ListenerOptions;
  readonly #counted = { received: 0, late: 0, lost: 0, notSpeech: 0, mismatches: 0 };
  readonly #refused: Record<MediaFault, number> = {
    malformed: 0,
    "unknown-key": 0,
    replayed: 0,
    "not-authentic": 0,
    "not-encrypted": 0,
    "too-many-streams": 0,
  };
  readonly #streams = new Set<TalkerStream>();

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  get counters(): ListenerCounters {
    return { ...this.#counted, refused: { ...this.#refused } };
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
    return frames.length === 0 ? undefined : mixFrames(frames, G711_FRAME);
  }

  /** The next 20 ms of each who is heard. */
  playEach(): { readonly user: string | undefined; readonly frame: Int16Array }[] {
    const heard: { user: string | undefined; frame: Int16Array }[] = [];
    for (const stream of this.#streams) {
      const played = stream.pull();
      if (played === "lost") this.#counted.lost++;
      else if (played !== "nothing") heard.push({ user: stream.user, frame: played.frame });
    }
    return heard;
  }

  #heard({ packet, header, mki }: UnprotectedRtp): Talker | undefined {
    const { keys, ownSsrc } = this.#options;
    const sender = readGroupMki(mki);
    // A multicast group gives back what one sends to it.
    if (header.ssrc === ownSsrc && keys.receiving(sender.gmkId)?.ukId === sender.gukId) return undefined;
    this.#counted.received++;
    const law = g711LawOf(header.payloadType);
    const payload = rtpPayload(packet, header);
    if (law === undefined || payload?.length !== G711_FRAME) {
      this.#counted.notSpeech++;
      return undefined;
    }
    const stream = this.#stream(header.ssrc, sender);
    this.#compare(stream);
    if (!stream.push(header.sequenceNumber, decodeG711(law, payload))) this.#counted.late++;
    return { ssrc: stream.ssrc, user: stream.user };
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

  #add(stream: TalkerStream): void {
    if (this.#streams.size >= MAX_STREAMS) {
      const [quietest] = [...this.#streams].sort((a, b) => a.lastHeard - b.lastHeard);
      this.#streams.delete(quietest!);
    }
    this.#streams.add(stream);
  }

  /** 5.2.3: the GUK-ID links media to an identity, which must be that of floor control. */
  #compare(stream: TalkerStream): void {
    const { claims, mixer, onMismatch } = this.#options;
    const { ssrc, user } = stream;
    const claimed = claims.of(ssrc);
    if (!sameNames(claimed, stream.claimed)) {
      stream.claimed = claimed;
      stream.odd = 0;
    }
    if (claimed.length === 0 || (user !== undefined && (claimed.includes(user) || user === mixer))) return;
    if (++stream.odd !== SURE) return;
    this.#counted.mismatches++;
    onMismatch({ ssrc, user, claimed });
  }
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((name, i) => name === b[i]));
}
