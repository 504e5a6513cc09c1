/**
 * Finds out what other processes did, by looking at the store from time to time: messages to deliver, groups that have
 * changed, and documents whose messages were taken by another way.
 */
import type { Clock } from "../../../transport/sip/index.ts";
import { describe } from "../errors.ts";
import type { GmsContext } from "../ports.ts";
import { askApart } from "./apart.ts";
import type { Delivery } from "./delivery.ts";
import type { Registry } from "./registry.ts";
import type { Revisions } from "./revisions.ts";
import type { Subscriber } from "./subscriber.ts";

/** Groups, and members, that one look is about; the next look goes on from there. */
const CHUNK = 1000;
/** Messages come by claims, so their documents, and who is in which group, are compared less often: each so many looks. */
const STAMPS_EVERY = 4;

export interface WatchDeps {
  readonly context: GmsContext;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly revisions: Revisions;
  readonly delivery: Delivery;
}

export class Watch {
  readonly #deps: WatchDeps;
  readonly #groups = new Round();
  readonly #members = new Round();
  #cancel: (() => void) | undefined;
  #off: (() => void) | undefined;
  #looking: Promise<void> = Promise.resolve();
  #looks = 0;

  constructor(deps: WatchDeps) {
    this.#deps = deps;
  }

  start(): void {
    const { context, registry, delivery } = this.#deps;
    this.#off = context.on({
      sealed: (members) => {
        if (members.some((member) => registry.has(member))) delivery.wake();
      },
      groupsChanged: (groups) => delivery.touch(groups.flatMap((group) => registry.watching(group))),
    });
    this.#again();
  }

  #again(): void {
    const { clock, context } = this.#deps;
    this.#cancel = clock.after(context.config.limits.pollMs, () => {
      this.#looking = this.#look().then(() => {
        if (this.#cancel !== undefined) this.#again();
      });
    });
  }

  async #look(): Promise<void> {
    const { context, delivery, registry } = this.#deps;
    context.metrics.subscriptions(registry.size);
    if (registry.size === 0) return;
    delivery.wake();
    const tried = (work: Promise<void>) =>
      work.catch((err) => context.log.error(describe(err), "the store could not be looked at"));
    await tried(this.#compareGroups());
    if (++this.#looks % STAMPS_EVERY === 0) await tried(this.#compareStamps());
  }

  async #compareGroups(): Promise<void> {
    const { context, registry, revisions, delivery } = this.#deps;
    const groups = this.#groups.next(() => {
      const all = registry.groups();
      revisions.keep(new Set(all));
      return all;
    });
    if (groups.length === 0) return;
    const failed = new Set<string>();
    const now = await askApart(
      groups,
      (some) => context.store.revisions(some),
      (group, err) => {
        failed.add(group);
        context.log.error({ group, ...describe(err) }, "a group could not be looked at");
      },
    );
    // What could not be asked about is not gone.
    const asked = failed.size === 0 ? groups : groups.filter((group) => !failed.has(group));
    const changed = revisions.changed(asked, now);
    delivery.touch(changed.flatMap((group) => registry.watching(group)));
  }

  async #compareStamps(): Promise<void> {
    const { context, registry, delivery } = this.#deps;
    const members = this.#members.next(() => registry.members());
    if (members.length === 0) return;
    const failed = (member: string, err: unknown) =>
      context.log.error({ member, ...describe(err) }, "a member could not be looked at");
    const { store } = context;
    const stamps = await askApart(members, (some) => store.gktpStamps(some), failed);
    const groups = await askApart([...stamps.keys()], (some) => store.revisionsOf(some), failed);
    for (const [member, revisionOf] of groups) {
      const stamp = stamps.get(member)!;
      const isBehind = (subscriber: Subscriber) =>
        subscriber.stamp !== stamp || !isSame(subscriber.groups, [...revisionOf.keys()]);
      const behind = registry.of(member).filter(isBehind);
      for (const subscriber of behind) subscriber.stamp = stamp;
      delivery.touch(behind);
    }
  }

  async close(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#off?.();
    await this.#looking;
  }
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((one, i) => one === others[i]);
}

/** Goes through what there is a chunk at a time, and begins again with what there is then. */
class Round {
  #rest: string[] = [];

  next(all: () => string[]): string[] {
    if (this.#rest.length === 0) this.#rest = all();
    return this.#rest.splice(0, CHUNK);
  }
}
