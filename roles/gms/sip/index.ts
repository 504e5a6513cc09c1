/**
 * The GMS over SIP (TS 33.180 5.7.2.x, TS 24.481 6.3.13): notifier of `xcap-diff`, which delivers keys within the diff and
 * takes the answer to a NOTIFY for that of the member.
 */
import {
  type Clock,
  type Decision,
  EXPIRES,
  type Incoming,
  type NotifierSubscription,
  type SipEndpoint,
  systemClock,
} from "../../../transport/sip/index.ts";
import { TokenSources } from "../../server/token-sources.ts";
import type { TokenVerifier } from "../../server/tokens.ts";
import type { GmsContext } from "../common/ports.ts";
import { Delivery } from "./delivery.ts";
import { subscriberAuthenticator } from "./identity.ts";
import { MemberViews } from "./member-views.ts";
import { Outcomes } from "./outcomes.ts";
import { Presence } from "./presence.ts";
import { Redirects } from "./redirects.ts";
import { RefusedSubscribes } from "./refused-subscribes.ts";
import { Registry } from "./registry.ts";
import { Revisions } from "./revisions.ts";
import { sendAway } from "./send-away.ts";
import { SubscribeRefusal } from "./subscribe-refusal.ts";
import { readSubscribed, type Subscribed } from "./subscribed.ts";
import { Subscriber } from "./subscriber.ts";
import { Watch } from "./watch.ts";

export interface SipDeliveryOptions {
  /** Not started, or not reachable yet: `start` comes first. Whoever made it closes it, after `close`. */
  readonly endpoint: SipEndpoint;
  readonly tokens: TokenVerifier;
  /** URI of the XCAP root, in every diff. */
  readonly xcapRoot: string;
  /** The system's clock when absent. */
  readonly clock?: Clock;
}

export interface SipDelivery {
  /** SIP subscriptions of this process. */
  readonly subscriptions: number;
  start(): void;
  /**
   * Sends every subscriber to another server, for at most so many milliseconds, and waits for what is being stored. What
   * was not answered is delivered by another process, or later.
   */
  close(milliseconds: number): Promise<void>;
}

/** Seconds after which a subscription that made room for a newer one of the same member may be tried again. */
const DISPLACED_RETRY = 3600;

export function createSipDelivery(context: GmsContext, options: SipDeliveryOptions): SipDelivery {
  const { endpoint, tokens, clock = systemClock } = options;
  const xcapRoot = options.xcapRoot.endsWith("/") ? options.xcapRoot : `${options.xcapRoot}/`;
  const { config, now, metrics, store } = context;
  const { limits } = config;
  const authorizationServer = () => config.tokens?.issuer;

  const registry = new Registry();
  const revisions = new Revisions();
  const views = new MemberViews(store);
  const refused = new RefusedSubscribes(context);
  const redirects = new Redirects(context);
  const outcomes = new Outcomes({ context, clock, redirects, due: () => delivery.wake() });
  const left = (member: string) => presence.changed(member);
  const delivery = new Delivery({ context, clock, registry, revisions, outcomes, views, xcapRoot, left });
  const presence = new Presence({ context, clock, registry, came: () => delivery.wake() });
  const watch = new Watch({ context, clock, registry, revisions, delivery });
  let isClosing = false;

  async function decide(link: NotifierSubscription, incoming: Incoming): Promise<Decision> {
    // RFC 3261 21.5.4: without a Retry-After the client goes to the next server.
    if (isClosing) return { refuse: { status: 503 } };
    // The authenticator vouches for it.
    const member = link.identity!;
    try {
      const known = registry.get(link);
      const subscribed = readSubscribed(incoming.request, {
        member,
        xcapRoot,
        maxOctets: limits.bodyBytes,
        maxEntries: limits.subscribedDocuments,
        before: known?.wanted,
      });
      // RFC 5875 4.7: what does not exist yet, or may not be read yet, stays pending; a user in no group hears of the
      // first.
      accept(link, member, subscribed, known);
      if (subscribed.leftOut > 0) refused.leftOut(member, subscribed.leftOut);
      // One that ends a subscription, over a connection that is not its own, comes here too.
      if (incoming.request.headers.get(EXPIRES) !== 0) metrics.subscribed("ok");
      return { state: "active" };
    } catch (error) {
      if (!(error instanceof SubscribeRefusal)) throw error;
      refused.note(member, error, true);
      return { refuse: error.answer(authorizationServer()) };
    }
  }

  function accept(
    link: NotifierSubscription,
    member: string,
    subscribed: Subscribed,
    known?: Subscriber,
  ): void {
    if (known !== undefined) {
      known.wanted = subscribed;
      return;
    }
    const others = registry.of(member);
    // Devices that vanished leave subscriptions behind; the oldest makes room.
    for (const oldest of others.slice(0, Math.max(0, others.length - limits.subscriptionsPerUser + 1))) {
      registry.remove(oldest);
      void oldest.link.terminate("giveup", { retryAfter: DISPLACED_RETRY });
    }
    registry.add(new Subscriber(link, member, subscribed));
    if (others.length === 0) presence.changed(member);
  }

  function ended(link: NotifierSubscription): void {
    const subscriber = registry.get(link);
    if (subscriber === undefined) return;
    registry.remove(subscriber);
    if (!registry.has(subscriber.member)) presence.changed(subscriber.member);
    delivery.ended(subscriber);
  }

  async function current(link: NotifierSubscription) {
    const subscriber = registry.get(link);
    return subscriber === undefined ? {} : delivery.initial(subscriber);
  }

  return {
    get subscriptions() {
      return registry.size;
    },
    start() {
      endpoint.notifier({
        package: "xcap-diff",
        authenticator: subscriberAuthenticator({
          tokens,
          now,
          maxOctets: limits.bodyBytes,
          sources: new TokenSources(config.sip?.trustedProxies ?? []),
          authorizationServer,
          refused: (claimed, refusal) => refused.note(claimed, refusal, false),
        }),
        onSubscribe: decide,
        current,
        onEnd: ended,
        freeToLeave: true,
        minExpires: limits.minExpires,
        maxExpires: limits.maxExpires,
        maxSubscriptions: limits.subscriptions,
      });
      watch.start();
    },
    async close(milliseconds) {
      isClosing = true;
      // A balancer that asks by OPTIONS is to send nobody here any more.
      endpoint.onRequest("OPTIONS", () => ({ status: 503 }));
      const most = limits.notifiesInFlight;
      const [left] = await Promise.all([
        sendAway(registry.all(), { clock, most, milliseconds }),
        watch.close(),
        delivery.close(),
      ]);
      if (left > 0) context.log.warn({ left }, "subscribers that were not told that the server stops");
      await redirects.close();
      await outcomes.close();
      await presence.close();
    },
  };
}
