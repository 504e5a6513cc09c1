/** Makes the calls of a server, each on two ports of its range, and takes the ports back. */
import { defined } from "../../../base/defined.ts";
import type { RandomSource } from "../../../base/random.ts";
import type { MediaService } from "../../../bindings/media/index.ts";
import type { CallDescription } from "../../../documents/sdp/call.ts";
import type { DatagramPort } from "../../../transport/datagram/ports.ts";
import type { Clock } from "../../../transport/sip/index.ts";
import type { McxConfig } from "../common/config.ts";
import { refused } from "../common/errors.ts";
import { OwnSockets } from "../media/own-sockets.ts";
import { type LegConnections, SessionPorts } from "../media/session-ports.ts";
import { GroupSession, type GroupSessionOptions } from "./group-session.ts";
import { ServerSsrcs } from "./server-ssrcs.ts";

/** Opens a socket for media or floor control; a port of 0 is any. */
export type OpenPort = (port: number) => Promise<DatagramPort>;

export interface SessionMakerOptions {
  readonly config: Pick<McxConfig, "media" | "floor" | "video" | "speakers" | "limits">;
  readonly openPort: OpenPort;
  /** Makes a port of a call serve only while this process may. */
  readonly fence?: (port: DatagramPort) => DatagramPort;
  /** For legs over WebSockets; without it there are none. */
  readonly connections?: LegConnections | undefined;
  /** Ports of the server's other sockets, which no media may be pointed at. */
  readonly otherPorts?: () => Iterable<number | undefined>;
  readonly clock: Clock;
  readonly random: RandomSource;
}

export interface MadeSession {
  readonly session: GroupSession;
  readonly ports: SessionPorts;
  /** Each stands for two ports of the range. */
  readonly slots: readonly number[];
}

/** The facts of a single call. */
export type SessionFacts = Pick<
  GroupSessionOptions,
  | "groupUri"
  | "kind"
  | "multicast"
  | "keys"
  | "speech"
  | "blocks"
  | "maxParticipants"
  | "onHang"
  | "onEmergency"
  | "onTalkers"
>;

/** Messages of a quick change of mind come together. */
const BURST_SECONDS = 3;

export class SessionMaker {
  readonly #options: SessionMakerOptions;
  readonly #ssrcs: ServerSsrcs;
  readonly #own: OwnSockets;
  readonly #slots = new Set<number>();

  constructor(options: SessionMakerOptions) {
    this.#options = options;
    this.#ssrcs = new ServerSsrcs(options.random);
    const { config, otherPorts, clock } = options;
    this.#own = new OwnSockets({
      advertised: [config.media.host, config.media.advertisedHost],
      ...defined({ otherPorts }),
      now: () => clock.now(),
    });
  }

  /**
   * A call of MCVideo, by its facts, has a third port for audio, and so twice the ports of others.
   *
   * @throws {MikeySakkeError} usage `TOO_MANY_SESSIONS`; what `openPort` throws
   */
  async make(factsOf: (slot: number) => SessionFacts, service: MediaService = "mcptt"): Promise<MadeSession> {
    const { config, connections, clock, random } = this.#options;
    const { fence = (port: DatagramPort) => port } = this.#options;
    const isVideo = service === "mcvideo";
    const slots = this.#takeSlots(isVideo ? 2 : 1);
    const [media, floor, voice] = await this.#open(slots, isVideo ? 3 : 2);
    const joined = new SessionPorts(media!, floor!, connections);
    const facts = factsOf(slots[0]!);
    const { talkLimit, stopGrace, endOfMedia, maxQueue, preemptFrom, messagesPerSecond } = config.floor;
    const { transmitLimit, transmitters, reception, packetsPerSecond } = config.video;
    const session = new GroupSession({
      maxParticipants: config.limits.participants,
      ...facts,
      service,
      mediaPort: fence(joined.media),
      floorPort: fence(joined.floor),
      voicePort: voice && fence(voice),
      ...(isVideo && {
        video: {
          isReceptionAutomatic: reception === "automatic",
          packets: { perSecond: packetsPerSecond, burst: packetsPerSecond },
        },
      }),
      floor: {
        talkLimit: (isVideo ? transmitLimit : talkLimit) * 1000,
        stopGrace: stopGrace * 1000,
        endOfMedia: endOfMedia * 1000,
        maxQueue,
        preemptFrom,
        // Each side of a private call hears one other.
        speakers: facts.kind === "private" ? 1 : isVideo ? transmitters : config.speakers,
      },
      messageRate: { perSecond: messagesPerSecond, burst: BURST_SECONDS * messagesPerSecond },
      own: this.#own,
      ssrcs: this.#ssrcs,
      clock,
      random,
    });
    return { session, ports: joined, slots };
  }

  async close({ session, slots }: Pick<MadeSession, "session" | "slots">): Promise<void> {
    await session.close();
    for (const slot of slots) this.#slots.delete(slot);
  }

  async #open(slots: readonly number[], count: number): Promise<DatagramPort[]> {
    const { config, openPort } = this.#options;
    const { firstPort } = config.media;
    const ports: DatagramPort[] = [];
    try {
      for (let i = 0; i < count; i++) {
        const slot = slots[Math.floor(i / 2)]!;
        ports.push(await openPort(firstPort === 0 ? 0 : firstPort + 2 * slot + (i % 2)));
      }
      return ports;
    } catch (error) {
      for (const slot of slots) this.#slots.delete(slot);
      await Promise.all(ports.map((port) => port.close()));
      throw error;
    }
  }

  /** Returns the addresses to which a client sends, and whether its requests for the floor may wait. */
  describe({ ports }: GroupSession, queueing = true): Pick<CallDescription, "media" | "floor" | "queueing"> {
    const { media, floor } = this.#options.config;
    const host = media.advertisedHost ?? media.host;
    return {
      media: { host, port: ports.media },
      floor: { host, port: ports.floor },
      queueing: queueing && floor.maxQueue > 0,
    };
  }

  #takeSlots(count: number): number[] {
    const { media, limits } = this.#options.config;
    const ports = media.firstPort === 0 ? Number.POSITIVE_INFINITY : media.lastPort - media.firstPort + 1;
    const most = Math.min(limits.sessions, Math.floor(ports / 2));
    if (this.#slots.size + count > most) {
      throw refused("TOO_MANY_SESSIONS", `${most} calls at most`);
    }
    return Array.from({ length: count }, () => {
      let slot = 0;
      while (this.#slots.has(slot)) slot++;
      this.#slots.add(slot);
      return slot;
    });
  }
}
