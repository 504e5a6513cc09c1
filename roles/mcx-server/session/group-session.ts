/**
 * The call of one group at the server: who is in it, whose media go to whom, and who may talk (TS 24.380 6.3). It has no
 * group key, but where it mixes.
 */
import type { FloorMessage } from "../../../bindings/floor-control/index.ts";
import type { GroupMediaKeys, MediaService } from "../../../bindings/media/index.ts";
import type { RandomSource } from "../../../bindings/random.ts";
import type { DatagramAddress, DatagramPort } from "../../../transport/datagram/ports.ts";
import type { Clock } from "../../../transport/sip/ports.ts";
import type { ControlKeys } from "../../client/mcx/control-keys.ts";
import type { SessionState } from "../admin/metrics.ts";
import { floorDeadline, floorStep } from "../floor/arbiter.ts";
import {
  DEFAULT_FLOOR_CONFIG,
  EMPTY_FLOOR,
  type FloorConfig,
  type FloorEvent,
  type FloorState,
} from "../floor/state.ts";
import { MediaRelay } from "../media/relay.ts";
import { FloorChannel, type FloorMulticast } from "./floor-channel.ts";
import { Mixer } from "./mixer.ts";
import type { ServerSsrcs } from "./server-ssrcs.ts";

export interface GroupSessionOptions {
  readonly groupUri: string;
  readonly service?: MediaService;
  /** Both are closed with the session. */
  readonly mediaPort: DatagramPort;
  readonly floorPort: DatagramPort;
  readonly multicast?: { readonly media: DatagramAddress; readonly floor: FloorMulticast };
  readonly floor?: Partial<FloorConfig>;
  /** Keys of the group for mixing, where the server has been given any; asked for again with each packet. */
  readonly keys?: () => GroupMediaKeys | undefined;
  readonly maxParticipants?: number;
  readonly ssrcs: ServerSsrcs;
  readonly clock: Clock;
  readonly random: RandomSource;
}

export interface SessionMember {
  /** MC service user ID. */
  readonly user: string;
  /** Where media and floor control of theirs come from and go to. */
  readonly media: DatagramAddress;
  readonly floor: DatagramAddress;
  readonly control: ControlKeys;
  readonly priority: number;
  readonly receiveOnly?: boolean;
}

export class GroupSession {
  readonly groupUri: string;
  readonly relay: MediaRelay;
  readonly #options: GroupSessionOptions;
  readonly #config: FloorConfig;
  readonly #channel: FloorChannel;
  #mixer: Mixer | undefined;
  #floor: FloorState = EMPTY_FLOOR;
  #cancel: (() => void) | undefined;

  constructor(options: GroupSessionOptions) {
    this.#options = options;
    const { groupUri, mediaPort, floorPort, multicast, maxParticipants, service = "mcptt" } = options;
    this.groupUri = groupUri;
    this.#config = { ...DEFAULT_FLOOR_CONFIG, ...options.floor };
    this.relay = new MediaRelay({
      port: mediaPort,
      ...(multicast && { multicast: multicast.media }),
      ...(maxParticipants !== undefined && { maxLegs: maxParticipants }),
      mayTalk: (user) => this.#floor.talks.some((talk) => talk.user === user),
      onMedia: (user) => this.#step({ type: "media", user }),
      mix: (user, packet) => this.#mix(user, packet),
    });
    this.#channel = new FloorChannel({
      port: floorPort,
      service,
      ssrcs: options.ssrcs,
      multicast: multicast?.floor,
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

  /** Who has the floor. */
  get talkers(): readonly string[] {
    return this.#floor.talks.map(({ user }) => user);
  }

  get state(): SessionState {
    const mixer = this.#mixer?.counters ?? { opened: 0, refused: 0, made: 0 };
    const floor = Object.entries(this.#channel.counters).map(([name, count]) => [`floor_${name}`, count]);
    const mixed = Object.entries(mixer).map(([name, count]) => [`mixer_${name}`, count]);
    return {
      groupUri: this.groupUri,
      participants: [...this.relay.legs.ids()],
      talkers: this.talkers,
      mixed: this.#options.keys?.() !== undefined,
      counters: {
        ...this.relay.counters,
        ...(Object.fromEntries([...floor, ...mixed]) as Record<string, number>),
      },
    };
  }

  /** Somebody whom signalling has authorised. Errors as `MediaLegs.add`; who is in it already comes from anew. */
  join({ user, media, floor, control, priority, receiveOnly }: SessionMember): void {
    this.leave(user);
    this.relay.legs.add(user, media);
    this.#channel.add(user, floor, control);
    const participant = { id: user, maxPriority: priority, ...(receiveOnly && { receiveOnly }) };
    this.#step({ type: "join", participant });
  }

  leave(user: string): void {
    if (!this.relay.legs.remove(user)) return;
    this.#channel.remove(user);
    this.#step({ type: "leave", user });
  }

  async close(): Promise<void> {
    this.#cancel?.();
    this.#mixer?.close();
    const { mediaPort, floorPort } = this.#options;
    await Promise.all([mediaPort.close(), floorPort.close()]);
  }

  #take(user: string, { name, priority = 0, mediaSsrc }: FloorMessage): void {
    if (name === "Floor Request") this.#step({ type: "request", user, priority, mediaSsrc });
    else if (name === "Floor Release") this.#step({ type: "release", user });
    else if (name === "Floor Queue Position Request") this.#step({ type: "position", user });
  }

  #step(event: FloorEvent): void {
    const { clock } = this.#options;
    const { state, messages } = floorStep(this.#floor, event, clock.now(), this.#config);
    this.#floor = state;
    for (const output of messages) this.#channel.say(output);
    this.#cancel?.();
    const deadline = floorDeadline(state, this.#config);
    this.#cancel =
      deadline === undefined
        ? undefined
        : clock.after(Math.max(deadline - clock.now(), 0), () => this.#step({ type: "time" }));
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
      law: "PCMA",
      participants: () => [...this.relay.legs.ids()],
      send: (to, sealed) => this.relay.legs.send(to, sealed),
      clock,
      random,
    });
    this.#mixer.take(user, packet);
    return true;
  }
}
