/** A subscription as the subscriber keeps it (RFC 6665 4.1): made, refreshed, ended, one dialog each. */

import { backOff } from "../../../base/back-off.ts";
import { Timer } from "../../../base/clock.ts";
import { fraction } from "../../../base/random.ts";
import { CONTACT, FROM, type NameAddress, nameAddress, ROUTE, TO, tagOf, VIA } from "../codec/addresses.ts";
import { createRequest, type SipRequest, type SipResponse } from "../codec/message.ts";
import {
  ACCEPT,
  CALL_ID,
  CONTENT_TYPE,
  CSEQ,
  EVENT,
  EXPIRES,
  MAX_FORWARDS,
  MIN_EXPIRES,
  type Parameterised,
  RETRY_AFTER,
  SUBSCRIPTION_STATE,
} from "../codec/scalars.ts";
import { unquote } from "../codec/scanner.ts";
import { type Answer, type Incoming, mediaType } from "../core/incoming.ts";
import { isGone, retryAfter } from "../core/reasons.ts";
import { refusedSource } from "../core/targets.ts";
import { type Dialog, dialogOfNotify } from "../dialog/dialog.ts";
import { DialogSource } from "../dialog/source.ts";
import type { Flow } from "../socket/ports.ts";
import { Patience } from "../transaction/timers.ts";
import { KeepAlive } from "../user-agent/keep-alive.ts";
import type { UserAgent } from "../user-agent/user-agent.ts";
import type { SubscribeOptions, SubscriptionEnd } from "./subscribe-options.ts";

/** Milliseconds between tries to refresh. */
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 32_000;
/** Most milliseconds until a broken connection is made anew: a proxy that falls breaks thousands in one moment. */
const RECONNECT_SPREAD = 500;

export class Subscription {
  readonly #agent: UserAgent;
  readonly #options: SubscribeOptions;
  readonly #callId: string;
  readonly #localTag: string;
  /** The number of the last SUBSCRIBE that was sent without a dialog. */
  #number = 1;
  #dialog: Dialog | undefined;
  readonly #source = new DialogSource(false);
  #flow: Flow | undefined;
  #expires: number;
  /** Seconds that the last 2xx gave. */
  #granted: number;
  #body: { contentType?: string; body?: Uint8Array };
  #state = "init";
  /** By way of a proxy, so that a connection of ours ends there. One that does not show has to be told by its operator. */
  #isProxied = false;
  #leaving = false;
  #ended = false;
  /** Refreshes that failed in a row. */
  #failures = 0;
  #notBefore = Number.NEGATIVE_INFINITY;
  readonly #refreshTimer: Timer;
  readonly #expiryTimer: Timer;
  /** Timer N of RFC 6665 4.1.2.4: how long a NOTIFY may be awaited. */
  readonly #notifyTimer: Timer;
  readonly #patienceTimer: Patience;
  readonly #keepAlive: KeepAlive | undefined;

  constructor(agent: UserAgent, options: SubscribeOptions) {
    this.#agent = agent;
    this.#options = options;
    this.#expires = options.expires ?? 3600;
    this.#granted = this.#expires;
    this.#body = options;
    this.#callId = options.ids?.callId ?? agent.core.newCallId();
    this.#localTag = options.ids?.fromTag ?? agent.core.newTag();
    const { clock } = agent.core;
    this.#refreshTimer = new Timer(clock);
    this.#expiryTimer = new Timer(clock);
    this.#notifyTimer = new Timer(clock);
    this.#patienceTimer = new Patience(clock);
    this.#keepAlive =
      options.keepAlive &&
      new KeepAlive({
        ...options.keepAlive,
        core: agent.core,
        flow: () => this.#flow,
        isDirect: () => !this.#isProxied,
        ask: () => this.#ask(),
        lost: (status) =>
          this.#end(status === undefined ? { cause: "silent" } : { cause: "refused", status }),
      });
    agent.addDialog(this.#callId, this.#localTag, this);
    // Not before the caller has what this makes.
    void Promise.resolve().then(() => this.#begin());
  }

  /** "init" before the first NOTIFY, then what that says; "terminated" at the end. */
  get state(): string {
    return this.#state;
  }

  get callId(): string {
    return this.#callId;
  }

  async #begin(): Promise<void> {
    if (this.#ended) return;
    const options = this.#options;
    const request = createRequest("SUBSCRIBE", options.uri, this.#body.body);
    request.headers
      .set(MAX_FORWARDS, 70)
      .set(FROM, nameAddress(options.from, new Map([["tag", this.#localTag]])))
      .set(TO, nameAddress(options.to ?? options.uri))
      .set(CALL_ID, this.#callId)
      .set(CSEQ, { number: this.#number, method: "SUBSCRIBE" });
    try {
      this.#fill(request);
      this.#agent.addProxy(request);
    } catch {
      this.#end({ cause: "unreachable" });
      return;
    }
    await this.#send(request);
  }

  #contact(): NameAddress {
    const { uri, nextHop } = this.#options;
    return this.#agent.contactFor(uri, nextHop);
  }

  #fill(request: SipRequest, contact = this.#contact()): void {
    const { event, accept, headers } = this.#options;
    request.headers
      .set(CONTACT, contact)
      .set(EVENT, event)
      .set(EXPIRES, this.#leaving ? 0 : this.#expires);
    if (accept !== undefined) request.headers.set(ACCEPT, ...accept.map(mediaType));
    if (this.#body.contentType !== undefined) {
      request.headers.set(CONTENT_TYPE, mediaType(this.#body.contentType));
    }
    headers?.(request.headers);
  }

  async #send(request: SipRequest): Promise<void> {
    const { timers, clock } = this.#agent.core;
    this.#notifyTimer.set(64 * timers.t1, () => this.#noNotify());
    const since = clock.now();
    this.#isProxied ||= request.headers.has(ROUTE);
    const { patience, nextHop } = this.#options;
    if (patience !== undefined) this.#patienceTimer.set(patience, () => this.#silent(since));
    try {
      const sent = await this.#agent.send(request, {
        ...this.#dialog?.way,
        nextHop: this.#dialog === undefined ? nextHop : undefined,
        leaves: (flow) => {
          this.#flow = flow;
          this.#source.note(flow);
        },
        credentials: this.#options.credentials,
        nextNumber: () => this.#nextNumber(),
      });
      this.#answered(sent.response);
    } catch {
      this.#unanswered();
    }
  }

  #nextNumber(): number {
    return this.#dialog === undefined ? ++this.#number : this.#dialog.nextNumber();
  }

  /** The flow that nothing came on is given up with the subscription. */
  #silent(since: number): void {
    const flow = this.#flow;
    this.#end({ cause: this.#leaving ? "unsubscribed" : "silent" });
    if (flow?.reliable && this.#agent.core.heard(flow) < since) flow.abort();
  }

  async #ask(): Promise<number> {
    const dialog = this.#dialog!;
    const nextNumber = () => dialog.nextNumber();
    const { credentials } = this.#options;
    const sent = await this.#agent.send(dialog.request("OPTIONS"), {
      ...dialog.way,
      credentials,
      nextNumber,
    });
    return sent.response.status;
  }

  #answered(response: SipResponse): void {
    if (this.#ended) return;
    this.#patienceTimer.clear();
    if (response.status < 300) {
      const { patience } = this.#options;
      const since = this.#agent.core.clock.now();
      if (this.#state === "init" && patience !== undefined) {
        this.#patienceTimer.set(2 * patience, () => this.#silent(since));
      }
      this.#failures = 0;
      this.#dialog?.answered(response);
      // 4.1.2.1: the notifier may shorten the time.
      this.#granted = Math.min(response.headers.get(EXPIRES) ?? this.#expires, this.#expires);
      if (this.#dialog !== undefined) this.#keepFor(this.#granted);
      return;
    }
    this.#notifyTimer.clear();
    const least = response.headers.get(MIN_EXPIRES);
    if (response.status === 423 && least !== undefined && least > this.#expires) {
      this.#expires = least;
      this.#again();
      return;
    }
    if (this.#leaving || this.#state === "init" || isGone("SUBSCRIBE", response.status)) {
      this.#end({ cause: this.#leaving ? "unsubscribed" : "refused", status: response.status, response });
      return;
    }
    // 4.1.2.2: any other failure leaves the subscription for the rest of its time.
    this.#later(response.headers.get(RETRY_AFTER)?.seconds ?? 0);
  }

  /** RFC 3261 12.2.1.2: without an answer the dialog is over. */
  #unanswered(): void {
    if (!this.#ended) this.#end({ cause: this.#leaving ? "unsubscribed" : "unreachable" });
  }

  /** RFC 3261 21.5.4: not before the notifier wants to hear of it again, not with a new subscription either. */
  #later(seconds: number): void {
    const { clock, random } = this.#agent.core;
    const failures = ++this.#failures;
    const wait = backOff({ failures, firstMs: FIRST_RETRY_MS, longestMs: LONGEST_RETRY_MS }, random);
    this.#notBefore = clock.now() + seconds * 1000;
    this.#refreshTimer.set(Math.max(wait, seconds * 1000), () => this.#again());
  }

  /** Refreshes at half the time, or ten minutes before the end of a long one (as TS 24.229 5.1.1.3 does). */
  #keepFor(seconds: number): void {
    if (this.#leaving || seconds === 0) return;
    const before = seconds > 1200 ? seconds - 600 : seconds / 2;
    this.#refreshTimer.set(before * 1000, () => this.#again());
    this.#expiryTimer.set(seconds * 1000, () => this.#end({ cause: "expired", retryAfter: this.#rest() }));
  }

  /** Milliseconds for which the notifier still wants not to be asked. */
  #rest(): number {
    return Math.max(0, this.#notBefore - this.#agent.core.clock.now());
  }

  #again(): void {
    if (this.#ended) return;
    const request = this.#dialog?.request("SUBSCRIBE", this.#body.body);
    if (request === undefined) {
      this.#number++;
      void this.#begin();
      return;
    }
    this.#fill(request);
    void this.#send(request);
  }

  #noNotify(): void {
    // A refresh without a NOTIFY leaves a subscription that works (4.1.2.4 is about the first).
    if (this.#leaving) this.#end({ cause: "unsubscribed" });
    else if (this.#state === "init") this.#end({ cause: "no-notify", retryAfter: 0 });
  }

  /** Sends a SUBSCRIBE now, with another body if given: the way to change what is subscribed to. */
  refresh(body?: { readonly contentType: string; readonly body: Uint8Array }): void {
    if (body !== undefined) this.#body = body;
    if (this.#dialog !== undefined) this.#again();
  }

  /** 4.1.2.3: Expires 0; the last NOTIFY ends it. */
  unsubscribe(): void {
    if (this.#leaving || this.#ended) return;
    this.#leaving = true;
    this.#refreshTimer.clear();
    if (this.#dialog !== undefined) this.#again();
    else this.#end({ cause: "unsubscribed" });
  }

  /**
   * A broken flow is made anew, so that the notifier finds its way back (RFC 5626 4.4, RFC 7118 6). If it is gone itself,
   * the refresh fails, and with it the subscription.
   */
  flowClosed(flow: Flow): void {
    if (flow !== this.#flow || this.#ended) return;
    this.#flow = undefined;
    if (this.#dialog === undefined) this.#end({ cause: "unreachable" });
    else this.#refreshTimer.set(RECONNECT_SPREAD * fraction(this.#agent.core.random), () => this.#again());
  }

  /** 4.1.3: takes a NOTIFY; a second dialog is not wanted (4.1.2.4, RFC 5875 4.10). */
  async request(incoming: Incoming): Promise<Answer> {
    const { request, flow } = incoming;
    if (request.method !== "NOTIFY") return { status: request.method === "OPTIONS" ? 200 : 405 };
    const state = request.headers.get(SUBSCRIPTION_STATE);
    if (!sameEvent(request.headers.get(EVENT), this.#options.event)) return { status: 489 };
    if (state === undefined) return { status: 400, reason: "Missing Subscription-State" };
    if (!this.#source.has(flow)) return refusedSource("the request came from elsewhere than the dialog");
    const fresh = this.#dialog === undefined;
    if (this.#dialog === undefined) {
      this.#dialog = dialogOfNotify(request, this.#number, flow, this.#source);
    } else {
      if (tagOf(request.headers.need(FROM)) !== this.#dialog.remoteTag) return { status: 481 };
      if (!this.#dialog.accept(request, flow)) return { status: 500, reason: "CSeq out of order" };
    }
    this.#notifyTimer.clear();
    if (fresh) this.#patienceTimer.clear();
    this.#isProxied ||= !this.#dialog.isDirect || request.headers.all(VIA).length > 1;
    const terminated = state.value.toLowerCase() === "terminated";
    this.#state = state.value.toLowerCase();
    const seconds = numberOf(state, "expires");
    if (!terminated && (seconds !== undefined || fresh)) {
      this.#keepFor(Math.min(seconds ?? this.#granted, this.#expires));
    }
    const { body, headers } = request;
    if (!terminated) this.#keepAlive?.start();
    try {
      const notify = { request, state: this.#state, contentType: headers.get(CONTENT_TYPE), body };
      return await this.#options.onNotify(notify);
    } finally {
      if (terminated) this.#terminated(state);
    }
  }

  #terminated(state: Parameterised): void {
    if (this.#leaving) {
      this.#end({ cause: "unsubscribed" });
      return;
    }
    const reason = state.params.get("reason");
    const wait = retryAfter(reason, numberOf(state, "retry-after"));
    this.#end({
      cause: "terminated",
      ...(reason === undefined ? {} : { reason: unquote(reason) }),
      ...(wait === undefined ? {} : { retryAfter: wait }),
    });
  }

  #end(end: SubscriptionEnd): void {
    if (this.#ended) return;
    this.close();
    this.#options.onEnd?.(end);
  }

  /** Forgets the subscription without a word to the notifier. */
  close(): void {
    this.#ended = true;
    this.#state = "terminated";
    for (const timer of [this.#refreshTimer, this.#expiryTimer, this.#notifyTimer, this.#patienceTimer])
      timer.clear();
    this.#keepAlive?.stop();
    this.#agent.removeDialog(this.#callId, this.#localTag);
  }
}

function numberOf(state: Parameterised, name: string): number | undefined {
  const text = state.params.get(name);
  return text !== undefined && /^[0-9]+$/.test(text) ? Number(text) : undefined;
}

/** 8.2.1: the package and the id, if any, are the same. */
export function sameEvent(a: Parameterised | undefined, b: Parameterised): boolean {
  return a?.value.toLowerCase() === b.value.toLowerCase() && a.params.get("id") === b.params.get("id");
}
