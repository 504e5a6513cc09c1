/**
 * Opus of the browser (WebCodecs), at the full rate of the audio context. A coder of the browser works beside its worker, and gives
 * a frame for each that it takes, in their order.
 */
import { OPUS } from "../../../documents/sdp/call.ts";
import type { SpeechCodec } from "../../../roles/call/speech-codec.ts";
import { AUDIO_FRAME, AUDIO_RATE } from "../messages.ts";
import { ENCODER, FRAME_US, SOUND } from "../opus.ts";
import { toSamples } from "./samples.ts";

/** Frames that a coder has at a time, as while it opens; more would be heard too late. */
const MOST_WAITING = 10;
/** Frames in a row that a coder had no room for, 5 s: it is stuck, and another one takes its place. */
const STUCK = 250;

export const OPUS_CODEC: SpeechCodec = {
  format: OPUS,
  samples: AUDIO_FRAME,
  timestampStep: AUDIO_FRAME,
  encoder() {
    const coder = new Coder<AudioData, EncodedAudioChunk>((output, error) => {
      const encoder = new AudioEncoder({ output, error });
      encoder.configure(ENCODER);
      return [encoder, (sound) => encoder.encode(sound)];
    });
    let timestamp = 0;
    return async (data) => {
      const frame = { numberOfFrames: AUDIO_FRAME, numberOfChannels: 1, sampleRate: AUDIO_RATE, timestamp };
      timestamp += FRAME_US;
      const sound = new AudioData({ ...frame, format: "s16", data: data as Int16Array<ArrayBuffer> });
      const chunk = await coder.take(sound);
      sound.close();
      if (chunk === undefined) throw new Error("the browser has not encoded a frame");
      const payload = new Uint8Array(chunk.byteLength);
      chunk.copyTo(payload);
      return payload;
    };
  },
  decoder() {
    const coder = new Coder<EncodedAudioChunk, AudioData>((output, error) => {
      const decoder = new AudioDecoder({ output, error });
      decoder.configure(SOUND);
      return [decoder, (chunk) => decoder.decode(chunk)];
    });
    let timestamp = 0;
    return async (data) => {
      if (durationOf(data) !== FRAME_US) return undefined;
      const chunk = new EncodedAudioChunk({ type: "key", timestamp, data: data as Uint8Array<ArrayBuffer> });
      timestamp += FRAME_US;
      const sound = await coder.take(chunk);
      if (sound?.numberOfFrames !== AUDIO_FRAME) {
        sound?.close();
        return undefined;
      }
      const samples = new Float32Array(AUDIO_FRAME);
      sound.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
      sound.close();
      return toSamples(samples);
    };
  },
};

/** RFC 6716 3.1: microseconds of a packet; undefined where it has no frames. */
function durationOf([toc, count = 0]: Uint8Array): number | undefined {
  if (toc === undefined) return undefined;
  const config = toc >> 3;
  const frame =
    config < 12
      ? [10, 20, 40, 60][config & 3]!
      : config < 16
        ? [10, 20][config & 1]!
        : [2.5, 5, 10, 20][config & 3]!;
  return 1000 * frame * [1, 2, 2, count & 0x3f][toc & 3]!;
}

/** Opens a coder of the browser; gives it, and what it takes a frame with. */
type Open<In, Out> = (
  output: (output: Out) => void,
  error: () => void,
) => [coder: AudioEncoder | AudioDecoder, take: (input: In) => void];

/** One coder of the browser after the other: where one fails, what it had taken fails with it, and the next frame has a new one. */
class Coder<In, Out> {
  readonly #open: Open<In, Out>;
  #opened: ReturnType<Open<In, Out>> | undefined;
  #waiting: ((output: Out | undefined) => void)[] = [];
  /** Frames in a row that there was no room for. */
  #refused = 0;

  /** Opens the first one at once, which takes the browser a while. */
  constructor(open: Open<In, Out>) {
    this.#open = open;
    this.#take(() => undefined);
  }

  /** Resolves to what becomes of it; undefined: the coder has failed, or has no room. */
  take(input: In): Promise<Out | undefined> {
    if (this.#waiting.length >= MOST_WAITING) {
      if (++this.#refused < STUCK) return Promise.resolve(undefined);
      this.#failed();
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#take((take) => take(input));
    });
  }

  #take(by: (take: (input: In) => void) => void): void {
    try {
      this.#opened ??= this.#open(
        (output) => {
          this.#refused = 0;
          this.#waiting.shift()?.(output);
        },
        () => this.#failed(),
      );
      by(this.#opened[1]);
    } catch {
      this.#failed();
    }
  }

  #failed(): void {
    const coder = this.#opened?.[0];
    this.#opened = undefined;
    this.#refused = 0;
    if (coder !== undefined && coder.state !== "closed") coder.close();
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
  }
}
