/** The media that come in with one SSRC of one sender, through changes of the GMK. */
import type { KeyId } from "../../bindings/index.ts";
import {
  G711_FRAME,
  G711_RATE,
  type GroupMki,
  JitterBuffer,
  type JitterBufferCounters,
  type JitterBufferOptions,
  type MaybePromise,
} from "../../bindings/media/index.ts";
import { guessIndex } from "../../bindings/media/packet-index.ts";
import type { SpeechCodec } from "./speech-codec.ts";

/** Frames too late in a row, after which the sender is taken to have jumped. */
const LOST_TOUCH = 10;
const FIRST_ROC = 0x10000;
const FRAME_MS = (1000 * G711_FRAME) / G711_RATE;
/** Root mean square of a frame that nobody hears: 60 dB below full scale. */
const SILENCE = 32;

/** A packet of speech, decrypted. */
export interface SpeechPacket {
  readonly sequenceNumber: number;
  /** The RTP timestamp, and how far it advances in one frame. */
  readonly timestamp: number;
  readonly timestampStep: number;
  /** When it came, in milliseconds. */
  readonly arrival: number;
  readonly frame: Int16Array;
}

export type StreamCounters = JitterBufferCounters & { readonly buffered: number };

export const NO_FRAMES: StreamCounters = {
  played: 0,
  late: 0,
  duplicate: 0,
  dropped: 0,
  lost: 0,
  buffered: 0,
};

export class TalkerStream {
  readonly ssrc: number;
  /** Undefined: no member that is known of. */
  user: string | undefined;
  /** The talker that floor control names, and the number of packets from others since. */
  claimed: readonly string[] = [];
  odd = 0;
  lastHeard = 0;
  /** The sender's under each GMK. */
  readonly #gukIds = new Map<KeyId, KeyId>();
  readonly #options: JitterBufferOptions<Int16Array>;
  #buffer: JitterBuffer<Int16Array>;
  #highest: number | undefined;
  #late = 0;
  /** The timestamp of the last packet, and the frames that it stands for through all wraps. */
  #timestamp: number | undefined;
  #framed = 0;
  /** State of the formats that have come, by payload type. */
  readonly #decoders = new Map<number, ReturnType<SpeechCodec["decoder"]>>();
  /** The frame counts of earlier buffers. */
  #past = NO_FRAMES;

  constructor(ssrc: number, options: JitterBufferOptions) {
    this.ssrc = ssrc;
    this.#options = { isSilent, ...options };
    this.#buffer = new JitterBuffer(this.#options);
  }

  /** Counts of all frames that were pushed. */
  get counters(): StreamCounters {
    return sumOf([this.#past, { ...this.#buffer.counters, buffered: this.#buffer.size }]);
  }

  /** Undefined when nothing has come under that GMK yet. */
  isUnder({ gmkId, gukId }: GroupMki): boolean | undefined {
    const known = this.#gukIds.get(gmkId);
    return known === undefined ? undefined : known === gukId;
  }

  enter({ gmkId, gukId }: GroupMki): void {
    this.#gukIds.set(gmkId, gukId);
  }

  /** Forgets GMKs that are gone. */
  prune(isHeld: (gmkId: KeyId) => boolean): void {
    for (const gmkId of this.#gukIds.keys()) if (!isHeld(gmkId)) this.#gukIds.delete(gmkId);
  }

  /** Undefined for a payload that is not one frame of the format. */
  decode(codec: SpeechCodec, payload: Uint8Array): MaybePromise<Int16Array | undefined> {
    const decode = this.#decoders.get(codec.format.type) ?? codec.decoder();
    this.#decoders.set(codec.format.type, decode);
    return decode(payload);
  }

  /**
   * False for a frame that came too late. Sequence numbers go on through a change of key; roll-over counters need not, as
   * a sender may start them anew under each key.
   */
  push({ sequenceNumber, timestamp, timestampStep, arrival, frame }: SpeechPacket): boolean {
    const index = guessIndex(this.#highest ?? FIRST_ROC + sequenceNumber, sequenceNumber);
    this.#late = this.#buffer.takes(index) ? 0 : this.#late + 1;
    if (this.#late >= LOST_TOUCH) {
      this.#late = 0;
      this.end();
      this.#highest = index;
    }
    const isTaken = this.#buffer.push(index, frame, this.#transit(timestamp, timestampStep, arrival));
    if (isTaken) this.#highest = Math.max(index, this.#highest ?? 0);
    return isTaken;
  }

  /** Drops what is held. */
  end(): void {
    this.#buffer.clear();
    this.#past = this.counters;
    this.#buffer = new JitterBuffer(this.#options);
  }

  pull() {
    return this.#buffer.pull();
  }

  /** In frames, for the jitter buffer. */
  #transit(timestamp: number, timestampStep: number, arrival: number): number {
    this.#framed += ((timestamp - (this.#timestamp ?? timestamp)) | 0) / timestampStep;
    this.#timestamp = timestamp;
    return arrival / FRAME_MS - this.#framed;
  }
}

export function sumOf(counters: readonly StreamCounters[]): StreamCounters {
  const sum = { ...NO_FRAMES } as Record<keyof StreamCounters, number>;
  for (const one of counters) {
    for (const name of Object.keys(sum) as (keyof StreamCounters)[]) sum[name] += one[name];
  }
  return sum;
}

function isSilent(frame: Int16Array): boolean {
  let power = 0;
  for (const sample of frame) power += sample * sample;
  return power < frame.length * SILENCE ** 2;
}
