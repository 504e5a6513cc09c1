/** Emergency calls, kept for operators beyond the talk that they began with. */
import type { EmergencyState } from "../admin/metrics.ts";

/** Emergencies that are kept: a client that calls again and again drives out the oldest. */
const MOST = 100;
/** A member who asks again within so many milliseconds goes on with the same emergency. */
const SAME_MS = 60_000;

export class Emergencies {
  readonly #now: () => number;
  readonly #listeners = new Set<(emergency: EmergencyState) => void>();
  #list: readonly EmergencyState[] = [];
  /** When each of them was heard of last, by number. */
  readonly #heard = new Map<number, number>();
  #count = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A member has asked for the floor of a group with an emergency. */
  called(groupUri: string, user: string): void {
    const at = this.#now();
    const known = this.#list.findLast((one) => one.groupUri === groupUri && one.user === user);
    if (known !== undefined && Math.abs(at - this.#heard.get(known.id)!) < SAME_MS) {
      this.#heard.set(known.id, at);
      return;
    }
    const emergency = { id: ++this.#count, groupUri, user, at };
    this.#heard.set(emergency.id, at);
    this.#list = [...this.#list, emergency];
    for (const old of this.#list.slice(0, -MOST)) this.#heard.delete(old.id);
    this.#list = this.#list.slice(-MOST);
    for (const listener of this.#listeners) listener(emergency);
  }

  list(): readonly EmergencyState[] {
    return this.#list;
  }

  on(begun: (emergency: EmergencyState) => void): () => void {
    this.#listeners.add(begun);
    return () => this.#listeners.delete(begun);
  }
}
