/** The calls of all groups: made when the first member joins, gone when the last has left. */
import { MikeySakkeError } from "../../../bindings/errors.ts";
import type { DeliveredKey } from "../../../bindings/index.ts";
import type { GroupMediaKeys } from "../../../bindings/media/index.ts";
import type { RandomSource } from "../../../bindings/random.ts";
import type { DatagramPort } from "../../../transport/datagram/ports.ts";
import type { CallDescription } from "../../../transport/sdp/call.ts";
import type { Clock, SipSession } from "../../../transport/sip/index.ts";
import type { ControlKeys } from "../../client/mcx/control-keys.ts";
import type { SessionState } from "../admin/metrics.ts";
import type { McxConfig } from "../config.ts";
import type { GroupDirectory } from "../directory.ts";
import { GroupSession, type SessionMember } from "./group-session.ts";
import { ServerSsrcs } from "./server-ssrcs.ts";

/** Opens a socket for media or floor control; a port of 0 is any. */
export type OpenPort = (port: number) => Promise<DatagramPort>;

export interface SessionsOptions {
  readonly config: Pick<McxConfig, "media" | "floor" | "speakers" | "limits">;
  readonly openPort: OpenPort;
  readonly directory: GroupDirectory;
  /** Keys of groups that are to be mixed. */
  readonly keysOf: (groupUri: string) => GroupMediaKeys | undefined;
  /** Where there is multicast. */
  readonly musik?: DeliveredKey | undefined;
  readonly clock: Clock;
  readonly random: RandomSource;
}

interface Participant {
  /** The client that the user is in it with. */
  readonly client: ControlKeys;
  /** Once it is there. */
  dialog: SipSession | undefined;
}

interface Call {
  readonly session: GroupSession;
  readonly slot: number;
  /** By user: another client of theirs takes the place of the first. */
  readonly participants: Map<string, Participant>;
}

export class GroupSessions {
  readonly #options: SessionsOptions;
  readonly #ssrcs: ServerSsrcs;
  readonly #calls = new Map<string, Promise<Call>>();
  /** Those that are open, for what cannot wait. */
  readonly #open = new Map<string, Call>();
  readonly #slots = new Set<number>();
  readonly #ended: Record<string, number> = {};
  readonly #unsubscribe: () => void;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#ssrcs = new ServerSsrcs(options.random);
    this.#unsubscribe = options.directory.onChange((group) => void this.#check(group));
  }

  groups(): string[] {
    return [...this.#open.keys()];
  }

  states(): SessionState[] {
    return [...this.#open.values()].map(({ session }) => session.state);
  }

  /** Counters of all sessions, those that have ended included. */
  totals(): Record<string, number> {
    const totals = { ...this.#ended };
    for (const { counters } of this.states()) addTo(totals, counters);
    return totals;
  }

  /** The answer to who joins. Errors as `GroupSession.join`, and usage `TOO_MANY_SESSIONS`. */
  async join(groupUri: string, member: SessionMember): Promise<CallDescription> {
    const { user } = member;
    for (;;) {
      const call = await this.#call(groupUri);
      // It may have ended meanwhile.
      if (this.#open.get(groupUri) !== call) continue;
      const before = call.participants.get(user)?.dialog;
      call.participants.set(user, { client: member.control, dialog: undefined });
      try {
        call.session.join(member);
      } catch (error) {
        this.leave(groupUri, user);
        void before?.bye();
        throw error;
      }
      if (before !== undefined) void before.bye();
      return this.#describe(call);
    }
  }

  /** The SIP session that the answer has begun. */
  opened(groupUri: string, user: string, dialog: SipSession): void {
    const participant = this.#open.get(groupUri)?.participants.get(user);
    if (participant !== undefined && participant.dialog === undefined) participant.dialog = dialog;
    else void dialog.bye();
  }

  /** Who left by himself; with `client`, only if he was in the call with that one. */
  leave(groupUri: string, user: string, client?: ControlKeys): void {
    const call = this.#open.get(groupUri);
    const participant = call?.participants.get(user);
    if (call === undefined || participant === undefined) return;
    if (client !== undefined && participant.client !== client) return;
    call.participants.delete(user);
    call.session.leave(user);
    if (call.participants.size === 0) void this.#end(groupUri, call);
  }

  /** A client that is put out, of all calls. */
  remove(user: string, client: ControlKeys): void {
    for (const group of this.groups()) {
      if (this.#open.get(group)?.participants.get(user)?.client === client) this.#putOut(group, user);
    }
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    await Promise.all([...this.#calls.values()].map((call) => call.catch(() => undefined)));
    const ends = [...this.#open].flatMap(([group, call]) => {
      const byes = [...call.participants.values()].map(({ dialog }) => dialog?.bye());
      return [...byes, this.#end(group, call)];
    });
    await Promise.all(ends);
  }

  #putOut(groupUri: string, user: string): void {
    const dialog = this.#open.get(groupUri)?.participants.get(user)?.dialog;
    this.leave(groupUri, user);
    void dialog?.bye();
  }

  /** Members may have been removed. */
  async #check(groupUri: string): Promise<void> {
    const { directory } = this.#options;
    for (const user of this.#open.get(groupUri)?.participants.keys() ?? []) {
      const member = await directory.member(groupUri, user).catch(() => undefined);
      if (member === undefined) this.#putOut(groupUri, user);
    }
  }

  #call(groupUri: string): Promise<Call> {
    const known = this.#calls.get(groupUri);
    if (known !== undefined) return known;
    const call = this.#make(groupUri);
    this.#calls.set(groupUri, call);
    call.catch(() => this.#calls.delete(groupUri));
    return call;
  }

  async #make(groupUri: string): Promise<Call> {
    const { config, openPort, keysOf, clock, random } = this.#options;
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
    const [mediaPort, floorPort] = ports as [DatagramPort, DatagramPort];
    const multicast = this.#multicastOf(slot);
    const { talkLimit, stopGrace, endOfMedia, maxQueue, preemptFrom } = config.floor;
    const session = new GroupSession({
      groupUri,
      mediaPort,
      floorPort,
      ...(multicast && { multicast }),
      floor: {
        talkLimit: talkLimit * 1000,
        stopGrace: stopGrace * 1000,
        endOfMedia: endOfMedia * 1000,
        maxQueue,
        preemptFrom,
        speakers: config.speakers,
      },
      keys: () => keysOf(groupUri),
      maxParticipants: config.limits.participants,
      ssrcs: this.#ssrcs,
      clock,
      random,
    });
    const call: Call = { session, slot, participants: new Map() };
    this.#open.set(groupUri, call);
    return call;
  }

  #takeSlot(): number {
    const { media, limits } = this.#options.config;
    const ports = media.firstPort === 0 ? Number.POSITIVE_INFINITY : media.lastPort - media.firstPort + 1;
    const most = Math.min(limits.sessions, Math.floor(ports / 2));
    if (this.#slots.size >= most) {
      throw new MikeySakkeError("usage", "TOO_MANY_SESSIONS", `${most} groups with a call at most`);
    }
    let slot = 0;
    while (this.#slots.has(slot)) slot++;
    this.#slots.add(slot);
    return slot;
  }

  #multicastOf(slot: number) {
    const { config, musik } = this.#options;
    const { multicast } = config.media;
    if (multicast === undefined || musik === undefined) return undefined;
    const host = nextAddress(multicast.firstAddress, slot);
    const media = { host, port: multicast.port };
    return { media, floor: { address: { host, port: multicast.port + 1 }, musik } };
  }

  #describe({ session, slot }: Call): CallDescription {
    const { config } = this.#options;
    const host = config.media.advertisedHost ?? config.media.host;
    const multicast = this.#multicastOf(slot);
    return {
      media: { host, port: session.ports.media },
      floor: { host, port: session.ports.floor },
      ...(config.speakers > 1 && { multiTalker: true }),
      ...(multicast && { multicast: { media: multicast.media, floor: multicast.floor.address } }),
    };
  }

  async #end(groupUri: string, call: Call): Promise<void> {
    if (this.#open.get(groupUri) !== call) return;
    this.#open.delete(groupUri);
    this.#calls.delete(groupUri);
    addTo(this.#ended, call.session.state.counters);
    await call.session.close();
    this.#slots.delete(call.slot);
  }
}

function addTo(totals: Record<string, number>, counters: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counters)) totals[name] = (totals[name] ?? 0) + count;
}

/** The n-th IPv4 address after this one. */
function nextAddress(first: string, n: number): string {
  const number = first.split(".").reduce((sum, part) => sum * 256 + Number(part), 0) + n;
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}
