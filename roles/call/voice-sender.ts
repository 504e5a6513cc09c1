/** Speech as SRTP packets of one stream: G.711 in frames of 20 ms (RFC 3550 5.1, RFC 3551 4.1). */
import { MikeySakkeError } from "../../base/errors.ts";
import type { RandomSource } from "../../base/random.ts";
import {
  encodeG711,
  G711_FRAME,
  G711_PAYLOAD_TYPES,
  G711_RATE,
  type G711Law,
  type GroupMedia,
  type GroupMediaSender,
  type MaybePromise,
  writeRtpPacket,
} from "../../bindings/media/index.ts";

export interface VoiceSenderOptions {
  readonly media: GroupMedia;
  readonly law: G711Law;
  /** Milliseconds. */
  readonly now: () => number;
  readonly random: RandomSource;
}

export class VoiceSender {
  /** Sends the stream and, off-network, floor control too. */
  readonly stream: GroupMediaSender;
  readonly #law: G711Law;
  readonly #now: () => number;
  #sequenceNumber: number;
  #timestamp: number;
  #lastAt: number | undefined;
  #isBurst = false;

  constructor({ media, law, now, random }: VoiceSenderOptions) {
    this.stream = media.sender();
    this.#law = law;
    this.#now = now;
    const start = random(6);
    const view = new DataView(start.buffer, start.byteOffset);
    // RFC 3711 3.3.1: in the lower half, so that no loss at the start hides a wrap.
    this.#sequenceNumber = view.getUint16(0) & 0x7fff;
    this.#timestamp = view.getUint32(2);
  }

  /** The next frame begins a talk burst, or goes on after a pause: its timestamp tells how long nothing was said. */
  begin(): void {
    this.#isBurst = true;
  }

  /**
   * @throws MikeySakkeError usage `BAD_FRAME`: not 160 samples; and as `GroupMediaSender.protect`, with nothing changed
   */
  seal(frame: Int16Array): MaybePromise<Uint8Array> {
    if (frame.length !== G711_FRAME) {
      const text = `frame of ${frame.length} samples, not ${G711_FRAME}`;
      throw new MikeySakkeError("usage", "BAD_FRAME", text);
    }
    const now = this.#now();
    const timestamp = this.#isBurst ? (this.#timestamp + this.#pause(now)) >>> 0 : this.#timestamp;
    const fields = {
      marker: this.#isBurst,
      payloadType: G711_PAYLOAD_TYPES[this.#law],
      sequenceNumber: this.#sequenceNumber,
      timestamp,
      ssrc: this.stream.ssrc,
    };
    const sealed = this.stream.protect(writeRtpPacket(fields, encodeG711(this.#law, frame)));
    this.#sequenceNumber = (this.#sequenceNumber + 1) & 0xffff;
    this.#timestamp = (timestamp + G711_FRAME) >>> 0;
    this.#lastAt = now;
    this.#isBurst = false;
    return sealed;
  }

  /** Samples that have passed since the last frame ended: the timestamp goes on through silence. */
  #pause(now: number): number {
    if (this.#lastAt === undefined) return 0;
    const samples = Math.round(((now - this.#lastAt) * G711_RATE) / 1000);
    return Math.max(samples - G711_FRAME, 0) % 2 ** 32;
  }
}
