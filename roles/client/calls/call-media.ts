/** The media of one call: what is said goes out to one address, what is heard comes in at one port or two. */
import { defined } from "../../../base/defined.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import { andThen } from "../../../base/maybe-promise.ts";
import type { RandomSource } from "../../../base/random.ts";
import {
  GroupMedia,
  type GroupMediaKeys,
  type GroupMediaSender,
  type IndexBlocks,
  type JitterBufferOptions,
  type MediaService,
  readRtpHeader,
} from "../../../bindings/media/index.ts";
import type { CallDescription, SpeechFormat } from "../../../documents/sdp/call.ts";
import { addressKey, type DatagramAddress, type DatagramPort } from "../../../transport/datagram/ports.ts";
import { Identities } from "../../call/identities.ts";
import { Listener, type Talker } from "../../call/listener.ts";
import { NamedTalkers } from "../../call/named-talkers.ts";
import { codecFor, G711_CODECS, type SpeechCodec } from "../../call/speech-codec.ts";
import { VoiceSender } from "../../call/voice-sender.ts";
import type { CallEvent, MediaCounters } from "./call-events.ts";
import { SsrcSources } from "./ssrc-sources.ts";

export interface CallMediaOptions {
  readonly userUri: string;
  readonly service?: MediaService;
  readonly keys: GroupMediaKeys;
  readonly mediaPort: DatagramPort;
  /** The formats of speech that are understood, the one to talk in first, with frames of one length. G.711 when absent. */
  readonly codecs?: readonly SpeechCodec[];
  readonly jitter?: JitterBufferOptions;
  /** The known users of the group, to name the talkers who are heard. */
  readonly members?: () => readonly string[];
  /** Identity of a server that mixes. */
  readonly mixer?: string;
  /** The indexes that packets are sent under: `ReservedBlocks`, or drawn blocks when absent. */
  readonly blocks?: IndexBlocks;
  readonly now: () => number;
  readonly random: RandomSource;
  readonly onEvent?: (event: CallEvent) => void;
}

interface Ways {
  readonly to: DatagramAddress;
  /**
   * The only address that media are taken from; undefined: any, as each member of a multicast group sends from its
   * own.
   */
  readonly from: DatagramAddress | undefined;
  /** Another port where media come in. */
  readonly multicast?: DatagramPort | undefined;
  /** Several may talk at a time. */
  readonly several?: boolean | undefined;
  /** The formats of the server's answer, of which the first is talked in. */
  readonly speech?: readonly SpeechFormat[] | undefined;
  /** Media of somebody else came. */
  readonly onHeard: (talker: Talker) => void;
}

export class CallMedia {
  readonly group: GroupMedia;
  readonly sender: VoiceSender<GroupMediaSender>;
  readonly talkers: NamedTalkers;
  /** The host that each SSRC of the multicast group belongs to. */
  readonly sources = new SsrcSources();
  readonly identities: Identities;
  readonly #listener: Listener;
  readonly #options: CallMediaOptions;
  #ways: Ways;
  readonly #counted = { sent: 0, failed: 0, strangers: 0 };

  constructor(options: CallMediaOptions, ways: Ways) {
    const { keys, service = "mcptt", codecs = G711_CODECS, now, random, onEvent } = options;
    this.#options = options;
    this.#ways = ways;
    const { blocks } = options;
    this.group = new GroupMedia({ keys, service, random, ...defined({ blocks }) });
    const stream = this.group.sender();
    this.sender = new VoiceSender({ stream, codec: codecFor(codecs, ways.speech), now, random });
    this.talkers = new NamedTalkers(ways.several);
    this.identities = new Identities(keys, options.members ?? (() => []));
    this.#listener = new Listener({
      media: this.group,
      keys,
      identities: this.identities,
      talkers: this.talkers,
      mixer: options.mixer,
      ownSsrc: this.sender.stream.ssrc,
      codecs,
      jitter: options.jitter,
      now,
      onTalker: (talker) => onEvent?.({ type: "talker", ...talker }),
      onMismatch: (mismatch) => onEvent?.({ type: "talker-mismatch", ...mismatch }),
    });
    if (options.mixer !== undefined) this.identities.name(options.mixer);
    this.#listen();
  }

  /** Media go to another server, and come from there. */
  async moveTo(
    { media, speech }: Pick<CallDescription, "media" | "speech">,
    multicast: DatagramPort | undefined,
  ): Promise<void> {
    const before = this.#ways.multicast;
    this.talkIn(speech);
    this.#ways = { ...this.#ways, to: media, from: media, multicast };
    this.#listen();
    await before?.close();
  }

  /**
   * What is said from now on is in the first of these formats; in the first of one's own when absent.
   *
   * @throws {MikeySakkeError} codec `BAD_SDP`: a format that there is no codec for
   */
  talkIn(speech: readonly SpeechFormat[] | undefined): void {
    this.sender.use(codecFor(this.#options.codecs ?? G711_CODECS, speech));
  }

  #listen(): void {
    const { from, multicast } = this.#ways;
    const only = from && addressKey(from);
    this.#options.mediaPort.receive((packet, address) => {
      if (only === undefined) this.#takeFrom(packet, address);
      else if (addressKey(address) === only) this.#take(packet);
      else this.#counted.strangers++;
    });
    multicast?.receive((packet, address) => this.#takeFrom(packet, address));
  }

  get counters(): MediaCounters {
    return { ...this.#counted, ...this.#listener.counters };
  }

  get ssrc(): number {
    return this.sender.stream.ssrc;
  }

  /** Floor control says that the talk is over: of all, or of the one with that SSRC. */
  freed(ssrc?: number): void {
    this.talkers.ended(this.#options.now(), ssrc);
  }

  /** Floor control names a talker. */
  named(user: string | undefined, ssrc: number | undefined): void {
    if (user === undefined) return;
    this.identities.name(user);
    this.talkers.take(user, ssrc, this.#options.now());
  }

  send(frame: Int16Array): void | Promise<void> {
    return andThen(this.sender.seal(frame), (packet) => {
      this.#options.mediaPort.send(packet, this.#ways.to, (failed) => {
        if (failed) this.#counted.failed++;
        else this.#counted.sent++;
      });
    });
  }

  play(): Int16Array | undefined {
    return this.#listener.play();
  }

  async close(): Promise<void> {
    await Promise.all([this.#options.mediaPort.close(), this.#ways.multicast?.close()]);
  }

  /** Anyone who holds the key may send to a multicast group. */
  #takeFrom(packet: Uint8Array, { host }: DatagramAddress): void {
    const ssrc = readRtpHeader(packet)?.ssrc;
    if (ssrc !== undefined && this.sources.isOther(ssrc, host)) this.#counted.strangers++;
    else this.#take(packet, host);
  }

  #take(packet: Uint8Array, host?: string): void {
    const taken = andThen(this.#listener.take(packet), (talker) => {
      if (talker === undefined) return;
      if (host !== undefined) this.sources.bind(talker.ssrc, host);
      this.#ways.onHeard(talker);
    });
    if (taken instanceof Promise) taken.catch(() => void this.#counted.failed++);
  }
}

export function notGranted(): MikeySakkeError {
  return new MikeySakkeError("usage", "FLOOR_NOT_GRANTED", "no permission to talk: ask for the floor first");
}

export function closed(): MikeySakkeError {
  return new MikeySakkeError("usage", "CALL_CLOSED", "the call is closed");
}

export function noKey(): MikeySakkeError {
  return new MikeySakkeError("usage", "NO_GROUP_KEY", "no GMK of the group is active");
}
