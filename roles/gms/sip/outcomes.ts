/** From answers to what the store says of each message. */

import { backOff } from "../../../base/back-off.ts";
import { MEDIA, readKrr } from "../../../documents/group-xml/index.ts";
import type { ClaimedDelivery, DeliveryResult, GktpRecord } from "../../../store/gms/records.ts";
import { type Clock, CONTENT_TYPE, type NotifyResult } from "../../../transport/sip/index.ts";
import type { GmsContext } from "../common/ports.ts";
import { logDone, logOutcome } from "../common/rekey-log.ts";
import { FIRST_RETRY_MS, SAFETY_MS } from "../common/timers.ts";
import { isTooOld, sealAnew } from "./anew.ts";
import { isUntimely, reasonOf, type Verdict } from "./answers.ts";
import type { Redirects } from "./redirects.ts";
import type { Subscriber } from "./subscriber.ts";
import { WriteBehind } from "./write-behind.ts";

/** Results in one call. */
const MOST = 512;
/**
 * Longest wait before a message whose T was refused is sent again: members have their keys within ten seconds of the
 * clocks being right, and a member whose clock stays wrong costs a NOTIFY in as long.
 */
const UNTIMELY_MS = 8000;

export interface OutcomeDeps {
  readonly context: GmsContext;
  readonly clock: Clock;
  readonly redirects: Redirects;
  /** There may be messages to be sent again. */
  readonly due: () => void;
}

export class Outcomes {
  readonly claims = new ClaimedDeliveries();
  readonly #context: GmsContext;
  readonly #clock: Clock;
  readonly #due: () => void;
  readonly #redirects: Redirects;
  readonly #results: WriteBehind<DeliveryResult>;

  constructor({ context, clock, redirects, due }: OutcomeDeps) {
    this.#context = context;
    this.#clock = clock;
    this.#due = due;
    this.#redirects = redirects;
    const retry = (run: () => void) => void clock.after(context.config.limits.pollMs, run);
    this.#results = new WriteBehind((results) => this.#write(results), MOST, retry);
  }

  async #write(results: readonly DeliveryResult[]): Promise<void> {
    const { store, faults, metrics } = this.#context;
    try {
      const done = await store.record(best(results));
      faults.succeeded("outcomes");
      void logDone(this.#context, done);
    } catch (err) {
      const facts = { results: results.length };
      faults.failed("outcomes", err, "outcomes of deliveries could not be stored", facts);
      throw err;
    }
    this.#wakeFor(results);
    const counts = new Map<DeliveryResult["state"], number>();
    for (const { state } of results) counts.set(state, (counts.get(state) ?? 0) + 1);
    for (const [state, members] of counts) metrics.delivered(state, members);
  }

  #settle(result: DeliveryResult): void {
    this.claims.settle(result);
    this.#results.add(result);
  }

  /** A NOTIFY with these messages was answered, or came to nothing. */
  answered(messages: readonly GktpRecord[], verdict: Verdict, result: NotifyResult): void {
    const { status } = result;
    for (const message of messages) {
      const { memberUri, rekey, state } = message;
      const key = { memberUri, rekey };
      if (verdict === "taken") this.#told(message, { ...key, state: "acknowledged", status });
      // Sent along with something else, while the store keeps the time of its next try: that time stands.
      else if (state === "sealed" && !this.claims.has(memberUri, rekey)) continue;
      else if (verdict !== "refused") this.#told(message, this.#later(key, result));
    }
    // With several it is not known which one: each is sent alone then.
    if (verdict === "refused" && messages.length === 1) this.#refused(messages[0]!, result);
  }

  /** An outcome that the member's answer, or its absence, makes. */
  #told(message: GktpRecord, result: DeliveryResult): void {
    logOutcome(this.#context.log, message, "sip", result);
    this.#settle(result);
  }

  #later(key: { memberUri: string; rekey: number }, result: NotifyResult): DeliveryResult {
    const { config, random } = this.#context;
    const { deliveryTries, retrySeconds, offlineAfterSeconds } = config.limits;
    const untimely = isUntimely(result);
    const tries = this.claims.attempts(key.memberUri, key.rekey);
    const outcome = { ...key, status: result.status, reason: reasonOf(result) };
    const most = untimely
      ? Math.max(deliveryTries, (offlineAfterSeconds * 1000) / UNTIMELY_MS)
      : deliveryTries;
    if (tries >= most) return { ...outcome, state: "unreachable" };
    const longestMs = untimely ? UNTIMELY_MS : retrySeconds * 1000;
    const waitMs = backOff({ failures: tries, firstMs: FIRST_RETRY_MS, longestMs }, random);
    return { ...outcome, state: "sealed", waitMs };
  }

  /** A message that is to be tried again soon is not left to the next look at the store. */
  #wakeFor(results: readonly DeliveryResult[]): void {
    const waits = results.flatMap(({ state, waitMs }) => (state === "sealed" ? [waitMs ?? 0] : []));
    if (waits.length === 0) return;
    const soonest = Math.min(...waits);
    if (soonest < SAFETY_MS) this.#clock.after(soonest, this.#due);
  }

  #refused(message: GktpRecord, result: NotifyResult): void {
    const { memberUri, rekey } = message;
    const { status } = result;
    const refused = (reason: string) =>
      this.#told(message, { memberUri, rekey, state: "refused", status, reason });
    const proposed = status === 488 ? proposedBy(result) : undefined;
    this.claims.settle(message);
    if (isTooOld(result)) {
      void sealAnew(this.#context, message).then((then) => refused(`${reasonOf(result)}; ${then}`));
    } else if (proposed === undefined) refused(reasonOf(result));
    else
      void this.#redirects.follow(message, proposed).then((then) => refused(`${reasonOf(result)}; ${then}`));
  }

  /** Claims that no answer will settle any more. */
  leftOver(member: string, subscribers: readonly Subscriber[]): void {
    const { config } = this.#context;
    for (const claim of this.claims.of(member)) {
      // Claimed before its outcome was stored.
      if (subscribers.some((subscriber) => subscriber.hasSettled(claim.rekey))) this.claims.settle(claim);
      else {
        // Told by its tag alone, so it is the member's to fetch; or the last subscription is gone.
        const wait = subscribers.length > 0 ? config.limits.maxExpires : 1;
        const { memberUri, rekey } = claim;
        this.#settle({ memberUri, rekey, state: "sealed", waitMs: wait * 1000 });
      }
    }
  }

  close(): Promise<void> {
    return this.#results.close();
  }
}

const RANKS: readonly DeliveryResult["state"][] = [
  "sealed",
  "unreachable",
  "delivered",
  "refused",
  "acknowledged",
];

/**
 * If a member has several subscriptions, the one that accepted the message counts; otherwise the first that answered.
 */
function best(results: readonly DeliveryResult[]): DeliveryResult[] {
  const found = new Map<string, DeliveryResult>();
  for (const result of results) {
    const key = `${result.rekey} ${result.memberUri}`;
    const there = found.get(key);
    if (there === undefined || RANKS.indexOf(result.state) > RANKS.indexOf(there.state))
      found.set(key, result);
  }
  return [...found.values()];
}

/** KMSs that a KMS Redirect Response in the answer proposes; undefined: there is none, or none that can be read. */
function proposedBy({ response }: NotifyResult): readonly string[] | undefined {
  if (response?.headers.get(CONTENT_TYPE)?.value !== MEDIA.krr) return undefined;
  try {
    return readKrr(response.body).proposedKmsUris;
  } catch {
    return undefined;
  }
}

/** Messages that this process has claimed from the store and still owes an outcome. */
class ClaimedDeliveries {
  readonly #byMember = new Map<string, Map<number, ClaimedDelivery>>();

  add(claim: ClaimedDelivery): void {
    const there = this.#byMember.get(claim.memberUri) ?? new Map<number, ClaimedDelivery>();
    this.#byMember.set(claim.memberUri, there.set(claim.rekey, claim));
  }

  of(member: string): readonly ClaimedDelivery[] {
    return [...(this.#byMember.get(member)?.values() ?? [])];
  }

  has(member: string, rekey: number): boolean {
    return this.#byMember.get(member)?.has(rekey) ?? false;
  }

  /** Tries so far, that one included. */
  attempts(member: string, rekey: number): number {
    return this.#byMember.get(member)?.get(rekey)?.attempts ?? 1;
  }

  /** The outcome is known. */
  settle({ memberUri, rekey }: Pick<DeliveryResult, "memberUri" | "rekey">): void {
    const there = this.#byMember.get(memberUri);
    there?.delete(rekey);
    if (there?.size === 0) this.#byMember.delete(memberUri);
  }
}
