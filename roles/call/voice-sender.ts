/** Speech as SRTP packets of one stream, in frames of 20 ms (RFC 3550 5.1, RFC 3551 4.1). */
import { MikeySakkeError } from "../../base/errors.ts";
import { andThen } from "../../base/maybe-promise.ts";
import type { RandomSource } from "../../base/random.ts";
import { G711_FRAME, G711_RATE, type MaybePromise, writeRtpPacket } from "../../bindings/media/index.ts";
import type { SpeechCodec } from "./speech-codec.ts";

/** One SSRC under the keys of a call. */
export interface VoiceStream {
  readonly ssrc: number;
  /** An RTP packet of that SSRC as SRTP. */
  protect(packet: Uint8Array): MaybePromise<Uint8Array>;
}

export interface VoiceSenderOptions<S extends VoiceStream> {
  readonly stream: S;
  readonly codec: SpeechCodec;
  /** Milliseconds. */
  readonly now: () => number;
  readonly random: RandomSource;
}

export class VoiceSender<S extends VoiceStream = VoiceStream> {
  /** Sends the stream and, off-network, floor control too. */
  readonly stream: S;
  #codec: SpeechCodec;
  #encode: ReturnType<SpeechCodec["encoder"]>;
  readonly #now: () => number;
  #sequenceNumber: number;
  #timestamp: number;
  #lastAt: number | undefined;
  #isBurst = false;

  constructor({ stream, codec, now, random }: VoiceSenderOptions<S>) {
    this.stream = stream;
    this.#codec = codec;
    this.#encode = codec.encoder();
    this.#now = now;
    const start = random(6);
    const view = new DataView(start.buffer, start.byteOffset);
    // RFC 3711 3.3.1: in the lower half, so that no loss at the start hides a wrap.
    this.#sequenceNumber = view.getUint16(0) & 0x7fff;
    this.#timestamp = view.getUint32(2);
  }

  /** The following frames are in another format. */
  use(codec: SpeechCodec): void {
    if (codec === this.#codec) return;
    this.#codec = codec;
    this.#encode = codec.encoder();
  }

  /** The next frame begins a talk burst, or goes on after a pause: its timestamp tells how long nothing was said. */
  begin(): void {
    this.#isBurst = true;
  }

  /**
   * @throws MikeySakkeError usage `BAD_FRAME`: not as many samples as the codec has in a frame; and as `protect` of the stream,
   * with nothing changed. With a codec that codes later, what `protect` throws comes as a rejection, and the frame counts as lost.
   */
  seal(frame: Int16Array): MaybePromise<Uint8Array> {
    const { samples, format, timestampStep } = this.#codec;
    if (frame.length !== samples) {
      const text = `frame of ${frame.length} samples, not ${samples}`;
      throw new MikeySakkeError("usage", "BAD_FRAME", text);
    }
    const now = this.#now();
    const timestamp = this.#isBurst ? (this.#timestamp + this.#pause(now)) >>> 0 : this.#timestamp;
    const fields = {
      marker: this.#isBurst,
      payloadType: format.type,
      sequenceNumber: this.#sequenceNumber,
      timestamp,
      ssrc: this.stream.ssrc,
    };
    const sealed = andThen(this.#encode(frame), (payload) =>
      this.stream.protect(writeRtpPacket(fields, payload)),
    );
    this.#sequenceNumber = (this.#sequenceNumber + 1) & 0xffff;
    this.#timestamp = (timestamp + timestampStep) >>> 0;
    this.#lastAt = now;
    this.#isBurst = false;
    return sealed;
  }

  /** Returns how far the timestamp has advanced since the last frame ended: it goes on through silence. */
  #pause(now: number): number {
    if (this.#lastAt === undefined) return 0;
    const samples = Math.round(((now - this.#lastAt) * G711_RATE) / 1000);
    const frames = Math.max(samples - G711_FRAME, 0) / G711_FRAME;
    return Math.round(frames * this.#codec.timestampStep) % 2 ** 32;
  }
}
