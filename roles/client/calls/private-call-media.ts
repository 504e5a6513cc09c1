/** The media of a private call: speech to one other and from them, under the PCK (TS 33.180 7.4). */
import { andThen } from "../../../base/maybe-promise.ts";
import type { RandomSource } from "../../../base/random.ts";
import {
  type JitterBufferOptions,
  type MaybePromise,
  type MediaRefusal,
  type MediaService,
  PrivateMedia,
  rtpPayload,
  type SrtcpSender,
  type SrtpSender,
  type UnprotectedRtcp,
  type UnprotectedRtp,
} from "../../../bindings/media/index.ts";
import { drawSsrc } from "../../../bindings/media/used-ssrcs.ts";
import type { SpeechFormat } from "../../../documents/sdp/call.ts";
import { addressKey, type DatagramAddress, type DatagramPort } from "../../../transport/datagram/ports.ts";
import { NO_FAULTS } from "../../call/media-faults.ts";
import { codecFor, G711_CODECS, type SpeechCodec } from "../../call/speech-codec.ts";
import { NO_FRAMES, sumOf, TalkerStream } from "../../call/talker-stream.ts";
import { VoiceSender, type VoiceStream } from "../../call/voice-sender.ts";
import type { MediaCounters } from "./call-events.ts";
import type { PrivateCallKey } from "./private-call-key.ts";

export interface PrivateCallMediaOptions {
  readonly key: PrivateCallKey;
  readonly service?: MediaService;
  /** MC service user ID of the other side. */
  readonly peerUri: string;
  readonly mediaPort: DatagramPort;
  /** The address to which media go, and the only one from which they come: the other side, or the server between. */
  readonly to: DatagramAddress;
  /** The formats of speech that are understood. G.711 when absent. */
  readonly codecs?: readonly SpeechCodec[] | undefined;
  /** The formats that both sides have, of which the first is talked in. */
  readonly speech?: readonly SpeechFormat[] | undefined;
  readonly jitter?: JitterBufferOptions | undefined;
  /** Milliseconds. */
  readonly now: () => number;
  readonly random: RandomSource;
  /** Media of the other side came. */
  readonly onHeard: (ssrc: number) => void;
}

export class PrivateCallMedia {
  readonly sender: VoiceSender<PrivateStream>;
  readonly #options: PrivateCallMediaOptions;
  readonly #media: PrivateMedia;
  readonly #counted = { sent: 0, failed: 0, strangers: 0, received: 0, notSpeech: 0 };
  readonly #refused = { ...NO_FAULTS };
  /** The stream that is heard at present; the other side has one at a time. */
  #stream: TalkerStream | undefined;
  /** The frame counts of streams that are gone. */
  #past = NO_FRAMES;

  constructor(options: PrivateCallMediaOptions) {
    const { key, service = "mcptt", mediaPort, to, codecs = G711_CODECS, speech, now, random } = options;
    this.#options = options;
    this.#media = new PrivateMedia({ ...key, service, random });
    const stream = new PrivateStream(this.#media, random);
    this.sender = new VoiceSender({ stream, codec: codecFor(codecs, speech), now, random });
    const from = addressKey(to);
    mediaPort.receive((packet, address) => {
      if (addressKey(address) === from) this.#take(packet);
      else this.#counted.strangers++;
    });
  }

  get ssrc(): number {
    return this.sender.stream.ssrc;
  }

  get counters(): MediaCounters {
    const frames = sumOf([this.#past, this.#stream?.counters ?? NO_FRAMES]);
    return { ...this.#counted, ...frames, notClaimed: 0, mismatches: 0, refused: { ...this.#refused } };
  }

  /** Says 20 ms, in a frame of the codecs. Errors as `VoiceSender.seal`. */
  send(frame: Int16Array): void | Promise<void> {
    return andThen(this.sender.seal(frame), (packet) => {
      this.#options.mediaPort.send(packet, this.#options.to, (failed) => {
        if (failed) this.#counted.failed++;
        else this.#counted.sent++;
      });
    });
  }

  /** The next 20 ms; undefined: silence. */
  play(): Int16Array | undefined {
    const played = this.#stream?.pull();
    return played === undefined || typeof played === "string" ? undefined : played.frame;
  }

  /** Floor control off-network, which is under the key of media (TS 33.180 7.4.1). */
  receiveRtcp(packet: Uint8Array): MaybePromise<UnprotectedRtcp | MediaRefusal> {
    return this.#media.rtcpReceiver.unprotect(packet);
  }

  /** The key is gone with the call (TS 33.180 5.11.1). */
  async close(): Promise<void> {
    this.#options.key.pck.destroy();
    await this.#options.mediaPort.close();
  }

  #take(packet: Uint8Array): void {
    const taken = andThen(this.#media.receiver.unprotect(packet), (result) => {
      if (result.ok) return this.#heard(result);
      this.#refused[result.fault]++;
      return undefined;
    });
    if (taken instanceof Promise) taken.catch(() => void this.#counted.failed++);
  }

  #heard({ packet, header }: UnprotectedRtp): MaybePromise<void> {
    const { codecs = G711_CODECS, now, onHeard } = this.#options;
    const { ssrc, payloadType, sequenceNumber, timestamp } = header;
    this.#counted.received++;
    const codec = codecs.find(({ format }) => format.type === payloadType);
    const payload = rtpPayload(packet, header);
    const stream = this.#of(ssrc);
    const arrival = now();
    return andThen(codec && payload && stream.decode(codec, payload), (frame) => {
      if (frame === undefined) {
        this.#counted.notSpeech++;
        return;
      }
      const { timestampStep } = codec!;
      // The other side may have begun another stream meanwhile.
      if (this.#stream === stream) stream.push({ sequenceNumber, timestamp, timestampStep, arrival, frame });
      else this.#past = { ...this.#past, dropped: this.#past.dropped + 1 };
      onHeard(ssrc);
    });
  }

  #of(ssrc: number): TalkerStream {
    const { jitter = {}, peerUri } = this.#options;
    const known = this.#stream;
    if (known?.ssrc === ssrc) return known;
    known?.end();
    this.#past = sumOf([this.#past, known?.counters ?? NO_FRAMES]);
    const stream = new TalkerStream(ssrc, jitter);
    stream.user = peerUri;
    this.#stream = stream;
    return stream;
  }
}

/**
 * The stream that one side of a private call sends: speech as SRTP and, off-network, floor control as SRTCP, under one
 * SSRC of its key.
 */
class PrivateStream implements VoiceStream {
  readonly ssrc: number;
  readonly #rtp: MaybePromise<SrtpSender>;
  readonly #rtcp: MaybePromise<SrtcpSender>;

  constructor(media: PrivateMedia, random: RandomSource) {
    this.ssrc = drawSsrc(random);
    this.#rtp = media.sender(this.ssrc);
    this.#rtcp = media.rtcpSender(this.ssrc);
  }

  /** Errors as `SrtpSender.protect`. */
  protect(packet: Uint8Array): MaybePromise<Uint8Array> {
    return andThen(this.#rtp, (sender) => sender.protect(packet));
  }

  /** Errors as `SrtcpSender.protect`. */
  protectRtcp(packet: Uint8Array): MaybePromise<Uint8Array> {
    return andThen(this.#rtcp, (sender) => sender.protect(packet));
  }
}
