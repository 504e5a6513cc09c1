/**
 * A session that an INVITE has begun (RFC 3261 13 to 15), for either side, until a BYE. It is refreshed, and changed where a side
 * offers another description.
 */
import { Timer } from "../../../base/clock.ts";
import { CONTACT, type NameAddress } from "../codec/addresses.ts";
import type { Headers } from "../codec/headers.ts";
import { NO_BODY, type SipRequest, type SipResponse } from "../codec/message.ts";
import { CONTENT_TYPE } from "../codec/scalars.ts";
import { type Answer, type Incoming, mediaType } from "../core/incoming.ts";
import { isGone } from "../core/reasons.ts";
import { refusedSource } from "../core/targets.ts";
import type { Dialog } from "../dialog/dialog.ts";
import type { Flow } from "../socket/ports.ts";
import { KeepAlive, type KeepAliveOptions } from "../user-agent/keep-alive.ts";
import type { Answered, DialogUsage, UserAgent } from "../user-agent/user-agent.ts";
import {
  type AgreedTimer,
  agree,
  agreedBy,
  allowsUpdate,
  askForTimer,
  longerTime,
  SessionTimer,
  type SessionTimerOptions,
  sayTimer,
} from "./session-timer.ts";

/**
 * bye: of the peer. moved: of a peer that stops, so that another may go on for it. lost: the peer does not answer, or its
 * connection is gone.
 */
export type SessionEnd = "bye" | "moved" | "lost";

/** RFC 3326: what a new request would get here, and gets elsewhere perhaps not. */
const REASON = "Reason";
const MOVED = 'SIP;cause=503;text="Service Unavailable"';
const IS_MOVED = /^SIP\s*;(?:[^"]*;)?\s*cause\s*=\s*503\b/i;

export interface SipSession {
  readonly callId: string;
  /** False once it has ended, from whichever side. */
  readonly open: boolean;
  /**
   * Ends it; `moved` tells the peer to go on elsewhere. Does not reject: a peer that does not answer any more has ended
   * it too.
   */
  bye(why?: "moved"): Promise<void>;
  /**
   * Offers the peer another description, by UPDATE (RFC 3311) or INVITE (RFC 3261 14.1), one after the other. False: the peer
   * has not taken it, and the session goes on as before. Does not reject.
   */
  offer(description: Description): Promise<boolean>;
  /**
   * Sends one request within the session and resolves to its final response. An INVITE has the description of before, and is
   * acknowledged; a BYE ends the session. Rejects as `SipEndpoint.request`.
   */
  send(method: string, headers?: (headers: Headers) => void): Promise<SipResponse>;
}

/** The description of the session by one side in the INVITE or its 2xx, or in a later offer or its answer. */
export interface Description {
  readonly contentType: string | undefined;
  readonly body: Uint8Array;
}

/** Takes the body of an offer of the peer, and gives the answer to it; undefined: the session stays as it is. */
export type OnOffer = (body: Uint8Array) => Description | undefined;

export interface SessionParts {
  readonly agent: UserAgent;
  readonly dialog: Dialog;
  readonly localTag: string;
  /** Whether a request that came from elsewhere proves to be the peer's; without it none does. */
  readonly proves?: ((request: SipRequest) => Promise<boolean>) | undefined;
  /** Told of each request of the peer within the session, ACKs included, and of none that only says it is the peer's. */
  readonly received?: ((request: SipRequest) => void) | undefined;
  /** Adds to a request what proves that it is ours, should it not go on the flow of the dialog. */
  readonly prove?: (() => Promise<(headers: Headers) => void>) | undefined;
  readonly contact: NameAddress;
  readonly local: Description;
  /** What an INVITE of the peer is answered with; `local` when absent. */
  readonly answer?: Description | undefined;
  /** The INVITE or the 2xx of the peer. */
  readonly peer: SipRequest | SipResponse;
  readonly timer?: SessionTimerOptions | undefined;
  readonly keepAlive?: KeepAliveOptions | undefined;
  /** Without it, every other description is refused with 488. */
  readonly onOffer?: OnOffer | undefined;
  /** Not called for one's own `bye`. */
  readonly onEnd: (end: SessionEnd) => void;
}

const ORIGIN_LINE = /^o=[^\r\n]*$/m;

export class Session implements SipSession, DialogUsage {
  readonly #parts: SessionParts;
  readonly #again: Timer;
  readonly #limit: Timer;
  readonly #timer: SessionTimer;
  readonly #keepAlive: KeepAlive | undefined;
  /** The present descriptions of both sides. */
  #local: Description;
  #remote: Uint8Array;
  /** What an INVITE of the peer is answered with. */
  #answer: Description;
  /** Whether this side refreshes, where there is a timer. */
  #isRefresher = true;
  /** The last offer, and before it the ACK that the peer owes: it may not have our 2xx yet. */
  #settled: Promise<unknown> = Promise.resolve();
  #acknowledged: () => void = () => undefined;
  #isOpen = true;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    const { agent, dialog, localTag, local, answer = local, peer } = parts;
    this.#local = local;
    this.#answer = answer;
    this.#remote = peer.body;
    this.#again = new Timer(agent.core.clock);
    this.#limit = new Timer(agent.core.clock);
    this.#timer = new SessionTimer({
      clock: agent.core.clock,
      refresh: () => void this.#refresh(),
      expired: () => this.#lost(),
    });
    this.#keepAlive =
      parts.keepAlive &&
      new KeepAlive({
        ...parts.keepAlive,
        core: agent.core,
        // A call is short, and its way may have proxies that do not show: the peer itself is asked.
        flow: () => undefined,
        isDirect: () => false,
        ask: async () => (await this.#send("OPTIONS")).response.status,
        lost: () => this.#lost(),
      });
    this.#keepAlive?.start();
    agent.addDialog(dialog.callId, localTag, this);
  }

  get callId(): string {
    return this.#parts.dialog.callId;
  }

  get open(): boolean {
    return this.#isOpen;
  }

  /** 13.3.1.4: a 2xx is sent again until its ACK comes, or there is no session. */
  awaitAck(repeat: () => void): void {
    this.#acknowledged();
    const acknowledged = new Promise<void>((resolve) => {
      this.#acknowledged = resolve;
    });
    this.#settled = this.#settled.then(() => acknowledged);
    const { t1, t2 } = this.#parts.agent.core.timers;
    const next = (interval: number) =>
      this.#again.set(interval, () => {
        repeat();
        next(Math.min(2 * interval, t2));
      });
    next(t1);
    this.#limit.set(64 * t1, () => {
      this.#again.clear();
      this.#lost();
    });
  }

  /** From the beginning, or the last refresh. */
  runFor(agreed: AgreedTimer | undefined): void {
    if (agreed === undefined || !this.#isOpen) return;
    this.#isRefresher = agreed.isRefresher;
    this.#timer.start(agreed);
  }

  /** The peer is not there any more, as far as can be seen; should it be, the BYE tells it. */
  #lost(): void {
    if (!this.#isOpen) return;
    void this.bye();
    this.#parts.onEnd("lost");
  }

  /** 13.2.2.4: each 2xx gets an ACK, also when it comes again. */
  acknowledge(flow: Flow): void {
    const { agent, dialog } = this.#parts;
    // One that is lost is asked for by the next 2xx.
    const { way } = dialog;
    agent.core.transmit(dialog.request("ACK"), way.flow ?? sameWay(flow), way).catch(() => undefined);
  }

  /** From elsewhere it is not the peer's: a caller that missed the 2xx would keep the call until its timer runs out. */
  acknowledged(flow: Flow, request: SipRequest): void {
    const { dialog, received } = this.#parts;
    if (!dialog.isFrom(flow)) return;
    received?.(request);
    this.#standing();
  }

  #standing(): void {
    this.#acknowledged();
    this.#again.clear();
    this.#limit.clear();
  }

  async request(incoming: Incoming): Promise<Answer> {
    const { dialog, proves, received } = this.#parts;
    if (!dialog.isFrom(incoming.flow) && !(await proves?.(incoming.request))) {
      return refusedSource("the request came from elsewhere than the dialog");
    }
    received?.(incoming.request);
    if (!dialog.accept(incoming.request, incoming.flow)) return { status: 500 };
    if (incoming.request.method === "BYE") {
      this.#close();
      const isMoved = incoming.request.headers.texts(REASON).some((text) => IS_MOVED.test(text));
      return { status: 200, sent: () => this.#parts.onEnd(isMoved ? "moved" : "bye") };
    }
    this.#keepAlive?.start();
    if (incoming.request.method === "INVITE" || incoming.request.method === "UPDATE") {
      return this.#refreshed(incoming);
    }
    return { status: incoming.request.method === "OPTIONS" ? 200 : 405 };
  }

  /** RFC 4028 9, 10: a refresh of the peer; with another description, an offer (14.2). */
  #refreshed(incoming: Incoming): Answer {
    const { contact, timer, onOffer } = this.#parts;
    const { body: offered, method } = incoming.request;
    const agreed = timer && agree(incoming.request, timer);
    if (agreed !== undefined && "refuse" in agreed) return agreed.refuse;
    if (offered.length > 0 && contentOf(offered) !== contentOf(this.#remote)) {
      const answered = onOffer?.(offered);
      if (answered === undefined) return { status: 488 };
      this.#local = answered;
      this.#answer = answered;
      this.#remote = offered;
    }
    this.runFor(agreed);
    const answer: Answer = {
      status: 200,
      headers: (headers) => {
        headers.set(CONTACT, contact);
        if (agreed !== undefined) sayTimer(headers, agreed);
      },
    };
    if (method === "UPDATE" && offered.length === 0) return answer;
    const { contentType, body } = this.#answer;
    const described: Answer = { ...answer, ...(contentType !== undefined && { contentType, body }) };
    if (method === "UPDATE") return described;
    return { ...described, sent: () => this.awaitAck(() => incoming.answer(described)) };
  }

  /** RFC 4028 10. */
  async #refresh(): Promise<void> {
    try {
      const { status } = await this.#renew(allowsUpdate(this.#parts.peer) ? undefined : this.#local);
      // Anything else leaves the session for the rest of its time.
      if (isGone("UPDATE", status)) this.#lost();
    } catch {
      this.#lost();
    }
  }

  offer(description: Description): Promise<boolean> {
    const offered = this.#settled.then(() => this.#offer(description));
    this.#settled = offered;
    return offered;
  }

  /** A peer that does not answer is found out by the timer. */
  async #offer(description: Description): Promise<boolean> {
    if (!this.#isOpen) return false;
    const { status, body } = await this.#renew(description).catch(() => ({ status: 408, body: NO_BODY }));
    if (status >= 300 || !this.#isOpen) return false;
    this.#local = description;
    this.#answer = description;
    this.#remote = body;
    return true;
  }

  /** By UPDATE, or by INVITE where the peer does not take that. */
  async #renew(description: Description | undefined): Promise<SipResponse> {
    const { timer, dialog, peer } = this.#parts;
    const isUpdate = allowsUpdate(peer);
    let seconds = timer?.expires ?? 0;
    for (;;) {
      const refresher = this.#isRefresher ? "uac" : "uas";
      const ask = (headers: Headers) => timer && askForTimer(headers, seconds, timer, refresher);
      const { response, flow } = await this.#send(isUpdate ? "UPDATE" : "INVITE", ask, description);
      if (!this.#isOpen) return response;
      const longer = timer && longerTime(response, seconds);
      if (response.status < 300) {
        if (!isUpdate) this.acknowledge(flow);
        dialog.answered(response);
        // A peer that knows no timers answers without one, and is asked again all the same.
        if (timer !== undefined) this.runFor(agreedBy(response) ?? { seconds, isRefresher: true });
      }
      if (longer === undefined) return response;
      seconds = longer;
    }
  }

  async #send(
    method: string,
    fill?: (headers: Headers) => void,
    description?: Description,
  ): Promise<Answered> {
    const { agent, dialog, prove, contact } = this.#parts;
    const request = dialog.request(method, description?.body);
    const { contentType } = description ?? {};
    if (contentType !== undefined) request.headers.set(CONTENT_TYPE, mediaType(contentType));
    if (method === "UPDATE" || method === "INVITE") request.headers.set(CONTACT, contact);
    const proof = await prove?.().catch(() => undefined);
    proof?.(request.headers);
    fill?.(request.headers);
    const nextNumber = () => dialog.nextNumber();
    return agent.send(request, { ...dialog.way, nextNumber });
  }

  async bye(why?: "moved"): Promise<void> {
    if (!this.#isOpen) return;
    this.#close();
    const reason = (headers: Headers) => void headers.append(REASON, MOVED);
    await this.#send("BYE", why && reason).catch(() => undefined);
  }

  async send(method: string, headers?: (headers: Headers) => void): Promise<SipResponse> {
    const { dialog } = this.#parts;
    if (method === "BYE") this.#close();
    const isInvite = method === "INVITE";
    const { response, flow } = await this.#send(method, headers, isInvite ? this.#local : undefined);
    if (isInvite && response.status < 300) {
      this.acknowledge(flow);
      dialog.answered(response);
    }
    return response;
  }

  closed(): void {
    this.#close();
  }

  #close(): void {
    this.#isOpen = false;
    this.#standing();
    this.#timer.stop();
    this.#keepAlive?.stop();
    const { agent, dialog, localTag } = this.#parts;
    agent.removeDialog(dialog.callId, localTag);
  }
}

/** RFC 3264 8: a description that is the same may have another version in its origin all the same. */
function contentOf(body: Uint8Array): string {
  return new TextDecoder("latin1").decode(body).replace(ORIGIN_LINE, "");
}

/** A connection that is there is used; datagrams go where the dialog says. */
function sameWay(flow: Flow): Flow | undefined {
  return flow.reliable ? flow : undefined;
}

/** The 2xx that has begun a session, or the answer that has not. */
export interface InviteResult {
  readonly response: SipResponse;
  readonly session: SipSession | undefined;
}
