/** The notifier of one event package (RFC 6665 4.2): takes subscriptions, keeps them, lets them go. */
import type { Authenticator } from "../auth/server.ts";
import { CONTACT, RECORD_ROUTE } from "../codec/addresses.ts";
import { EVENT, EXPIRES, MIN_EXPIRES } from "../codec/scalars.ts";
import type { Answer, Incoming } from "../core/incoming.ts";
import { dialogOfRequest } from "../dialog/dialog.ts";
import type { UserAgent } from "../user-agent/user-agent.ts";
import { type CurrentState, type NotifierEnd, NotifierSubscription } from "./notifier-subscription.ts";
import { sameEvent } from "./subscriber.ts";

/** The decision on a SUBSCRIBE: a subscription, or the answer that refuses it. */
export type Decision = { readonly state: "active" | "pending" } | { readonly refuse: Answer };

export interface NotifierOptions {
  /** The event package, as "xcap-diff". */
  readonly package: string;
  /** Without one everybody is believed, within a dialog too. */
  readonly authenticator?: Authenticator;
  /** Decides on a new subscription and on each refresh, whose body may ask for something else. */
  readonly onSubscribe: (
    subscription: NotifierSubscription,
    incoming: Incoming,
  ) => Decision | Promise<Decision>;
  /** What the NOTIFY that follows every SUBSCRIBE says: the full state (4.2.1.2). */
  readonly current: (subscription: NotifierSubscription) => CurrentState | Promise<CurrentState>;
  /**
   * On the flow of the dialog it may be ended without credentials and without a decision; the last NOTIFY is empty then.
   * For clients that have no way to authenticate requests within a dialog.
   */
  readonly freeToLeave?: boolean;
  readonly onEnd?: (subscription: NotifierSubscription, end: NotifierEnd) => void;
  /** Seconds. Default 60; 423 below. */
  readonly minExpires?: number;
  /** Seconds without an Expires. Default 3600. */
  readonly defaultExpires?: number;
  /** Seconds. Default one day; more is cut to that. */
  readonly maxExpires?: number;
  /** Subscriptions at a time. Default 100,000; 503 beyond. */
  readonly maxSubscriptions?: number;
}

export class SubscriptionNotifier {
  readonly package: string;
  readonly #agent: UserAgent;
  readonly #options: NotifierOptions;
  readonly #subscriptions = new Set<NotifierSubscription>();
  /** New ones that are not decided on. */
  #deciding = 0;

  constructor(agent: UserAgent, options: NotifierOptions) {
    this.package = options.package;
    this.#agent = agent;
    this.#options = options;
  }

  get subscriptions(): ReadonlySet<NotifierSubscription> {
    return this.#subscriptions;
  }

  /** A SUBSCRIBE outside of a dialog. */
  async subscribe(incoming: Incoming): Promise<Answer> {
    const identity = await this.#identify(incoming);
    if (typeof identity === "object") return identity;
    const seconds = this.#expires(incoming);
    if (typeof seconds === "object") return seconds;
    const most = this.#options.maxSubscriptions ?? 100_000;
    if (this.#subscriptions.size + this.#deciding >= most) return { status: 503 };
    const { request, flow, localTag } = incoming;
    const subscription: NotifierSubscription = new NotifierSubscription({
      agent: this.#agent,
      dialog: dialogOfRequest(request, localTag, flow, this.#agent.targets),
      localTag,
      event: request.headers.need(EVENT),
      contact: this.#agent.contactOn(flow, request),
      identity,
      renew: (again) => this.#renew(subscription, again),
      ended: (end) => {
        this.#subscriptions.delete(subscription);
        this.#options.onEnd?.(subscription, end);
      },
    });
    this.#deciding++;
    return this.#decide(subscription, incoming, seconds).finally(() => {
      this.#deciding--;
    });
  }

  /** A SUBSCRIBE within the dialog: a refresh, or with Expires 0 the end (4.2.1.3). */
  async #renew(subscription: NotifierSubscription, incoming: Incoming): Promise<Answer> {
    if (
      this.#options.freeToLeave &&
      subscription.isFrom(incoming) &&
      incoming.request.headers.get(EXPIRES) === 0
    ) {
      return this.#leave(subscription, incoming);
    }
    const identity = await this.#identify(incoming);
    if (typeof identity === "object") return identity;
    // A dialog of somebody is not to be taken over by somebody else.
    if (identity !== subscription.identity) return { status: 403 };
    if (!sameEvent(incoming.request.headers.get(EVENT), subscription.event)) return { status: 489 };
    const seconds = this.#expires(incoming);
    if (typeof seconds === "object") return seconds;
    if (!subscription.accept(incoming)) return { status: 500, reason: "CSeq out of order" };
    return this.#decide(subscription, incoming, seconds);
  }

  #leave(subscription: NotifierSubscription, incoming: Incoming): Answer {
    if (!sameEvent(incoming.request.headers.get(EVENT), subscription.event)) return { status: 489 };
    if (!subscription.accept(incoming)) return { status: 500, reason: "CSeq out of order" };
    return {
      ...accepted(subscription, incoming, 0),
      sent: () => void subscription.unsubscribed({}),
    };
  }

  async #identify(incoming: Incoming): Promise<string | undefined | Answer> {
    if (this.#options.authenticator === undefined) return undefined;
    const result = await this.#options.authenticator.check(incoming.request, incoming.flow);
    return result.ok ? result.identity : result.answer;
  }

  #expires({ request }: Incoming): number | Answer {
    const { minExpires = 60, defaultExpires = 3600, maxExpires = 86_400 } = this.#options;
    const wanted = request.headers.get(EXPIRES) ?? defaultExpires;
    if (wanted > 0 && wanted < minExpires) {
      return { status: 423, headers: (headers) => void headers.set(MIN_EXPIRES, minExpires) };
    }
    return Math.min(wanted, maxExpires);
  }

  async #decide(subscription: NotifierSubscription, incoming: Incoming, seconds: number): Promise<Answer> {
    const decision = await this.#options.onSubscribe(subscription, incoming);
    if ("refuse" in decision) return decision.refuse;
    if (!subscription.begin(decision.state, seconds)) return { status: 481 };
    this.#subscriptions.add(subscription);
    return {
      ...accepted(subscription, incoming, seconds),
      // 4.2.1.2: a NOTIFY at once, whatever the state.
      sent: () => void this.#notifyCurrent(subscription, seconds),
    };
  }

  async #notifyCurrent(subscription: NotifierSubscription, seconds: number): Promise<void> {
    let content: CurrentState = {};
    try {
      content = await this.#options.current(subscription);
    } catch {
      this.#agent.core.log("sip-notifier-failed", { package: this.package });
    }
    const sent = seconds === 0 ? subscription.unsubscribed(content) : subscription.notify(content);
    const result = await sent;
    content.answered?.(result);
  }

  /** Ends all at once, without a word: the endpoint closes. */
  close(): void {
    for (const subscription of [...this.#subscriptions]) subscription.drop({ cause: "closed" });
  }
}

function accepted(subscription: NotifierSubscription, incoming: Incoming, seconds: number): Answer {
  return {
    status: 200,
    headers: (headers) => {
      headers.copy(RECORD_ROUTE, incoming.request.headers);
      headers.set(CONTACT, subscription.contact).set(EXPIRES, seconds);
    },
  };
}
