/**
 * Finds out what other processes did, by looking at the store from time to time: messages to deliver, groups that have
 * changed, and documents whose messages were taken by another way.
 */
import type { Notice } from "../../../store/gms/notices.ts";
import type { Clock } from "../../../transport/sip/index.ts";
import { loggable } from "../common/errors.ts";
import type { GmsContext } from "../common/ports.ts";
import { SAFETY_MS } from "../common/timers.ts";
import { askBisecting } from "./bisect.ts";
import type { Delivery } from "./delivery.ts";
import type { Registry } from "./registry.ts";
import type { Revisions } from "./revisions.ts";
import type { Subscriber } from "./subscriber.ts";

/** Groups, and members, that one look is about; the next look goes on from there. */
const CHUNK = 1000;
/** Messages come by claims, so their documents, and who is in which group, are compared less often: each so many looks. */
const STAMPS_EVERY = 4;
/** Milliseconds between the word that there is something and the look for it. */
const SOON_MS = 50;

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
  #offNotices: (() => void) | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isLooking = false;
  #looks = 0;
  #lookEvery: number;
  /** There is something to find. */
  #isWanted = false;
  #compareSoon = false;
  /** Groups of which others said that they have changed. */
  readonly #changed = new Set<string>();

  constructor(deps: WatchDeps) {
    this.#deps = deps;
    this.#lookEvery = deps.context.config.limits.pollMs;
  }

  start(): void {
    const { context, registry, delivery } = this.#deps;
    this.#off = context.on({
      sealed: (members) => {
        if (members.some((member) => registry.has(member))) delivery.wake();
      },
      groupsChanged: (groups) => delivery.touch(groups.flatMap((group) => registry.watching(group))),
    });
    this.#offNotices = context.notices.on({
      notice: (notice) => this.#heard(notice),
      state: (listening) => {
        const { pollMs } = context.config.limits;
        this.#lookEvery = listening ? Math.max(pollMs, SAFETY_MS) : pollMs;
        // What came before is looked for.
        this.#lookSoon();
      },
    });
    this.#again();
  }

  #heard(notice: Notice): void {
    const { context, registry, delivery } = this.#deps;
    if (notice.what === "due" && notice.instance === context.instance) delivery.wake();
    else if (notice.what === "group") {
      if (registry.watching(notice.uri).length === 0) return;
      this.#changed.add(notice.uri);
      this.#lookSoon();
    } else if (notice.what === "also" && notice.instance === context.instance) {
      this.#compareSoon = true;
      this.#lookSoon();
    }
  }

  #again(): void {
    const { clock } = this.#deps;
    const pause = this.#isWanted ? SOON_MS : this.#lookEvery;
    this.#cancel = clock.after(pause, () => this.#lookNow());
  }

  #lookNow(): void {
    this.#isWanted = false;
    this.#isLooking = true;
    this.#looking = this.#look().then(() => {
      this.#isLooking = false;
      if (this.#cancel !== undefined) this.#again();
    });
  }

  /** After a moment, in which others may have more to tell. */
  #lookSoon(): void {
    if (this.#isWanted || this.#cancel === undefined) return;
    this.#isWanted = true;
    if (this.#isLooking) return;
    this.#cancel();
    this.#again();
  }

  async #look(): Promise<void> {
    const { context, delivery, registry } = this.#deps;
    context.metrics.subscriptions(registry.size);
    if (registry.size === 0) return;
    delivery.wake();
    const tried = (what: string, work: Promise<void>) =>
      work.then(
        () => context.faults.succeeded(what),
        (err) => context.faults.failed(what, err, "the store could not be looked at"),
      );
    await tried("look at groups", this.#compareGroups(this.#nextGroups()));
    if (++this.#looks % STAMPS_EVERY !== 0 && !this.#compareSoon) return;
    this.#compareSoon = false;
    await tried("look at documents", this.#compareStamps());
  }

  #nextGroups(): string[] {
    const { registry, revisions } = this.#deps;
    const next = this.#groups.next(() => {
      const all = registry.groups();
      revisions.keep(new Set(all));
      return all;
    });
    const groups = [...new Set([...this.#changed, ...next])];
    this.#changed.clear();
    return groups;
  }

  async #compareGroups(groups: readonly string[]): Promise<void> {
    const { context, registry, revisions, delivery } = this.#deps;
    if (groups.length === 0) return;
    const failed = new Set<string>();
    const now = await askBisecting(
      groups,
      (some) => context.store.revisions(some),
      (group, err) => {
        failed.add(group);
        context.log.error({ group, ...loggable(err) }, "a group could not be looked at");
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
      context.log.error({ member, ...loggable(err) }, "a member could not be looked at");
    const { store } = context;
    const stamps = await askBisecting(members, (some) => store.gktpStamps(some), failed);
    const groups = await askBisecting([...stamps.keys()], (some) => store.revisionsOf(some), failed);
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
    this.#offNotices?.();
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
