/** The subscriptions of this process: by dialog, by member, and by the groups whose changes concern them. */
import type { NotifierSubscription } from "../../../transport/sip/index.ts";
import type { Subscriber } from "./subscriber.ts";

export class Registry {
  readonly #byLink = new Map<NotifierSubscription, Subscriber>();
  readonly #byMember = new Map<string, Set<Subscriber>>();
  readonly #byGroup = new Map<string, Set<Subscriber>>();
  readonly #watched = new Map<Subscriber, readonly string[]>();

  get size(): number {
    return this.#byLink.size;
  }

  all(): readonly Subscriber[] {
    return [...this.#byLink.values()];
  }

  get(link: NotifierSubscription): Subscriber | undefined {
    return this.#byLink.get(link);
  }

  /** Subscriptions of a member, oldest first. */
  of(member: string): readonly Subscriber[] {
    return [...(this.#byMember.get(member) ?? [])];
  }

  has(member: string): boolean {
    return this.#byMember.has(member);
  }

  members(): string[] {
    return [...this.#byMember.keys()];
  }

  /** Groups that somebody watches. */
  groups(): string[] {
    return [...this.#byGroup.keys()];
  }

  watching(group: string): readonly Subscriber[] {
    return [...(this.#byGroup.get(group) ?? [])];
  }

  add(subscriber: Subscriber): void {
    this.#byLink.set(subscriber.link, subscriber);
    put(this.#byMember, subscriber.member, subscriber);
  }

  /** False when it was not there any more. */
  remove(subscriber: Subscriber): boolean {
    if (!this.#byLink.delete(subscriber.link)) return false;
    take(this.#byMember, subscriber.member, subscriber);
    this.watch(subscriber, []);
    return true;
  }

  /** Exchanges the groups that concern it. */
  watch(subscriber: Subscriber, groups: readonly string[]): void {
    const before = this.#watched.get(subscriber) ?? [];
    if (before.length === groups.length && before.every((group, i) => group === groups[i])) return;
    for (const group of before) take(this.#byGroup, group, subscriber);
    for (const group of groups) put(this.#byGroup, group, subscriber);
    if (groups.length > 0) this.#watched.set(subscriber, groups);
    else this.#watched.delete(subscriber);
  }
}

function put(index: Map<string, Set<Subscriber>>, key: string, subscriber: Subscriber): void {
  const there = index.get(key);
  if (there === undefined) index.set(key, new Set([subscriber]));
  else there.add(subscriber);
}

function take(index: Map<string, Set<Subscriber>>, key: string, subscriber: Subscriber): void {
  const there = index.get(key);
  there?.delete(subscriber);
  if (there?.size === 0) index.delete(key);
}
