/**
 * A call at the server, of a group or of two users: who is in it, whose media go to whom, and who may talk (TS 24.380 6.3), or
 * in a call of MCVideo transmit (TS 24.581 6.3). It has no group key, but where it mixes, and never the key of a private call.
 */

import type { Clock } from "../../../base/clock.ts";
import { defined } from "../../../base/defined.ts";
import type { RandomSource } from "../../../base/random.ts";
import type { GroupMediaKeys, IndexBlocks, MediaService } from "../../../bindings/media/index.ts";
import { isSameFormat, type SpeechFormat } from "../../../documents/sdp/call.ts";
import type { DatagramAddress, DatagramPort } from "../../../transport/datagram/ports.ts";
import type { ControlKeys } from "../../call/control-keys.ts";
import { G711_CODECS } from "../../call/speech-codec.ts";
import type { SessionState } from "../admin/metrics.ts";
import { addedTo } from "../common/totals.ts";
import { floorDeadline, floorStep } from "../floor/arbiter.ts";
import type { RateLimit } from "../floor/message-rate.ts";
import {
  DEFAULT_FLOOR_CONFIG,
  EMPTY_FLOOR,
  type FloorConfig,
  type FloorEvent,
  type FloorState,
} from "../floor/state.ts";
import { OwnSockets } from "../media/own-sockets.ts";
import { type CallKind, MediaRelay, type RelayOptions } from "../media/relay.ts";
import type { FloorMulticast } from "./floor-channel.ts";
import { FloorControl } from "./floor-control.ts";
import { Mixer } from "./mixer.ts";
import type { ServerSsrcs } from "./server-ssrcs.ts";
import { TransmissionControl } from "./transmission-control.ts";
import type { TurnControl, TurnRequests, WantedSsrcs } from "./turn-control.ts";

export interface GroupSessionOptions {
  /** The group; in a private call what stands for it. */
  readonly groupUri: string;
  /** A call of a group when absent. */
  readonly kind?: CallKind;
  readonly service?: MediaService;
  /** All are closed with the session. */
  readonly mediaPort: DatagramPort;
  readonly floorPort: DatagramPort;
  /** The port for the audio that goes with the video, in a call of MCVideo. */
  readonly voicePort?: DatagramPort | undefined;
  /** Settings for transmission control, whose presence makes it a call of MCVideo; absent in a call with speech alone. */
  readonly video?: VideoConfig | undefined;
  readonly multicast?: { readonly media: DatagramAddress; readonly floor: FloorMulticast };
  readonly floor?: Partial<FloorConfig>;
  /** Rate limit for the floor control messages of one participant. */
  readonly messageRate?: RateLimit;
  /** The sockets of the server, to which the session adds its own. Those of the session alone when absent. */
  readonly own?: OwnSockets;
  /** Keys of the group for mixing, where the server has been given any; asked for again with each packet. */
  readonly keys?: () => GroupMediaKeys | undefined;
  /** The format of the call, one of G.711 where it is mixed; A-law where that is not told. */
  readonly speech?: () => SpeechFormat | undefined;
  /** The indexes that mixed media are sent under; drawn when absent. */
  readonly blocks?: IndexBlocks | undefined;
  readonly maxParticipants?: number;
  /** Nobody has had the floor for as long as `hangAfter` says. */
  readonly onHang?: () => void;
  /** A member has asked for the floor with an emergency. */
  readonly onEmergency?: (user: string) => void;
  /** The floor has changed hands: these members have it now. */
  readonly onTalkers?: (users: readonly string[]) => void;
  readonly ssrcs: ServerSsrcs;
  readonly clock: Clock;
  readonly random: RandomSource;
}

export interface VideoConfig {
  /** Whether each participant receives a transmission without having asked for it. */
  readonly isReceptionAutomatic: boolean;
  /** Rate limit for the packets of one transmission. */
  readonly packets: RateLimit;
}

export interface SessionMember {
  /** MC service user ID. */
  readonly user: string;
  /** The addresses that their media and floor control come from and go to. */
  readonly media: DatagramAddress;
  readonly floor: DatagramAddress;
  readonly control: ControlKeys;
  readonly priority: number;
  readonly receiveOnly?: boolean;
  /** Whether requests of theirs wait while another talks. True when absent. */
  readonly queueing?: boolean;
  /** The address of their audio in a call of MCVideo; undefined where they do not take part in it. */
  readonly voice?: DatagramAddress | undefined;
  readonly ssrcs?: WantedSsrcs;
}

/** A person presses the button a few times a second at most; a client repeats what is not answered once a second. */
const DEFAULT_RATE: RateLimit = { perSecond: 5, burst: 15 };
/** Packets that have not left yet, for each address: a key frame comes in hundreds at once. */
const VIDEO_QUEUE = 1024;
/** Milliseconds: a small part of the silence that ends a transmission (T1). */
const MEDIA_STEP_MS = 100;
/** Reports and requests for key frames (RFC 4585): a decoder that lost one repeats its request. */
const FEEDBACK_RATE: RateLimit = { perSecond: 10, burst: 20 };

export class GroupSession {
  readonly groupUri: string;
  readonly relay: MediaRelay;
  readonly #options: GroupSessionOptions;
  readonly #config: FloorConfig;
  readonly #voice: MediaRelay | undefined;
  readonly #control: TurnControl;
  readonly #own: OwnSockets;
  readonly #disown: readonly (() => void)[];
  #mixer: Mixer | undefined;
  #floor: FloorState = EMPTY_FLOOR;
  #lastMedia: { readonly by: string | undefined; readonly at: number } = { by: undefined, at: 0 };
  #cancel: (() => void) | undefined;
  #hangMs: number | undefined;
  #hang: (() => void) | undefined;

  constructor(options: GroupSessionOptions) {
    this.#options = options;
    const { groupUri, mediaPort, floorPort, voicePort, multicast, video } = options;
    this.groupUri = groupUri;
    this.#config = { ...DEFAULT_FLOOR_CONFIG, ...options.floor };
    this.#own = options.own ?? new OwnSockets();
    this.#disown = this.#ports().map((port) => this.#own.enter(port));
    this.relay = this.#relayOn(mediaPort, {
      ...(multicast && { multicast: multicast.media }),
      ...(video && { packets: video.packets, feedback: FEEDBACK_RATE, maxQueued: VIDEO_QUEUE }),
      mix: (user, packet) => this.#mix(user, packet),
    });
    this.#voice = voicePort && this.#relayOn(voicePort, {});
    this.#control = this.#controlOn(floorPort);
  }

  #relayOn(port: DatagramPort, more: Partial<RelayOptions>): MediaRelay {
    const { kind, maxParticipants, clock, video } = this.#options;
    return new MediaRelay({
      port,
      ...defined({ kind, maxLegs: maxParticipants }),
      own: this.#own,
      mayTalk: (user) => this.#floor.talks.some((talk) => talk.user === user),
      onMedia: (user) => this.#media(user),
      ...(video && { mayHear: (listener, talker) => this.#control.mayHear(listener, talker) }),
      now: () => clock.now(),
      ...more,
    });
  }

  #controlOn(port: DatagramPort): TurnControl {
    const { ssrcs, multicast, messageRate = DEFAULT_RATE, clock, random, video } = this.#options;
    const channel = {
      port,
      ssrcs,
      multicast: multicast?.floor,
      own: this.#own,
      rate: messageRate,
      now: () => clock.now(),
      random,
    };
    const requests: TurnRequests = {
      onRequest: (user, { mediaSsrc, ...request }) => {
        // An SSRC that is another's is not announced as that of who asks.
        const isOwn = mediaSsrc !== undefined && this.relay.streams.claim(user, mediaSsrc);
        this.#step({ type: "request", user, ...request, mediaSsrc: isOwn ? mediaSsrc : undefined });
      },
      onRelease: (user) => this.#step({ type: "release", user }),
      onPosition: (user) => this.#step({ type: "position", user }),
    };
    if (video === undefined) return new FloorControl(channel, requests);
    const { isReceptionAutomatic } = video;
    const claim = (stream: keyof WantedSsrcs, user: string, ssrc: number) =>
      (stream === "video" ? this.relay : this.#voice)?.streams.claim(user, ssrc) ?? true;
    return new TransmissionControl({ ...channel, isReceptionAutomatic, claim }, requests);
  }

  /** A picture comes in many packets, and the timer for the end of media need not see each of them. */
  #media(user: string): void {
    const { clock, video } = this.#options;
    const { by, at } = this.#lastMedia;
    const now = clock.now();
    if (video !== undefined && user === by && now < at + MEDIA_STEP_MS) return;
    this.#lastMedia = { by: user, at: now };
    this.#step({ type: "media", user });
  }

  #ports(): DatagramPort[] {
    const { mediaPort, floorPort, voicePort } = this.#options;
    return [mediaPort, floorPort, ...(voicePort === undefined ? [] : [voicePort])];
  }

  get size(): number {
    return this.relay.legs.size;
  }

  /** Ports that participants send to. */
  get ports(): { readonly media: number; readonly floor: number; readonly voice: number | undefined } {
    const { mediaPort, floorPort, voicePort } = this.#options;
    return {
      media: mediaPort.address.port,
      floor: floorPort.address.port,
      voice: voicePort?.address.port,
    };
  }

  /** Members who have the floor. */
  get talkers(): readonly string[] {
    return this.#floor.talks.map(({ user }) => user);
  }

  /** Members who talk or wait with an emergency. */
  get emergencies(): readonly string[] {
    const { talks, queue } = this.#floor;
    return [...talks, ...queue].filter(({ isEmergency }) => isEmergency).map(({ user }) => user);
  }

  get state(): SessionState {
    const mixer = this.#mixer?.counters ?? { opened: 0, refused: 0, made: 0 };
    const floor = Object.entries(this.#control.counters).map(([name, count]) => [`floor_${name}`, count]);
    const mixed = Object.entries(mixer).map(([name, count]) => [`mixer_${name}`, count]);
    return {
      groupUri: this.groupUri,
      participants: [...this.relay.legs.ids()],
      talkers: this.talkers,
      emergencies: this.emergencies,
      mixed: this.#options.keys?.() !== undefined,
      counters: {
        ...addedTo({ ...this.relay.counters }, this.#voice?.counters ?? {}),
        ...(Object.fromEntries([...floor, ...mixed]) as Record<string, number>),
      },
    };
  }

  /**
   * Adds a participant whom signalling has authorised; one who is in it already joins from a new address. Errors as
   * `MediaLegs.add`, with nothing changed.
   */
  join(member: SessionMember): void {
    const { user, media, floor, voice, control, priority, receiveOnly, queueing, ssrcs = {} } = member;
    const floorAddress = this.#own.legAddress(user, floor);
    this.relay.legs.check(user, media);
    if (voice !== undefined) this.#voice?.legs.check(user, voice);
    this.leave(user);
    this.relay.legs.add(user, media);
    if (voice !== undefined) this.#voice?.legs.add(user, voice);
    this.#control.add(user, floorAddress, control, ssrcs);
    const participant = { id: user, maxPriority: priority, ...defined({ receiveOnly, queueing }) };
    this.#step({ type: "join", participant });
  }

  leave(user: string): void {
    if (!this.relay.remove(user)) return;
    this.#voice?.remove(user);
    this.#control.remove(user);
    this.#step({ type: "leave", user });
  }

  /** T4 of TS 24.380: milliseconds without a talker after which the call is over; undefined: it goes on. */
  hangAfter(milliseconds: number | undefined): void {
    if (milliseconds === this.#hangMs) return;
    this.#hangMs = milliseconds;
    this.#hang?.();
    this.#hang = undefined;
    this.#watchFloor();
  }

  async close(): Promise<void> {
    this.#cancel?.();
    this.#hang?.();
    this.#mixer?.close();
    for (const disown of this.#disown) disown();
    await Promise.all(this.#ports().map((port) => port.close()));
  }

  #step(event: FloorEvent): void {
    const { clock } = this.#options;
    const { state, messages } = floorStep(this.#floor, event, clock.now(), this.#config);
    const before = new Set(this.talkers);
    const emergencies = new Set(this.emergencies);
    this.#floor = state;
    for (const user of this.emergencies) if (!emergencies.has(user)) this.#options.onEmergency?.(user);
    for (const { user, mediaSsrc } of state.talks) {
      if (before.has(user)) continue;
      this.relay.streams.begin(user, mediaSsrc);
      this.#voice?.streams.begin(user, this.#control.voiceSsrc(user));
    }
    const { talkers } = this;
    if (talkers.length !== before.size || talkers.some((user) => !before.has(user))) {
      this.#options.onTalkers?.(talkers);
    }
    for (const user of before) if (!talkers.includes(user)) this.#control.ended(user);
    for (const output of messages) this.#control.say(output);
    this.#watchFloor();
    this.#cancel?.();
    const deadline = floorDeadline(state, this.#config);
    this.#cancel =
      deadline === undefined
        ? undefined
        : clock.after(Math.max(deadline - clock.now(), 0), () => this.#step({ type: "time" }));
  }

  /** T4 begins when the floor becomes idle, and stops when somebody has it (TS 24.380 6.3.4.3). */
  #watchFloor(): void {
    const isIdle = this.#floor.talks.length === 0;
    if (!isIdle || this.#hangMs === undefined) {
      this.#hang?.();
      this.#hang = undefined;
    } else {
      this.#hang ??= this.#options.clock.after(this.#hangMs, () => this.#options.onHang?.());
    }
  }

  #mix(user: string, packet: Uint8Array): boolean {
    const keys = this.#options.keys?.();
    if (keys === undefined) return false;
    const { clock, random, service = "mcptt" } = this.#options;
    this.#mixer ??= new Mixer({
      // The mixer outlives changes of the keys.
      keys: {
        sending: () => this.#options.keys?.()?.sending(),
        receiving: (gmkId) => this.#options.keys?.()?.receiving(gmkId),
      },
      service,
      codec: () => {
        const speech = this.#options.speech?.();
        return G711_CODECS.find(({ format }) => speech && isSameFormat(format, speech)) ?? G711_CODECS[0]!;
      },
      blocks: this.#options.blocks,
      participants: () => [...this.relay.legs.ids()],
      send: (to, sealed) => this.relay.legs.send(to, sealed),
      clock,
      random,
    });
    this.#mixer.take(user, packet);
    return true;
  }
}
