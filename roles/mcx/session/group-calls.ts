/** The calls of all groups of one service: made when the first member joins, gone when the last has left. */
import { type Clock, Timer } from "../../../base/clock.ts";
import { MEDIA } from "../../../documents/group-xml/index.ts";
import type { SipSession } from "../../../transport/sip/index.ts";
import type { ControlKeys } from "../../call/control-keys.ts";
import type { SessionState } from "../admin/metrics.ts";
import { CALL_PROTECTIONS, type CallService, type GroupDirectory } from "../common/directory.ts";
import { refused } from "../common/errors.ts";
import { addedTo } from "../common/totals.ts";
import type { SessionPorts } from "../media/session-ports.ts";
import type { CallLog, LoggedCall } from "./call-log.ts";
import type { GroupSession, SessionMember } from "./group-session.ts";
import type { SessionFacts, SessionMaker } from "./session-maker.ts";

export interface GroupCallsOptions {
  readonly clock: Clock;
  readonly directory: GroupDirectory;
  /** Keeps what is known of each call beyond its end. */
  readonly callLog?: CallLog;
  /** Somebody has joined the call of a group or left it, or it is over. */
  readonly changed?: (groupUri: string) => void;
  /** The call of a group has ended, and its sockets are closed. */
  readonly ended?: (groupUri: string) => void;
}

export interface CallMember extends SessionMember {
  /** Tells the server's descriptions for this member apart from others. */
  readonly sdpId: number;
  /** Whether media come over a WebSocket in place of the addresses: the answer says where the client connects to. */
  readonly webSocket?: boolean;
  /** How many the group lets be in a call, this one included. */
  readonly maxParticipants?: number;
  /** Seconds without anybody who talks after which the call ends; it goes on when absent. */
  readonly hangTimer?: number;
}

export interface Participant<M, F> {
  readonly member: M;
  /** URI of their leg, where it is over a WebSocket. */
  readonly uri: string | undefined;
  /** The SIP session of the participant; undefined until the answer has begun it. */
  dialog: SipSession | undefined;
  /** The format that they were told last, in the description of that version. */
  told: F;
  version: number;
}

/**
 * Milliseconds after a member has left until the others go back to a format that this member did not have: who joins again at
 * once, as after a broken connection, changes nothing.
 */
const REGAINED_MS = 10_000;

/** `M`: who is in it. `F`: what all members agree on. */
export interface Call<M, F> {
  readonly session: GroupSession;
  readonly ports: SessionPorts;
  readonly slots: readonly number[];
  /**
   * The format of all: what one sends goes to all others as it is, and the payload type is part of what SRTP authenticates.
   */
  format: F | undefined;
  /** Tells the participants of a format that all have again. */
  readonly regained: Timer;
  /** The record of the call, once somebody is in it and where there is a log. */
  logged: LoggedCall | undefined;
  /** The participants by user, each with one client: another one takes the place of the first. */
  readonly participants: Map<string, Participant<M, F>>;
}

/** `M`: who joins. `A`: the answer to them. */
export abstract class GroupCalls<M extends CallMember, F, A> {
  /** Other calls of the server are made with it too, as they share its ports. */
  readonly maker: SessionMaker;
  readonly #options: GroupCallsOptions;
  readonly #service: CallService;
  readonly #calls = new Map<string, Promise<Call<M, F>>>();
  /** The calls that are open, for lookups that cannot wait. */
  readonly #open = new Map<string, Call<M, F>>();
  readonly #ended: Record<string, number> = {};
  readonly #unsubscribe: () => void;

  protected constructor(service: CallService, maker: SessionMaker, options: GroupCallsOptions) {
    this.#options = options;
    this.#service = service;
    this.maker = maker;
    this.#unsubscribe = options.directory.onChange((group) => void this.#check(group));
  }

  /** Throws where the member has none of the formats of the call. */
  protected abstract formatOf(groupUri: string, call: Call<M, F>, member: M): F;
  /** The format of a call that somebody has left: the one of before, unless another is better. */
  protected formatLeft(call: Call<M, F>): F | undefined {
    return call.format;
  }

  /** The description in which a participant is offered the format of the call; undefined: it is the one that they know. */
  protected changeFor(_call: Call<M, F>, _participant: Participant<M, F>): Uint8Array | undefined {
    return undefined;
  }

  /** The member's part in the call: with all that they offer, unless a format says otherwise. */
  protected partOf(member: M, _format: F): SessionMember {
    return member;
  }

  protected abstract factsOf(groupUri: string, slot: number, call: () => Call<M, F>): SessionFacts;
  protected abstract describe(call: Call<M, F>, member: M, webSocketUri: string | undefined): A;

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
   * Returns the answer to who joins; others are told where the format changes for them. Errors as `GroupSession.join` and
   * `formatOf`, and usage `TOO_MANY_SESSIONS`, `NO_WEB_SOCKET` and `CALL_FULL`.
   */
  async join(groupUri: string, member: M): Promise<A> {
    const { user, webSocket } = member;
    for (;;) {
      const call = await this.#call(groupUri);
      // It may have ended meanwhile.
      if (this.#open.get(groupUri) !== call) continue;
      const before = call.participants.get(user)?.dialog;
      const leg = webSocket ? call.ports.connect() : undefined;
      try {
        if (webSocket && leg === undefined) {
          throw refused("NO_WEB_SOCKET", "media are not taken over WebSockets here");
        }
        requireRoom(groupUri, call, member);
        const format = this.formatOf(groupUri, call, member);
        const part = this.partOf(member, format);
        call.session.join(leg === undefined ? part : { ...part, media: leg.address, floor: leg.address });
        call.format = format;
        call.session.hangAfter(member.hangTimer === undefined ? undefined : member.hangTimer * 1000);
      } catch (error) {
        leg?.close();
        // Participants who are in the call already stay in it.
        if (call.participants.size === 0) void this.#end(groupUri, call);
        throw error;
      }
      call.ports.enter(user, leg);
      const participant = { member, uri: leg?.uri, dialog: undefined, told: call.format!, version: 1 };
      call.participants.set(user, participant);
      this.#tell(call);
      call.logged ??= this.#options.callLog?.begin(groupUri);
      call.logged?.attended(call.participants.size);
      this.#options.changed?.(groupUri);
      if (before !== undefined) void before.bye();
      return this.describe(call, member, leg?.uri);
    }
  }

  /** The SIP session that the answer has begun. */
  opened(groupUri: string, user: string, dialog: SipSession): void {
    const call = this.#open.get(groupUri);
    const participant = call?.participants.get(user);
    if (call === undefined || participant === undefined || participant.dialog !== undefined) {
      void dialog.bye();
      return;
    }
    participant.dialog = dialog;
    this.#tell(call);
  }

  /**
   * Offers the format of the call to all who know another one. One who does not take it stays, and is heard by those who have the
   * format that they send.
   */
  #tell(call: Call<M, F>): void {
    for (const participant of call.participants.values()) {
      const { dialog } = participant;
      const body = dialog && this.changeFor(call, participant);
      if (body === undefined) continue;
      participant.told = call.format!;
      participant.version++;
      void dialog!.offer({ contentType: MEDIA.sdp, body });
    }
  }

  /** A participant has hung up; with `client`, nothing happens unless they were in the call with that one. */
  leave(groupUri: string, user: string, client?: ControlKeys): void {
    const call = this.#open.get(groupUri);
    const participant = call?.participants.get(user);
    if (call === undefined || participant === undefined) return;
    if (client !== undefined && participant.member.control !== client) return;
    call.participants.delete(user);
    call.session.leave(user);
    call.ports.enter(user, undefined);
    if (call.participants.size === 0) void this.#end(groupUri, call);
    else {
      call.format = this.formatLeft(call);
      call.regained.set(REGAINED_MS, () => this.#tell(call));
      this.#options.changed?.(groupUri);
    }
  }

  /** A client that is put out, of all calls. */
  remove(user: string, client: ControlKeys): void {
    for (const group of this.groups()) {
      if (this.#open.get(group)?.participants.get(user)?.member.control === client) this.#putOut(group, user);
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
    const protections: readonly string[] = CALL_PROTECTIONS[this.#service];
    for (const user of this.#open.get(groupUri)?.participants.keys() ?? []) {
      const member = await directory.member(groupUri, user).catch(() => undefined);
      const { services, unprotected = [] } = member?.group ?? {};
      const mayBeIn =
        member !== undefined &&
        services?.includes(this.#service) !== false &&
        !unprotected.some((element) => protections.includes(element));
      if (!mayBeIn) this.#putOut(groupUri, user);
    }
  }

  #call(groupUri: string): Promise<Call<M, F>> {
    const known = this.#calls.get(groupUri);
    if (known !== undefined) return known;
    const call = this.#make(groupUri);
    this.#calls.set(groupUri, call);
    call.catch(() => this.#calls.delete(groupUri));
    return call;
  }

  async #make(groupUri: string): Promise<Call<M, F>> {
    const made = await this.maker.make(
      (slot) => ({
        ...this.factsOf(groupUri, slot, () => call),
        onHang: () => this.#hangUp(groupUri),
        onTalkers: (users) => call.logged?.talking(users),
      }),
      this.#service,
    );
    const call: Call<M, F> = {
      ...made,
      format: undefined,
      regained: new Timer(this.#options.clock),
      logged: undefined,
      participants: new Map(),
    };
    this.#open.set(groupUri, call);
    return call;
  }

  async #end(groupUri: string, call: Call<M, F>): Promise<void> {
    if (this.#open.get(groupUri) !== call) return;
    this.#open.delete(groupUri);
    this.#calls.delete(groupUri);
    call.regained.clear();
    call.logged?.end();
    this.#options.changed?.(groupUri);
    addedTo(this.#ended, call.session.state.counters);
    await this.maker.close(call);
    this.#options.ended?.(groupUri);
  }
}

/** A participant who joins again keeps their place. */
function requireRoom(
  groupUri: string,
  { participants }: Pick<Call<unknown, unknown>, "participants">,
  { user, maxParticipants }: CallMember,
): void {
  if (maxParticipants === undefined || participants.has(user) || participants.size < maxParticipants) return;
  const text = `${groupUri}: ${maxParticipants} may be in a call of the group`;
  throw refused("CALL_FULL", text);
}
