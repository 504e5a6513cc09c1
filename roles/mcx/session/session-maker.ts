/** Makes the calls of a server, each on two ports of its range, and takes the ports back. */
import { defined } from "../../../base/defined.ts";
import type { RandomSource } from "../../../base/random.ts";
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
  readonly config: Pick<McxConfig, "media" | "floor" | "speakers" | "limits">;
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
  readonly slot: number;
}

/** The facts of a single call. */
export type SessionFacts = Pick<
  GroupSessionOptions,
  | "groupUri"
  | "kind"
  | "multicast"
  | "keys"
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

  /** @throws {MikeySakkeError} usage `TOO_MANY_SESSIONS`; what `openPort` throws */
  async make(factsOf: (slot: number) => SessionFacts): Promise<MadeSession> {
    const { config, openPort, connections, clock, random } = this.#options;
    const { fence = (port: DatagramPort) => port } = this.#options;
    const slot = this.#takeSlot();
    const ports: DatagramPort[] = [];
    try {
      const { firstPort } = config.media;
      for (const i of [0, 1]) ports.push(await openPort(firstPort === 0 ? 0 : firstPort + 2 * slot + i));
    } catch (error) {
      this.#slots.delete(slot);
      await Promise.all(ports.map((port) => port.close()));
      throw error;
    }
    const joined = new SessionPorts(ports[0]!, ports[1]!, connections);
    const facts = factsOf(slot);
    const { talkLimit, stopGrace, endOfMedia, maxQueue, preemptFrom, messagesPerSecond } = config.floor;
    const session = new GroupSession({
      maxParticipants: config.limits.participants,
      ...facts,
      mediaPort: fence(joined.media),
      floorPort: fence(joined.floor),
      floor: {
        talkLimit: talkLimit * 1000,
        stopGrace: stopGrace * 1000,
        endOfMedia: endOfMedia * 1000,
        maxQueue,
        preemptFrom,
        // Each side of a private call hears one other.
        speakers: facts.kind === "private" ? 1 : config.speakers,
      },
      messageRate: { perSecond: messagesPerSecond, burst: BURST_SECONDS * messagesPerSecond },
      own: this.#own,
      ssrcs: this.#ssrcs,
      clock,
      random,
    });
    return { session, ports: joined, slot };
  }

  async close({ session, slot }: Pick<MadeSession, "session" | "slot">): Promise<void> {
    await session.close();
    this.#slots.delete(slot);
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

  #takeSlot(): number {
    const { media, limits } = this.#options.config;
    const ports = media.firstPort === 0 ? Number.POSITIVE_INFINITY : media.lastPort - media.firstPort + 1;
    const most = Math.min(limits.sessions, Math.floor(ports / 2));
    if (this.#slots.size >= most) {
      throw refused("TOO_MANY_SESSIONS", `${most} calls at most`);
    }
    let slot = 0;
    while (this.#slots.has(slot)) slot++;
    this.#slots.add(slot);
    return slot;
  }
}

/** Adds counters to those of other calls. */
export function addedTo(
  totals: Record<string, number>,
  counters: Readonly<Record<string, number>>,
): Record<string, number> {
  for (const [name, count] of Object.entries(counters)) totals[name] = (totals[name] ?? 0) + count;
  return totals;
}
