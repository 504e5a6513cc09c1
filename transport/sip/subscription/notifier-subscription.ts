/** One subscription as the notifier keeps it: its dialog, its time, its NOTIFYs one after the other (RFC 6665 4.2). */

import { Timer } from "../../../base/clock.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import { SerialQueue } from "../../../base/serial-queue.ts";
import { CONTACT, type NameAddress } from "../codec/addresses.ts";
import type { Headers } from "../codec/headers.ts";
import type { SipResponse } from "../codec/message.ts";
import {
  CONTENT_TYPE,
  EVENT,
  type Parameterised,
  SUBSCRIPTION_STATE,
  WARNING,
  type Warning,
} from "../codec/scalars.ts";
import { type Answer, type Incoming, mediaType } from "../core/incoming.ts";
import { endsSubscription, type TerminatedReason } from "../core/reasons.ts";
import type { Dialog } from "../dialog/dialog.ts";
import type { UserAgent } from "../user-agent/user-agent.ts";

export interface StateContent {
  readonly contentType?: string;
  readonly body?: Uint8Array;
  readonly headers?: (headers: Headers) => void;
}

/** The state that follows a SUBSCRIBE. */
export interface CurrentState extends StateContent {
  /** Called once with what came of that NOTIFY, also when it was not sent. */
  readonly answered?: (result: NotifyResult) => void;
}

/** The subscriber's answer to a NOTIFY. */
export interface NotifyResult {
  /** 408 when none came, 503 when there was no way to the subscriber, 481 when the subscription was over before. */
  readonly status: number;
  readonly reason: string;
  readonly warnings: readonly Warning[];
  readonly response?: SipResponse;
}

export interface NotifierEnd {
  /**
   * terminated: from here. expired: not refreshed. unsubscribed: with Expires 0. refused: by the answer to a NOTIFY,
   * whose status it is. unanswered: a NOTIFY had no answer (4.2.2). closed: the endpoint is.
   */
  readonly cause: "terminated" | "expired" | "unsubscribed" | "refused" | "unanswered" | "closed";
  readonly status?: number;
}

export interface NotifierSubscriptionParts {
  readonly agent: UserAgent;
  readonly dialog: Dialog;
  readonly localTag: string;
  readonly event: Parameterised;
  readonly contact: NameAddress;
  readonly identity: string | undefined;
  readonly renew: (incoming: Incoming) => Promise<Answer>;
  readonly ended: (end: NotifierEnd) => void;
}

interface Last {
  readonly reason: TerminatedReason;
  readonly retryAfter?: number | undefined;
  readonly end: NotifierEnd;
}

export class NotifierSubscription {
  readonly #parts: NotifierSubscriptionParts;
  readonly #expiry: Timer;
  #state: "active" | "pending" = "pending";
  #expiresAt = 0;
  #over: "no" | "last" | "yes" = "no";
  #begun = false;
  /** 4.2.2 and RFC 5875 4.6: one NOTIFY at a time. */
  readonly #queue = new SerialQueue();

  /** Called by SubscriptionNotifier. */
  constructor(parts: NotifierSubscriptionParts) {
    this.#parts = parts;
    this.#expiry = new Timer(parts.agent.core.clock);
  }

  /** The user that the authenticator identified. */
  get identity(): string | undefined {
    return this.#parts.identity;
  }

  get event(): Parameterised {
    return this.#parts.event;
  }

  get contact(): NameAddress {
    return this.#parts.contact;
  }

  get dialog(): Dialog {
    return this.#parts.dialog;
  }

  get state(): "active" | "pending" | "terminated" {
    return this.#over === "no" ? this.#state : "terminated";
  }

  /** By the clock that was passed in. */
  get expiresAt(): number {
    return this.#expiresAt;
  }

  accept({ request, flow }: Incoming): boolean {
    return this.#parts.dialog.accept(request, flow);
  }

  isFrom({ flow }: Incoming): boolean {
    return this.#parts.dialog.isFrom(flow);
  }

  request(incoming: Incoming): Answer | Promise<Answer> {
    // RFC 3261 11.2: that there is a dialog is all it asks, and it changes nothing of it.
    if (incoming.request.method === "OPTIONS") return { status: 200 };
    return incoming.request.method === "SUBSCRIBE" ? this.#parts.renew(incoming) : { status: 405 };
  }

  /** Begins or renews. False when the subscription has ended meanwhile. */
  begin(state: "active" | "pending", seconds: number): boolean {
    if (this.#over !== "no") return false;
    const { agent, dialog, localTag } = this.#parts;
    if (!this.#begun) agent.addDialog(dialog.callId, localTag, this);
    this.#begun = true;
    this.#state = state;
    this.#expiresAt = agent.core.clock.now() + seconds * 1000;
    const expired: Last = { reason: "timeout", end: { cause: "expired" } };
    if (seconds > 0) this.#expiry.set(seconds * 1000, () => void this.#finish(expired, {}));
    return true;
  }

  /** Makes a pending subscription active; the next NOTIFY says so. */
  activate(): void {
    this.#state = "active";
  }

  /** Sends a NOTIFY after those before it, and resolves to the subscriber's answer. Does not reject. */
  notify(content: StateContent): Promise<NotifyResult> {
    if (this.#over !== "no") return Promise.resolve(GONE);
    return this.#enqueue(() => this.#send(content, undefined));
  }

  /** The last NOTIFY. */
  terminate(
    reason: TerminatedReason,
    options: StateContent & { readonly retryAfter?: number } = {},
  ): Promise<NotifyResult> {
    return this.#finish({ reason, retryAfter: options.retryAfter, end: { cause: "terminated" } }, options);
  }

  /** The last NOTIFY after Expires 0 (4.2.1.3). */
  unsubscribed(content: StateContent): Promise<NotifyResult> {
    return this.#finish({ reason: "timeout", end: { cause: "unsubscribed" } }, content);
  }

  #finish(last: Last, content: StateContent): Promise<NotifyResult> {
    if (this.#over !== "no") return Promise.resolve(GONE);
    this.#over = "last";
    this.#expiry.clear();
    return this.#enqueue(async () => {
      const result = await this.#send(content, last);
      this.drop(last.end);
      return result;
    });
  }

  #enqueue(run: () => Promise<NotifyResult>): Promise<NotifyResult> {
    return this.#queue.run(() => (this.#over === "yes" ? GONE : run()));
  }

  async #send(content: StateContent, last: Last | undefined): Promise<NotifyResult> {
    const { agent, dialog, event, contact } = this.#parts;
    try {
      const request = dialog.request("NOTIFY", content.body);
      request.headers
        .set(CONTACT, contact)
        .set(EVENT, event)
        .set(SUBSCRIPTION_STATE, this.#stateHeader(last));
      if (content.contentType !== undefined)
        request.headers.set(CONTENT_TYPE, mediaType(content.contentType));
      content.headers?.(request.headers);
      const nextNumber = () => dialog.nextNumber();
      const { response } = await agent.send(request, { ...dialog.way, nextNumber });
      dialog.answered(response);
      const { status, reason, headers } = response;
      if (endsSubscription(status)) this.drop(last?.end ?? { cause: "refused", status });
      return { status, reason, warnings: headers.all(WARNING), response };
    } catch (error) {
      return this.#unanswered(error, last);
    }
  }

  #stateHeader(last: Last | undefined): Parameterised {
    if (last !== undefined) {
      const params = new Map([["reason", last.reason as string]]);
      if (last.retryAfter !== undefined) params.set("retry-after", String(last.retryAfter));
      return { value: "terminated", params };
    }
    const left = Math.max(0, Math.ceil((this.#expiresAt - this.#parts.agent.core.clock.now()) / 1000));
    return { value: this.#state, params: new Map([["expires", String(left)]]) };
  }

  /**
   * 4.2.2: no answer in time ends the subscription. A flow that is gone does not, as the subscriber makes a new one
   * and subscribes on it again; the time of the subscription bounds that.
   */
  #unanswered(error: unknown, last: Last | undefined): NotifyResult {
    const timeout = error instanceof MikeySakkeError && error.code === "SIP_TIMEOUT";
    if (timeout) this.drop(last?.end ?? { cause: "unanswered", status: 408 });
    const reason = timeout ? "Request Timeout" : "Service Unavailable";
    return { status: timeout ? 408 : 503, reason, warnings: [] };
  }

  /** Ends without a NOTIFY. */
  drop(end: NotifierEnd): void {
    if (this.#over === "yes") return;
    this.#over = "yes";
    this.#expiry.clear();
    const { agent, dialog, localTag, ended } = this.#parts;
    agent.removeDialog(dialog.callId, localTag);
    ended(end);
  }
}

const GONE: NotifyResult = { status: 481, reason: "Subscription Is Over", warnings: [] };
