/** Why subscriptions end, and what then (RFC 6665 4.1.3, 4.2.2, RFC 5057). */

/** What the notifier says in Subscription-State (4.1.3). */
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

/** Responses to SUBSCRIBE or NOTIFY that end the subscription; others leave it as it is (RFC 6665 4.1.2.2, 4.2.2). */
const ENDING = new Set([404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604]);

export function endsSubscription(status: number): boolean {
  return ENDING.has(status);
}
