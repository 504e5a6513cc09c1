/** The private calls of a server: each of two clients, over when one of them goes. */

import type { DatagramAddress } from "../../../transport/datagram/ports.ts";
import type { LegSocket } from "../../../transport/datagram/websocket-node.ts";
import type { SipSession } from "../../../transport/sip/index.ts";
import type { ControlKeys } from "../../call/control-keys.ts";
import { refused } from "../common/errors.ts";
import { addedTo } from "../common/totals.ts";
import type { MadeSession, SessionMaker } from "./session-maker.ts";

/** One side of a call. */
export interface PrivateParty {
  /** MC service user ID. */
  readonly user: string;
  readonly client: ControlKeys;
  /** The addresses that their media and floor control come from and go to. */
  readonly media: DatagramAddress;
  readonly floor: DatagramAddress;
  readonly queueing?: boolean;
  /** The connection that media come over in place of the addresses, as `connect` gives it. */
  readonly leg?: LegSocket | undefined;
}

/** Calls that a user may have placed and that are not over. */
const MAX_OF_USER = 4;
/** Neither side may take the floor from the other. */
const PRIORITY = 1;

export class PrivateSession {
  readonly caller: string;
  readonly #made: MadeSession;
  readonly #maker: SessionMaker;
  readonly #over: (session: PrivateSession) => void;
  readonly #clients = new Set<ControlKeys>();
  readonly #dialogs = new Map<ControlKeys, SipSession>();
  #isOver = false;

  constructor(caller: string, made: MadeSession, maker: SessionMaker, over: (one: PrivateSession) => void) {
    this.caller = caller;
    this.#made = made;
    this.#maker = maker;
    this.#over = over;
  }

  /** See `SessionMaker.describe`; `queueing` is what the side offers, undefined where the server does. */
  describe(queueing?: boolean): ReturnType<SessionMaker["describe"]> {
    return this.#maker.describe(this.#made.session, queueing);
  }

  get counters(): Readonly<Record<string, number>> {
    return this.#made.session.state.counters;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  has(client: ControlKeys): boolean {
    return this.#clients.has(client);
  }

  /** A leg over a WebSocket for a side that joins; undefined: this server has none. */
  connect(): LegSocket | undefined {
    return this.#made.ports.connect();
  }

  /** From now on the call is over when that client is put out. */
  claim(client: ControlKeys): void {
    this.#clients.add(client);
  }

  /** Errors as `GroupSession.join`. */
  join({ client, leg, ...party }: PrivateParty): void {
    this.claim(client);
    const places = leg && { media: leg.address, floor: leg.address };
    this.#made.session.join({ ...party, ...places, control: client, priority: PRIORITY });
    this.#made.ports.enter(party.user, leg);
  }

  /** The SIP session of a side has begun. */
  opened(client: ControlKeys, dialog: SipSession): void {
    if (this.#isOver) void dialog.bye();
    else this.#dialogs.set(client, dialog);
  }

  /** A side has left, or is put out. Gives the SIP sessions that are open, whose clients are still to be told. */
  async end(): Promise<readonly SipSession[]> {
    if (this.#isOver) return [];
    this.#isOver = true;
    this.#over(this);
    await this.#maker.close(this.#made);
    return [...this.#dialogs.values()].filter(({ open }) => open);
  }

  async hangUp(): Promise<void> {
    const dialogs = await this.end();
    await Promise.all(dialogs.map((dialog) => dialog.bye()));
  }
}

export class PrivateSessions {
  readonly #maker: SessionMaker;
  readonly #all = new Set<PrivateSession>();
  readonly #ended: Record<string, number> = {};

  /** They share the ports of that maker with other calls. */
  constructor(maker: SessionMaker) {
    this.#maker = maker;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Counters of all calls, those that have ended included. */
  totals(): Record<string, number> {
    const totals = { ...this.#ended };
    for (const { counters } of this.#all) addedTo(totals, counters);
    return totals;
  }

  /** A call that nobody is in yet. @throws {MikeySakkeError} usage `TOO_MANY_SESSIONS` */
  async open(caller: string): Promise<PrivateSession> {
    const own = [...this.#all].filter((one) => one.caller === caller);
    if (own.length >= MAX_OF_USER) {
      const text = `${MAX_OF_USER} private calls of ${caller} at most`;
      throw refused("TOO_MANY_SESSIONS", text);
    }
    const made = await this.#maker.make(() => ({ groupUri: caller, kind: "private", maxParticipants: 2 }));
    const session = new PrivateSession(caller, made, this.#maker, (over) => this.#over(over));
    this.#all.add(session);
    return session;
  }

  /** A client that is put out: its calls are over. */
  remove(client: ControlKeys): void {
    for (const session of [...this.#all]) if (session.has(client)) void session.hangUp();
  }

  /** Ends all calls. Gives the SIP sessions, whose clients are still to be told. */
  async endAll(): Promise<readonly SipSession[]> {
    return (await Promise.all([...this.#all].map((session) => session.end()))).flat();
  }

  #over(session: PrivateSession): void {
    if (this.#all.delete(session)) addedTo(this.#ended, session.counters);
  }
}
