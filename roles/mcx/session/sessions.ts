/** The calls of all groups: made when the first member joins, gone when the last has left. */
import { defined } from "../../../base/defined.ts";
import type { DeliveredKey } from "../../../bindings/index.ts";
import type { GroupMediaKeys, IndexBlocks } from "../../../bindings/media/index.ts";
import { type CallDescription, G711, isSameFormat, type SpeechFormat } from "../../../documents/sdp/call.ts";
import type { SipSession } from "../../../transport/sip/index.ts";
import type { ControlKeys } from "../../call/control-keys.ts";
import type { SessionState } from "../admin/metrics.ts";
import type { GroupDirectory } from "../common/directory.ts";
import { refused } from "../common/errors.ts";
import type { SessionPorts } from "../media/session-ports.ts";
import type { CallLog, LoggedCall } from "./call-log.ts";
import type { GroupSession, SessionMember } from "./group-session.ts";
import { addedTo, SessionMaker, type SessionMakerOptions } from "./session-maker.ts";

export interface SessionsOptions extends SessionMakerOptions {
  readonly directory: GroupDirectory;
  /** Keys of groups that are to be mixed. */
  readonly keysOf: (groupUri: string) => GroupMediaKeys | undefined;
  /** The indexes that mixed media are sent under; drawn when absent. */
  readonly blocks?: IndexBlocks;
  /** The key of multicast, where there is multicast. */
  readonly musik?: DeliveredKey | undefined;
  /** A member has asked for the floor with an emergency. */
  readonly emergency?: (groupUri: string, user: string) => void;
  /** Keeps what is known of each call beyond its end. */
  readonly callLog?: CallLog;
  /** Somebody has joined the call of a group or left it, or it is over. */
  readonly changed?: (groupUri: string) => void;
  /** The call of a group has ended, and its sockets are closed. */
  readonly ended?: (groupUri: string) => void;
}

export interface JoiningMember extends SessionMember {
  /** In place of the addresses: the answer says where the client connects to. */
  readonly webSocket?: boolean;
  /** The formats of speech that the client has, the preferred one first. G.711 when absent. */
  readonly speech?: readonly SpeechFormat[];
  /** How many the group lets be in a call, this one included. */
  readonly maxParticipants?: number;
  /** Seconds without anybody who talks after which the call ends; it goes on when absent. */
  readonly hangTimer?: number;
}

interface Participant {
  /** The client that the user is in it with. */
  readonly client: ControlKeys;
  /** Once it is there. */
  dialog: SipSession | undefined;
}

interface Call {
  readonly session: GroupSession;
  readonly ports: SessionPorts;
  readonly slot: number;
  /**
   * The one format of all, chosen with the first who joined: what one says goes to all others as it is, and the payload
   * type is part of what SRTP authenticates.
   */
  speech: SpeechFormat | undefined;
  /** The record of the call, once somebody is in it and where there is a log. */
  logged: LoggedCall | undefined;
  /** By user: another client of theirs takes the place of the first. */
  readonly participants: Map<string, Participant>;
}

export class GroupSessions {
  readonly #options: SessionsOptions;
  /** For other calls of the server too: they share its ports. */
  readonly maker: SessionMaker;
  readonly #calls = new Map<string, Promise<Call>>();
  /** The calls that are open, for lookups that cannot wait. */
  readonly #open = new Map<string, Call>();
  readonly #ended: Record<string, number> = {};
  readonly #unsubscribe: () => void;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.maker = new SessionMaker(options);
    this.#unsubscribe = options.directory.onChange((group) => void this.#check(group));
  }

  groups(): string[] {
    return [...this.#open.keys()];
  }

  /** The participants of a group's call; undefined where the group has none here. */
  participants(groupUri: string): readonly string[] | undefined {
    const call = this.#open.get(groupUri);
    return call && [...call.participants.keys()];
  }

  states(): SessionState[] {
    return [...this.#open.values()].map(({ session }) => session.state);
  }

  /** Counters of all sessions, those that have ended included. */
  totals(): Record<string, number> {
    const totals = { ...this.#ended };
    for (const { counters } of this.states()) addedTo(totals, counters);
    return totals;
  }

  /**
   * The answer to who joins. Errors as `GroupSession.join`, and usage `TOO_MANY_SESSIONS`, `NO_WEB_SOCKET`,
   * `CALL_FULL` and `NO_COMMON_SPEECH`.
   */
  async join(groupUri: string, member: JoiningMember): Promise<CallDescription> {
    const { user, webSocket } = member;
    if (webSocket && this.#options.connections === undefined) {
      throw refused("NO_WEB_SOCKET", "media are not taken over WebSockets here");
    }
    for (;;) {
      const call = await this.#call(groupUri);
      // It may have ended meanwhile.
      if (this.#open.get(groupUri) !== call) continue;
      const before = call.participants.get(user)?.dialog;
      const leg = webSocket ? call.ports.connect() : undefined;
      try {
        requireRoom(groupUri, call, member);
        const speech = this.#speechOf(groupUri, call, member.speech ?? G711);
        call.session.join(leg === undefined ? member : { ...member, media: leg.address, floor: leg.address });
        call.speech = speech;
        call.session.hangAfter(member.hangTimer === undefined ? undefined : member.hangTimer * 1000);
      } catch (error) {
        leg?.close();
        // Participants who are in the call already stay in it.
        if (call.participants.size === 0) void this.#end(groupUri, call);
        throw error;
      }
      call.ports.enter(user, leg);
      call.participants.set(user, { client: member.control, dialog: undefined });
      call.logged ??= this.#options.callLog?.begin(groupUri);
      call.logged?.attended(call.participants.size);
      this.#options.changed?.(groupUri);
      if (before !== undefined) void before.bye();
      return this.#describe(call, member, leg?.uri);
    }
  }

  /** Speech that is mixed has to be decoded, which is done for G.711. */
  #speechOf(groupUri: string, call: Call, offered: readonly SpeechFormat[]): SpeechFormat {
    const isMixed = this.#options.keysOf(groupUri) !== undefined;
    const chosen = call.participants.size === 0 ? undefined : call.speech;
    const possible = offered.filter((one) =>
      chosen === undefined ? !isMixed || isG711(one) : isSameFormat(one, chosen),
    );
    const [first] = possible;
    if (first !== undefined) return chosen ?? first;
    const needed =
      chosen === undefined ? "G.711, as the server mixes" : `${chosen.encoding} as type ${chosen.type}`;
    throw refused("NO_COMMON_SPEECH", `the call is in ${needed}, which is not offered`);
  }

  /** The SIP session that the answer has begun. */
  opened(groupUri: string, user: string, dialog: SipSession): void {
    const participant = this.#open.get(groupUri)?.participants.get(user);
    if (participant !== undefined && participant.dialog === undefined) participant.dialog = dialog;
    else void dialog.bye();
  }

  /** A participant has hung up; with `client`, nothing happens unless they were in the call with that one. */
  leave(groupUri: string, user: string, client?: ControlKeys): void {
    const call = this.#open.get(groupUri);
    const participant = call?.participants.get(user);
    if (call === undefined || participant === undefined) return;
    if (client !== undefined && participant.client !== client) return;
    call.participants.delete(user);
    call.session.leave(user);
    call.ports.enter(user, undefined);
    if (call.participants.size === 0) void this.#end(groupUri, call);
    else this.#options.changed?.(groupUri);
  }

  /** A client that is put out, of all calls. */
  remove(user: string, client: ControlKeys): void {
    for (const group of this.groups()) {
      if (this.#open.get(group)?.participants.get(user)?.client === client) this.#putOut(group, user);
    }
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    const dialogs = await this.endAll();
    await Promise.all(dialogs.map((dialog) => dialog.bye()));
  }

  /** Ends all calls here. Gives the SIP sessions, whose clients are still to be told. */
  async endAll(): Promise<readonly SipSession[]> {
    await Promise.all([...this.#calls.values()].map((call) => call.catch(() => undefined)));
    const all = [...this.#open];
    const dialogs = all.flatMap(([, { participants }]) =>
      [...participants.values()].map((one) => one.dialog),
    );
    await Promise.all(all.map(([group, call]) => this.#end(group, call)));
    return dialogs.filter((dialog) => dialog !== undefined);
  }

  #putOut(groupUri: string, user: string): void {
    const dialog = this.#open.get(groupUri)?.participants.get(user)?.dialog;
    this.leave(groupUri, user);
    void dialog?.bye();
  }

  /** T4 is over (TS 24.380 6.3.4.3.5, TS 24.379 6.3.8.1). */
  #hangUp(groupUri: string): void {
    for (const user of this.#open.get(groupUri)?.participants.keys() ?? []) this.#putOut(groupUri, user);
  }

  /** Members may have been removed, or the service or the protection of calls taken from the group. */
  async #check(groupUri: string): Promise<void> {
    const { directory } = this.#options;
    for (const user of this.#open.get(groupUri)?.participants.keys() ?? []) {
      const member = await directory.member(groupUri, user).catch(() => undefined);
      const { services, unprotected = [] } = member?.group ?? {};
      const mayBeIn =
        member !== undefined && services?.includes("mcptt") !== false && unprotected.length === 0;
      if (!mayBeIn) this.#putOut(groupUri, user);
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
    const { keysOf, blocks } = this.#options;
    const { session, ports, slot } = await this.maker.make((at) => {
      const multicast = this.#multicastOf(at);
      return {
        groupUri,
        ...defined({ multicast }),
        keys: () => (call.speech === undefined || isG711(call.speech) ? keysOf(groupUri) : undefined),
        blocks,
        onHang: () => this.#hangUp(groupUri),
        onEmergency: (user) => this.#options.emergency?.(groupUri, user),
        onTalkers: (users) => call.logged?.talking(users),
      };
    });
    const call: Call = {
      session,
      ports,
      slot,
      speech: undefined,
      logged: undefined,
      participants: new Map(),
    };
    this.#open.set(groupUri, call);
    return call;
  }

  #multicastOf(slot: number) {
    const { config, musik } = this.#options;
    const { multicast } = config.media;
    if (multicast === undefined || musik === undefined) return undefined;
    const host = nextAddress(multicast.firstAddress, slot);
    const media = { host, port: multicast.port };
    return { media, floor: { address: { host, port: multicast.port + 1 }, musik } };
  }

  #describe(
    { session, slot, speech }: Call,
    { queueing }: JoiningMember,
    uri: string | undefined,
  ): CallDescription {
    const { config } = this.#options;
    const multicast = this.#multicastOf(slot);
    return {
      ...this.maker.describe(session, queueing),
      ...(speech && { speech: [speech] }),
      ...(config.speakers > 1 && { multiTalker: true }),
      ...(uri === undefined
        ? multicast && { multicast: { media: multicast.media, floor: multicast.floor.address } }
        : { webSocket: { uri } }),
    };
  }

  async #end(groupUri: string, call: Call): Promise<void> {
    if (this.#open.get(groupUri) !== call) return;
    this.#open.delete(groupUri);
    this.#calls.delete(groupUri);
    call.logged?.end();
    this.#options.changed?.(groupUri);
    addedTo(this.#ended, call.session.state.counters);
    await this.maker.close(call);
    this.#options.ended?.(groupUri);
  }
}

function isG711(one: SpeechFormat): boolean {
  return G711.some((format) => isSameFormat(one, format));
}

/** The n-th IPv4 address after this one. */
function nextAddress(first: string, n: number): string {
  const number = first.split(".").reduce((sum, part) => sum * 256 + Number(part), 0) + n;
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}

/** A participant who joins again keeps their place. */
function requireRoom(
  groupUri: string,
  { participants }: Call,
  { user, maxParticipants }: JoiningMember,
): void {
  if (maxParticipants === undefined || participants.has(user) || participants.size < maxParticipants) return;
  const text = `${groupUri}: ${maxParticipants} may be in a call of the group`;
  throw refused("CALL_FULL", text);
}
