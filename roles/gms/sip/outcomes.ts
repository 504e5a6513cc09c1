/** From answers to what the store says of each message. */
import type { DeliveryResult, GktpRecord } from "../../../store/gms/records.ts";
import { MEDIA, readKrr } from "../../../transport/group-xml/index.ts";
import { type Clock, CONTENT_TYPE, type NotifyResult } from "../../../transport/sip/index.ts";
import { backOff } from "../back-off.ts";
import { describe } from "../errors.ts";
import type { GmsContext } from "../ports.ts";
import { reasonOf, type Verdict } from "./answers.ts";
import { Claims } from "./claims.ts";
import { Gathered } from "./gathered.ts";
import type { Redirects } from "./redirects.ts";
import type { Subscriber } from "./subscriber.ts";

/** Results in one call. */
const MOST = 512;

export interface OutcomeDeps {
  readonly context: GmsContext;
  readonly clock: Clock;
  readonly redirects: Redirects;
}

export class Outcomes {
  readonly claims = new Claims();
  readonly #context: GmsContext;
  readonly #redirects: Redirects;
  readonly #results: Gathered<DeliveryResult>;

  constructor({ context, clock, redirects }: OutcomeDeps) {
    this.#context = context;
    this.#redirects = redirects;
    const retry = (run: () => void) => void clock.after(context.config.limits.pollMs, run);
    this.#results = new Gathered((results) => this.#write(results), MOST, retry);
  }

  async #write(results: readonly DeliveryResult[]): Promise<void> {
    const { store, now, log, metrics } = this.#context;
    try {
      await store.record(best(results), now());
    } catch (err) {
      log.error({ ...describe(err), results: results.length }, "outcomes of deliveries could not be stored");
      throw err;
    }
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
    for (const { memberUri, rekey } of messages) {
      const key = { memberUri, rekey };
      if (verdict === "taken") this.#settle({ ...key, state: "acknowledged", status });
      else if (verdict !== "refused") this.#settle(this.#later(key, status, reasonOf(result)));
    }
    // With several it is not known which one: each is sent alone then.
    if (verdict === "refused" && messages.length === 1) this.#refused(messages[0]!, result);
  }

  #later(key: { memberUri: string; rekey: number }, status: number, reason: string): DeliveryResult {
    const { config, random, now } = this.#context;
    const { deliveryTries, retrySeconds } = config.limits;
    const tries = this.claims.attempts(key.memberUri, key.rekey);
    if (tries >= deliveryTries) return { ...key, state: "unreachable", status, reason };
    const nextAt = now() + backOff(tries, retrySeconds, random);
    return { ...key, state: "sealed", status, reason, nextAt };
  }

  #refused(message: GktpRecord, result: NotifyResult): void {
    const { memberUri, rekey } = message;
    const { status } = result;
    const refused = (reason: string) => this.#settle({ memberUri, rekey, state: "refused", status, reason });
    const proposed = status === 488 ? proposedBy(result) : undefined;
    this.claims.settle(message);
    if (proposed === undefined) refused(reasonOf(result));
    else
      void this.#redirects.follow(message, proposed).then((then) => refused(`${reasonOf(result)}; ${then}`));
  }

  /** Claims that no answer will settle any more. */
  leftOver(member: string, subscribers: readonly Subscriber[]): void {
    const { config, now } = this.#context;
    for (const claim of this.claims.of(member)) {
      // Claimed before its outcome was stored.
      if (subscribers.some((subscriber) => subscriber.hasSettled(claim.rekey))) this.claims.settle(claim);
      else {
        // Told by its tag alone, so it is the member's to fetch; or the last subscription is gone.
        const wait = subscribers.length > 0 ? config.limits.maxExpires : 1;
        const { memberUri, rekey } = claim;
        this.#settle({ memberUri, rekey, state: "sealed", nextAt: now() + wait * 1000 });
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

/** Of several subscriptions of one member the one that took the message counts; else the first to say something. */
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
