/** Why subscriptions end, and what then (RFC 6665 4.1.3, 4.2.2, RFC 5057). */

/** The reason that the notifier gives in Subscription-State (4.1.3). */
export type TerminatedReason =
  | "deactivated"
  | "probation"
  | "rejected"
  | "timeout"
  | "giveup"
  | "noresource"
  | "invariant";

/** 4.1.3: milliseconds after which to subscribe again, 0 for at once, undefined for not at all. */
export function retryAfter(reason: string | undefined, seconds: number | undefined): number | undefined {
  switch (reason) {
    case "deactivated":
    case "timeout":
      return 0;
    case "rejected":
    case "noresource":
    case "invariant":
      return undefined;
    case "probation":
    case "giveup":
      return (seconds ?? 0) * 1000;
    default:
      // A reason that is not known counts as none: retry-after holds if it is there.
      return (seconds ?? 0) * 1000;
  }
}

/**
 * Responses to SUBSCRIBE or NOTIFY that end the subscription; others leave it as it is (RFC 6665 4.1.2.2, 4.2.2). 408 is
 * what a proxy says in place of a peer that does not answer (RFC 3261 12.2.1.2).
 */
const ENDING = new Set([404, 405, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604]);

/**
 * A peer that cannot be reached, by what a proxy says of it (RFC 5626 5.3.1 for 430; 477 is Kamailio's). RFC 5057 5.1 has
 * 503 end nothing; but a client that waits until its subscription expires gets no keys meanwhile, and a new subscription is
 * cheap.
 */
const UNREACHED = new Set([430, 477, 502, 503, 504]);
/** Statuses by which the peer shows that it is present but does not accept the method. */
const PRESENT = new Set([405, 416, 489, 501]);

export function endsSubscription(status: number): boolean {
  return ENDING.has(status);
}

/** An answer within a dialog after which there is nothing left of it for who asked. */
export function isGone(method: string, status: number): boolean {
  if (method === "OPTIONS" && PRESENT.has(status)) return false;
  return endsSubscription(status) || UNREACHED.has(status);
}
