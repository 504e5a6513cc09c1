/**
 * Mixing, for groups whose GMK the GMS gave to this server (TS 33.180 4.3.5.2): G.711 of all who talk, decrypted, added up,
 * and sent under the server's own GUK-ID. Who talks gets the others without himself.
 */
import {
  G711_FRAME,
  type G711Law,
  GroupMedia,
  type GroupMediaKeys,
  type MediaService,
  mixFrames,
} from "../../../bindings/media/index.ts";
import { andThen } from "../../../bindings/media/maybe.ts";
import type { RandomSource } from "../../../bindings/random.ts";
import type { Clock } from "../../../transport/sip/ports.ts";
import { Claims } from "../../client/media/claims.ts";
import { Identities } from "../../client/media/identities.ts";
import { Listener } from "../../client/media/listener.ts";
import { VoiceSender } from "../../client/media/voice-sender.ts";

export interface MixerOptions {
  readonly keys: GroupMediaKeys;
  readonly service: MediaService;
  readonly law: G711Law;
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

export class Mixer {
  readonly #options: MixerOptions;
  readonly #media: GroupMedia;
  readonly #listener: Listener;
  /** What goes to who does not talk, and to each who does. */
  readonly #common: VoiceSender;
  readonly #personal = new Map<string, VoiceSender>();
  readonly #identities: Identities;
  #counted = { refused: 0, made: 0 };
  #cancel: (() => void) | undefined;
  #nextAt = 0;
  #silent = 0;

  constructor(options: MixerOptions) {
    this.#options = options;
    const { keys, service, random, clock, participants } = options;
    this.#media = new GroupMedia({ keys, service, random });
    this.#identities = new Identities(keys, participants);
    this.#common = this.#sender();
    this.#listener = new Listener({
      media: this.#media,
      keys,
      identities: this.#identities,
      claims: new Claims(),
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
    this.#identities.name(user);
    const taken = andThen(this.#listener.take(packet), (talker) => {
      // Whoever holds the GMK could speak as another; the leg says who it is.
      if (talker !== undefined && talker.user !== user) this.#counted.refused++;
      else if (talker !== undefined) this.#start();
    });
    if (taken instanceof Promise) taken.catch(() => void this.#counted.refused++);
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #sender(): VoiceSender {
    const { law, random, clock } = this.#options;
    const sender = new VoiceSender({ media: this.#media, law, now: () => clock.now(), random });
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
    this.#nextAt += FRAME_MS;
    this.#mix();
    if (this.#silent >= REST_AFTER) {
      this.#cancel = undefined;
      this.#common.begin();
      for (const sender of this.#personal.values()) sender.begin();
    } else this.#schedule();
  }

  #mix(): void {
    const frames = this.#listener.playEach();
    this.#silent = frames.length === 0 ? this.#silent + 1 : 0;
    if (frames.length === 0) return;
    const talkers = new Set(frames.map(({ user }) => user));
    const { participants } = this.#options;
    const all = participants();
    const listening = all.filter((user) => !talkers.has(user));
    this.#send(this.#common, frames, listening);
    for (const user of all.filter((other) => talkers.has(other))) {
      const others = frames.filter((frame) => frame.user !== user);
      if (others.length > 0) this.#send(this.#personalOf(user), others, [user]);
    }
    for (const user of this.#personal.keys()) if (!all.includes(user)) this.#personal.delete(user);
  }

  #personalOf(user: string): VoiceSender {
    const known = this.#personal.get(user) ?? this.#sender();
    this.#personal.set(user, known);
    return known;
  }

  #send(sender: VoiceSender, frames: readonly { frame: Int16Array }[], to: readonly string[]): void {
    if (to.length === 0) return;
    try {
      const mixed = mixFrames(
        frames.map(({ frame }) => frame),
        G711_FRAME,
      );
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
