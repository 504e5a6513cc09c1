/**
 * The groups whose calls this process serves, of those of all processes: claimed when somebody joins, given back at the
 * end.
 */
import type { Contacts, McxStore } from "../../../store/index.ts";
import type { Clock } from "../../../transport/sip/index.ts";
import type { LastingFaults } from "../../server/lasting-faults.ts";
import type { Lease } from "./lease.ts";

export interface OwnedGroupsOptions {
  readonly store: Pick<McxStore, "own" | "release" | "releaseUnused">;
  readonly lease: Pick<Lease, "instance">;
  /** Whether this process has a call of the group. */
  readonly isOpen: (groupUri: string) => boolean;
  readonly clock: Clock;
  readonly faults: LastingFaults;
}

/** The process at which a call is to be joined. */
export type GroupClaim =
  /** Here, and the group stays here at least until `done` is called, unless the lease is over: `holds` says so. */
  | { readonly where: "here"; readonly holds: () => boolean; readonly done: () => void }
  | { readonly where: "elsewhere"; readonly contacts: Contacts }
  /** No process of which the database knows, or no database. */
  | { readonly where: "nowhere" };

/** Milliseconds: a client that was redirected here comes within seconds. */
const UNUSED_AFTER = 30_000;
const TIDY_EVERY = 10_000;
const OWNERS = "owners of groups";
const RELEASES = "release of groups";

export class OwnedGroups {
  readonly #options: OwnedGroupsOptions;
  /** Claims that are not done, by group. A group that is here is this process's own until it is released. */
  readonly #owned = new Map<string, number>();
  readonly #turns = new Map<string, Promise<unknown>>();
  #cancel: () => void = () => undefined;

  constructor(options: OwnedGroupsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#cancel = this.#options.clock.after(TIDY_EVERY, () => void this.#tidy());
  }

  stop(): void {
    this.#cancel();
  }

  claim(groupUri: string): Promise<GroupClaim> {
    return this.#inTurn(groupUri, () => this.#claim(groupUri));
  }

  /** The call of the group has ended here. */
  ended(groupUri: string): void {
    void this.#inTurn(groupUri, () => this.#settle(groupUri));
  }

  /** All of them are another's, as the lease is over. */
  lost(): void {
    this.#owned.clear();
  }

  async #claim(groupUri: string): Promise<GroupClaim> {
    const { store, lease, faults } = this.#options;
    const { instance } = lease;
    if (instance === undefined) return { where: "nowhere" };
    if (!this.#owned.has(groupUri)) {
      const owner = await store.own(groupUri, instance).catch((error: unknown) => {
        faults.failed(OWNERS, error, "the owner of a group is not known", { group: groupUri });
        return undefined;
      });
      if (owner !== undefined) faults.succeeded(OWNERS);
      if (owner !== undefined && owner.instance !== instance) {
        return { where: "elsewhere", contacts: owner.contacts };
      }
      if (owner === undefined || lease.instance !== instance) return { where: "nowhere" };
    }
    this.#owned.set(groupUri, (this.#owned.get(groupUri) ?? 0) + 1);
    let isDone = false;
    const done = () => {
      if (isDone) return;
      isDone = true;
      const claims = this.#owned.get(groupUri);
      // The claims of an earlier lease are no longer there.
      if (claims === undefined) return;
      this.#owned.set(groupUri, Math.max(claims - 1, 0));
      this.ended(groupUri);
    };
    return { where: "here", holds: () => lease.instance === instance, done };
  }

  async #settle(groupUri: string): Promise<void> {
    const { store, lease, isOpen, faults } = this.#options;
    if (this.#owned.get(groupUri) !== 0 || isOpen(groupUri)) return;
    this.#owned.delete(groupUri);
    const { instance } = lease;
    if (instance === undefined) return;
    try {
      await store.release(instance, groupUri);
      faults.succeeded(RELEASES);
    } catch (error) {
      faults.failed(RELEASES, error, "a group was not given back", { group: groupUri });
    }
  }

  /** Releases groups that were given to this process but that nobody joined, or whose release failed before. */
  async #tidy(): Promise<void> {
    const { store, lease, clock } = this.#options;
    const { instance } = lease;
    if (instance !== undefined) {
      await store.releaseUnused(instance, UNUSED_AFTER, [...this.#owned.keys()]).catch(() => undefined);
    }
    this.#cancel = clock.after(TIDY_EVERY, () => void this.#tidy());
  }

  /** One at a time for each group, so that it is not released while it is claimed. */
  #inTurn<T>(groupUri: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(groupUri) ?? Promise.resolve();
    const turn = before.then(work, work);
    this.#turns.set(groupUri, turn);
    const over = () => {
      if (this.#turns.get(groupUri) === turn) this.#turns.delete(groupUri);
    };
    turn.then(over, over);
    return turn;
  }
}
