/** Finds out whether the keys of all groups are there. */
import type { GroupClientEvent, GroupKey, GroupKeyRing } from "../../roles/group-keys/index.ts";

export class Once {
  /** Resolves once there is a key of every group, and at least one group. */
  readonly complete: Promise<"complete">;
  readonly #ring: GroupKeyRing;
  readonly #wanted: Set<string>;
  #resolve: (end: "complete") => void = () => undefined;

  /** `groups`: those that are waited for; without any, those that the user turns out to be a member of. */
  constructor(ring: GroupKeyRing, groups: readonly string[]) {
    this.#ring = ring;
    this.#wanted = new Set(groups);
    this.complete = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  look(event: GroupClientEvent): void {
    if (event.type === "member") this.#wanted.add(event.groupUri);
    if (event.type === "not-member") this.#wanted.delete(event.groupUri);
    if (this.#wanted.size > 0 && this.missing().length === 0) this.#resolve("complete");
  }

  /** Groups without a key that can be received with. */
  missing(): string[] {
    return [...this.#wanted].filter((group) => this.#usable(group).length === 0);
  }

  /** Groups that are waited for. */
  groups(): string[] {
    return [...this.#wanted];
  }

  /** For each group without a key for the present, the time from which its first key may be used for sending. */
  pending(): ReadonlyMap<string, number> {
    const groups = new Map<string, number>();
    for (const group of this.#wanted) {
      const keys = this.#usable(group);
      if (keys.length === 0 || keys.some(({ state }) => state === "active")) continue;
      groups.set(group, Math.min(...keys.map(({ activation }) => activation)));
    }
    return groups;
  }

  keys(): GroupKey[] {
    return [...this.#wanted].flatMap((group) => this.#usable(group));
  }

  #usable(group: string): GroupKey[] {
    return this.#ring.keys(group).filter(({ state }) => state === "active" || state === "pending");
  }
}
