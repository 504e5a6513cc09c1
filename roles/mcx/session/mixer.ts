/**
 * Mixing, for groups whose GMK the GMS gave to this server (TS 33.180 4.3.5.2): G.711 of all who talk, decrypted, added up,
 * and sent under the server's own GUK-ID. A talker hears the others without their own voice.
 */

import type { Clock } from "../../../base/clock.ts";
import { defined } from "../../../base/defined.ts";
import { andThen } from "../../../base/maybe-promise.ts";
import type { RandomSource } from "../../../base/random.ts";
import {
  G711_FRAME,
  GROUP_MKI_BYTES,
  GroupMedia,
  type GroupMediaKeys,
  type IndexBlocks,
  type MediaService,
  mixFrames,
  readGroupMki,
} from "../../../bindings/media/index.ts";
import { Identities } from "../../call/identities.ts";
import { Listener } from "../../call/listener.ts";
import { NamedTalkers } from "../../call/named-talkers.ts";
import type { SpeechCodec } from "../../call/speech-codec.ts";
import { VoiceSender } from "../../call/voice-sender.ts";

export interface MixerOptions {
  readonly keys: GroupMediaKeys;
  readonly service: MediaService;
  /** The codec to send in, asked for again with each packet. */
  readonly codec: () => SpeechCodec;
  /** The indexes that mixed media are sent under; drawn when absent. */
  readonly blocks?: IndexBlocks | undefined;
  readonly participants: () => readonly string[];
  readonly send: (to: string, packet: Uint8Array) => void;
  readonly clock: Clock;
  readonly random: RandomSource;
}

export interface MixerCounters {
  /** Packets that were decrypted. */
  readonly opened: number;
  /** That were not, or are of another member than the leg that they came from. */
  readonly refused: number;
  /** Packets of mixed media that were protected. */
  readonly made: number;
}

const FRAME_MS = 20;
/** Frames of silence after which the mixer rests. */
const REST_AFTER = 50;
/** Behind the MKI in the default profile of a GMK (RFC 4771). */
const ROC_BYTES = 4;

export class Mixer {
  readonly #options: MixerOptions;
  readonly #media: GroupMedia;
  readonly #listener: Listener;
  /** The senders to all who do not talk, and to each who does. */
  readonly #common: VoiceSender;
  readonly #personal = new Map<string, VoiceSender>();
  readonly #identities: Identities;
  #counted = { refused: 0, made: 0 };
  #cancel: (() => void) | undefined;
  #nextAt = 0;
  #silent = 0;

  constructor(options: MixerOptions) {
    this.#options = options;
    const { keys, service, random, clock, participants, blocks } = options;
    this.#media = new GroupMedia({ keys, service, random, ...defined({ blocks }) });
    this.#identities = new Identities(keys, participants);
    this.#common = this.#sender();
    this.#listener = new Listener({
      media: this.#media,
      keys,
      identities: this.#identities,
      talkers: new NamedTalkers(),
      ownSsrc: this.#common.stream.ssrc,
      now: () => clock.now(),
      onTalker: () => undefined,
      onMismatch: () => undefined,
    });
  }

  get counters(): MixerCounters {
    const { received, refused } = this.#listener.counters;
    const notOpened = Object.values(refused).reduce((sum, count) => sum + count);
    return { opened: received, refused: notOpened + this.#counted.refused, made: this.#counted.made };
  }

  /** A packet of a participant who may talk. */
  take(user: string, packet: Uint8Array): void {
    // Any holder of the GMK could speak as another member; the leg identifies the sender.
    const mkiAt = packet.length - ROC_BYTES - GROUP_MKI_BYTES;
    const mki = mkiAt < 0 ? undefined : readGroupMki(packet.subarray(mkiAt, mkiAt + GROUP_MKI_BYTES));
    if (mki === undefined || !this.#identities.isOf(mki, user)) {
      this.#counted.refused++;
      return;
    }
    const taken = andThen(this.#listener.take(packet), (talker) => {
      if (talker !== undefined) this.#start();
    });
    if (taken instanceof Promise) taken.catch(() => void this.#counted.refused++);
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #sender(): VoiceSender {
    const { codec, random, clock } = this.#options;
    const stream = this.#media.sender();
    const sender = new VoiceSender({ stream, codec: codec(), now: () => clock.now(), random });
    sender.begin();
    return sender;
  }

  #start(): void {
    if (this.#cancel !== undefined) return;
    this.#silent = 0;
    this.#nextAt = this.#options.clock.now() + FRAME_MS;
    this.#schedule();
  }

  #schedule(): void {
    const { clock } = this.#options;
    this.#cancel = clock.after(Math.max(this.#nextAt - clock.now(), 0), () => this.#frame());
  }

  #frame(): void {
    // Steps that this one is late by are left out: several at once would empty the jitter buffers here and overrun
    // others.
    const missed = Math.floor((this.#options.clock.now() - this.#nextAt) / FRAME_MS);
    if (missed > 0) this.#pause();
    this.#nextAt += (Math.max(missed, 0) + 1) * FRAME_MS;
    this.#mix();
    if (this.#silent >= REST_AFTER) {
      this.#cancel = undefined;
      this.#pause();
    } else this.#schedule();
  }

  #pause(): void {
    this.#common.begin();
    for (const sender of this.#personal.values()) sender.begin();
  }

  #mix(): void {
    const { participants } = this.#options;
    const all = participants();
    // What is left of a participant who was put out is not played any more.
    const frames = this.#listener.playEach().filter(({ user }) => user !== undefined && all.includes(user));
    this.#silent = frames.length === 0 ? this.#silent + 1 : 0;
    if (frames.length === 0) {
      this.#pause();
      return;
    }
    const talkers = new Set(frames.map(({ user }) => user));
    const listening = all.filter((user) => !talkers.has(user));
    this.#send(this.#common, frames, listening);
    for (const user of all.filter((other) => talkers.has(other))) {
      const others = frames.filter((frame) => frame.user !== user);
      this.#send(this.#personalOf(user), others, others.length > 0 ? [user] : []);
    }
    for (const [user, sender] of this.#personal) {
      if (!all.includes(user)) this.#personal.delete(user);
      else if (!talkers.has(user)) sender.begin();
    }
  }

  #personalOf(user: string): VoiceSender {
    const known = this.#personal.get(user) ?? this.#sender();
    this.#personal.set(user, known);
    return known;
  }

  #send(sender: VoiceSender, frames: readonly { frame: Int16Array }[], to: readonly string[]): void {
    if (to.length === 0) {
      sender.begin();
      return;
    }
    try {
      const mixed = mixFrames(
        frames.map(({ frame }) => frame),
        G711_FRAME,
      );
      sender.use(this.#options.codec());
      const sealed = andThen(sender.seal(mixed), (packet) => {
        this.#counted.made++;
        for (const user of to) this.#options.send(user, packet);
      });
      if (sealed instanceof Promise) sealed.catch(() => void this.#counted.refused++);
    } catch {
      // No GMK is active any more.
      this.#counted.refused++;
    }
  }
}
