/**
 * A call at the server, of a group or of two users: who is in it, whose media go to whom, and who may talk (TS 24.380 6.3). It
 * has no group key, but where it mixes, and never the key of a private call.
 */

import type { Clock } from "../../../base/clock.ts";
import { defined } from "../../../base/defined.ts";
import type { RandomSource } from "../../../base/random.ts";
import { type FloorMessage, INDICATORS } from "../../../bindings/floor-control/index.ts";
import type { GroupMediaKeys, IndexBlocks, MediaService } from "../../../bindings/media/index.ts";
import type { DatagramAddress, DatagramPort } from "../../../transport/datagram/ports.ts";
import type { ControlKeys } from "../../call/control-keys.ts";
import { G711_CODECS } from "../../call/speech-codec.ts";
import type { SessionState } from "../admin/metrics.ts";
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
import { type CallKind, MediaRelay } from "../media/relay.ts";
import { FloorChannel, type FloorMulticast } from "./floor-channel.ts";
import { Mixer } from "./mixer.ts";
import type { ServerSsrcs } from "./server-ssrcs.ts";

export interface GroupSessionOptions {
  /** The group; in a private call what stands for it. */
  readonly groupUri: string;
  /** That of a group when absent. */
  readonly kind?: CallKind;
  readonly service?: MediaService;
  /** Both are closed with the session. */
  readonly mediaPort: DatagramPort;
  readonly floorPort: DatagramPort;
  readonly multicast?: { readonly media: DatagramAddress; readonly floor: FloorMulticast };
  readonly floor?: Partial<FloorConfig>;
  /** Rate limit for the floor control messages of one participant. */
  readonly messageRate?: RateLimit;
  /** The sockets of the server, to which the session adds its own. Those of the session alone when absent. */
  readonly own?: OwnSockets;
  /** Keys of the group for mixing, where the server has been given any; asked for again with each packet. */
  readonly keys?: () => GroupMediaKeys | undefined;
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
}

/** A person presses the button a few times a second at most; a client repeats what is not answered once a second. */
const DEFAULT_RATE: RateLimit = { perSecond: 5, burst: 15 };

export class GroupSession {
  readonly groupUri: string;
  readonly relay: MediaRelay;
  readonly #options: GroupSessionOptions;
  readonly #config: FloorConfig;
  readonly #channel: FloorChannel;
  readonly #own: OwnSockets;
  readonly #disown: readonly (() => void)[];
  #mixer: Mixer | undefined;
  #floor: FloorState = EMPTY_FLOOR;
  #cancel: (() => void) | undefined;
  #hangMs: number | undefined;
  #hang: (() => void) | undefined;

  constructor(options: GroupSessionOptions) {
    this.#options = options;
    const { groupUri, mediaPort, floorPort, multicast, maxParticipants, service = "mcptt" } = options;
    this.groupUri = groupUri;
    this.#config = { ...DEFAULT_FLOOR_CONFIG, ...options.floor };
    this.#own = options.own ?? new OwnSockets();
    this.#disown = [mediaPort, floorPort].map((port) => this.#own.enter(port));
    this.relay = new MediaRelay({
      port: mediaPort,
      ...defined({ kind: options.kind }),
      own: this.#own,
      ...(multicast && { multicast: multicast.media }),
      ...defined({ maxLegs: maxParticipants }),
      mayTalk: (user) => this.#floor.talks.some((talk) => talk.user === user),
      onMedia: (user) => this.#step({ type: "media", user }),
      mix: (user, packet) => this.#mix(user, packet),
    });
    this.#channel = new FloorChannel({
      port: floorPort,
      service,
      ssrcs: options.ssrcs,
      multicast: multicast?.floor,
      own: this.#own,
      rate: options.messageRate ?? DEFAULT_RATE,
      now: () => options.clock.now(),
      random: options.random,
      onMessage: (user, message) => this.#take(user, message),
    });
  }

  get size(): number {
    return this.relay.legs.size;
  }

  /** Ports that participants send to. */
  get ports(): { readonly media: number; readonly floor: number } {
    const { mediaPort, floorPort } = this.#options;
    return { media: mediaPort.address.port, floor: floorPort.address.port };
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
    const floor = Object.entries(this.#channel.counters).map(([name, count]) => [`floor_${name}`, count]);
    const mixed = Object.entries(mixer).map(([name, count]) => [`mixer_${name}`, count]);
    return {
      groupUri: this.groupUri,
      participants: [...this.relay.legs.ids()],
      talkers: this.talkers,
      emergencies: this.emergencies,
      mixed: this.#options.keys?.() !== undefined,
      counters: {
        ...this.relay.counters,
        ...(Object.fromEntries([...floor, ...mixed]) as Record<string, number>),
      },
    };
  }

  /**
   * Adds a participant whom signalling has authorised; one who is in it already joins from a new address. Errors as
   * `MediaLegs.add`, with nothing changed.
   */
  join({ user, media, floor, control, priority, receiveOnly, queueing }: SessionMember): void {
    const floorAddress = this.#own.legAddress(user, floor);
    this.relay.legs.check(user, media);
    this.leave(user);
    this.relay.legs.add(user, media);
    this.#channel.add(user, floorAddress, control);
    const participant = { id: user, maxPriority: priority, ...defined({ receiveOnly, queueing }) };
    this.#step({ type: "join", participant });
  }

  leave(user: string): void {
    if (!this.relay.remove(user)) return;
    this.#channel.remove(user);
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
    const { mediaPort, floorPort } = this.#options;
    await Promise.all([mediaPort.close(), floorPort.close()]);
  }

  #take(user: string, { name, priority = 0, mediaSsrc, indicator = 0 }: FloorMessage): void {
    if (name === "Floor Request") {
      const isEmergency = (indicator & INDICATORS.EMERGENCY) !== 0;
      // An SSRC that is another's is not announced as that of who asks.
      const isOwn = mediaSsrc !== undefined && this.relay.streams.claim(user, mediaSsrc);
      const ssrc = isOwn ? mediaSsrc : undefined;
      this.#step({ type: "request", user, priority, isEmergency, mediaSsrc: ssrc });
    } else if (name === "Floor Release") this.#step({ type: "release", user });
    else if (name === "Floor Queue Position Request") this.#step({ type: "position", user });
  }

  #step(event: FloorEvent): void {
    const { clock } = this.#options;
    const { state, messages } = floorStep(this.#floor, event, clock.now(), this.#config);
    const before = new Set(this.talkers);
    const emergencies = new Set(this.emergencies);
    this.#floor = state;
    for (const user of this.emergencies) if (!emergencies.has(user)) this.#options.onEmergency?.(user);
    for (const { user, mediaSsrc } of state.talks) {
      if (!before.has(user)) this.relay.streams.begin(user, mediaSsrc);
    }
    const { talkers } = this;
    if (talkers.length !== before.size || talkers.some((user) => !before.has(user))) {
      this.#options.onTalkers?.(talkers);
    }
    for (const output of messages) this.#channel.say(output);
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
      codec: G711_CODECS[0]!,
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
