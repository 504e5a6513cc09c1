/**
 * Sends what there is to tell: messages that the store gives this process to deliver, and changes of documents. Many at a
 * time, one to each subscription; whoever takes long holds up nobody else.
 */

import { backOff } from "../../../base/back-off.ts";
import type { Clock, CurrentState, NotifyResult } from "../../../transport/sip/index.ts";
import { loggable } from "../common/errors.ts";
import type { GmsContext } from "../common/ports.ts";
import { logSent } from "../common/rekey-log.ts";
import { FIRST_RETRY_MS } from "../common/timers.ts";
import { verdictOf } from "./answers.ts";
import type { MemberView } from "./documents.ts";
import type { MemberViews } from "./member-views.ts";
import { NotifySlots } from "./notify-slots.ts";
import type { Outcomes } from "./outcomes.ts";
import type { Registry } from "./registry.ts";
import type { Revisions } from "./revisions.ts";
import type { NotifyDraft, Subscriber } from "./subscriber.ts";

/** Messages that are claimed in one call. */
const MOST_CLAIMS = 256;

export interface DeliveryDeps {
  readonly context: GmsContext;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly revisions: Revisions;
  readonly outcomes: Outcomes;
  readonly views: MemberViews;
  readonly xcapRoot: string;
  /** The store believes that a member is subscribed here who is not. */
  readonly left: (member: string) => void;
}

export class Delivery {
  readonly #deps: DeliveryDeps;
  readonly #slots: NotifySlots;
  /** Subscriptions to be looked at again. */
  readonly #dirty = new Set<Subscriber>();
  /** Counts the reasons to look for messages; `#looked` is the one at which there were no more. */
  #wakes = 1;
  #looked = 0;
  #running: Promise<void> | undefined;
  /** After a failure of the store, until the next wake. */
  #paused = false;
  #closed = false;

  constructor(deps: DeliveryDeps) {
    this.#deps = deps;
    const { config } = deps.context;
    this.#slots = new NotifySlots(deps.clock, config.limits.notifiesInFlight, () => this.#start());
  }

  /** There may be messages to claim. */
  wake(): void {
    this.#wakes++;
    this.#paused = false;
    this.#start();
  }

  /** The documents of these subscriptions may have changed. */
  touch(subscribers: readonly Subscriber[]): void {
    for (const subscriber of subscribers) this.#dirty.add(subscriber);
    this.#start();
  }

  #start(): void {
    if (this.#hasWork) this.#running ??= this.#run();
  }

  get #hasWork(): boolean {
    if (this.#closed || this.#paused || this.#slots.free === 0) return false;
    return this.#dirty.size > 0 || this.#looked !== this.#wakes;
  }

  async #run(): Promise<void> {
    // What comes within one turn of the event loop goes together.
    await new Promise<void>((resolve) => setImmediate(resolve));
    try {
      while (this.#hasWork) await this.#round(this.#slots.free);
      this.#deps.context.faults.succeeded("claims of deliveries");
    } catch (err) {
      this.#paused = true;
      this.#deps.context.faults.failed("claims of deliveries", err, "deliveries could not be claimed");
    }
    this.#running = undefined;
  }

  async #round(room: number): Promise<void> {
    const claimed = this.#looked === this.#wakes ? [] : await this.#claim(Math.ceil(room / 2));
    const turn = new Set<Subscriber>();
    for (const subscriber of [...claimed, ...this.#dirty]) {
      if (turn.size >= room && !claimed.includes(subscriber)) break;
      this.#dirty.delete(subscriber);
      if (subscriber.lock.take()) turn.add(subscriber);
    }
    if (turn.size > 0) await this.#serve([...turn]);
  }

  async #claim(room: number): Promise<readonly Subscriber[]> {
    const { context, registry, outcomes } = this.#deps;
    const wakes = this.#wakes;
    const limit = Math.min(room, MOST_CLAIMS);
    const leaseMs = context.config.limits.leaseSeconds * 1000;
    const { instance } = context;
    // With a wrong clock the next look finds out that it is right again.
    const isRight = context.clock.isRight();
    const claims = isRight ? await context.store.claimDeliveries({ instance, leaseMs, limit }) : [];
    if (claims.length < limit) this.#looked = wakes;
    for (const claim of claims) outcomes.claims.add(claim);
    const members = [...new Set(claims.map(({ memberUri }) => memberUri))];
    for (const member of members) {
      if (registry.has(member)) continue;
      outcomes.leftOver(member, []);
      // Left while the message was stored: the store is told once more.
      this.#deps.left(member);
    }
    return members.flatMap((member) => registry.of(member));
  }

  /** Their locks are taken. */
  async #serve(subscribers: readonly Subscriber[]): Promise<void> {
    let views: ReadonlyMap<string, MemberView>;
    try {
      views = await this.#deps.views.load([...new Set(subscribers.map(({ member }) => member))]);
    } catch (error) {
      for (const subscriber of subscribers) {
        subscriber.lock.release();
        this.#dirty.add(subscriber);
      }
      throw error;
    }
    for (const subscriber of subscribers) {
      const draft = subscriber.over ? undefined : this.#draft(subscriber, views.get(subscriber.member)!);
      if (draft === undefined) this.#release(subscriber, false);
      else void this.#send(subscriber, draft);
    }
  }

  #draft(subscriber: Subscriber, view: MemberView, always = false): NotifyDraft | undefined {
    const { context, registry, revisions, xcapRoot } = this.#deps;
    try {
      const most = context.config.limits.messagesPerNotify;
      const draft = subscriber.draft(view, { xcapRoot, most, always });
      registry.watch(subscriber, subscriber.groups);
      // Somebody may have changed a group after the view was taken, and before it was watched.
      if (revisions.areNewer(view.groups)) this.#dirty.add(subscriber);
      return draft;
    } catch (err) {
      context.log.error({ ...loggable(err), member: subscriber.member }, "an xcap-diff could not be written");
      return undefined;
    }
  }

  async #send(subscriber: Subscriber, draft: NotifyDraft): Promise<void> {
    const ended = this.#begin(subscriber, draft);
    ended(await subscriber.link.notify(draft.content));
  }

  /** Takes a slot; what it returns is called with the answer. */
  #begin(
    subscriber: Subscriber,
    draft: NotifyDraft,
    slot = this.#slots.take(),
  ): (result: NotifyResult) => void {
    const { now, metrics, log, tracing } = this.#deps.context;
    const started = now();
    const spans = draft.messages.map((message) => {
      logSent(log, message, "sip");
      const attributes = { "mikey_sakke.rekey": message.rekey, "mikey_sakke.member": message.memberUri };
      return tracing.begin("gms.deliver", { parent: message.traceparent, kind: "producer", attributes });
    });
    metrics.notifiesInFlight(this.#slots.unanswered);
    return (result) => {
      slot();
      metrics.notifiesInFlight(this.#slots.unanswered);
      const failure = result.status < 300 ? undefined : String(result.status);
      for (const span of spans) span.end(failure, { "mikey_sakke.sip.status": result.status });
      metrics.notified(result.status === 408 ? "timeout" : String(result.status), now() - started);
      this.#answered(subscriber, draft, result);
    };
  }

  #answered(subscriber: Subscriber, draft: NotifyDraft, result: NotifyResult): void {
    const verdict = verdictOf(result, subscriber.over, draft.messages.length);
    const more = subscriber.answered(draft, verdict);
    this.#deps.outcomes.answered(draft.messages, verdict, result);
    // What the store does not see to is tried again from here.
    const isOpen = draft.messages.some(({ state }) => state !== "acknowledged" && state !== "refused");
    if (verdict === "later" && !isOpen) this.#later(subscriber);
    this.#release(subscriber, more);
  }

  #later(subscriber: Subscriber): void {
    const { config, random } = this.#deps.context;
    const wait = backOff(
      {
        failures: subscriber.failures,
        firstMs: FIRST_RETRY_MS,
        longestMs: config.limits.retrySeconds * 1000,
      },
      random,
    );
    this.#deps.clock.after(wait, () => {
      if (!subscriber.over) this.touch([subscriber]);
    });
  }

  #release(subscriber: Subscriber, more: boolean): void {
    const wanted = subscriber.lock.release();
    if (subscriber.over) this.ended(subscriber);
    else if (more || wanted) this.touch([subscriber]);
    else this.#leftOver(subscriber.member);
  }

  #leftOver(member: string): void {
    const subscribers = this.#deps.registry.of(member);
    const isOpen = (subscriber: Subscriber) => subscriber.lock.taken || this.#dirty.has(subscriber);
    if (!subscribers.some(isOpen)) this.#deps.outcomes.leftOver(member, subscribers);
  }

  /** The NOTIFY after a SUBSCRIBE: the full state, or as much as one NOTIFY may hold. */
  async initial(subscriber: Subscriber): Promise<CurrentState> {
    if (subscriber.isNew) subscriber.isNew = false;
    else await subscriber.lock.wait();
    const slot = await this.#slots.wait();
    try {
      subscriber.begin();
      const draft = this.#draft(subscriber, await this.#deps.views.of(subscriber.member), true);
      if (draft === undefined) throw new Error("no state");
      return { ...draft.content, answered: this.#begin(subscriber, draft, slot) };
    } catch (error) {
      slot();
      this.#later(subscriber);
      this.#release(subscriber, false);
      throw error;
    }
  }

  /** The subscription is over. What a NOTIFY under way comes to is yet to be heard. */
  ended(subscriber: Subscriber): void {
    this.#dirty.delete(subscriber);
    if (!subscriber.lock.taken) this.#leftOver(subscriber.member);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }
}
