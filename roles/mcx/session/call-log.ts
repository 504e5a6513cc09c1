/** Calls of groups, kept for operators beyond their end: how many were in each, who talked, and for how long. */
import type { CallRecord } from "../admin/metrics.ts";

/** Calls that are kept: those of a group that calls again and again drive out the oldest of all groups. */
const MOST_CALLS = 1000;
/** Talkers that are kept of a call: another one drives out who has been silent for longest. */
const MOST_TALKERS = 50;

/** The latest thousand calls of groups, for operators; in memory only. */
export class CallLog {
  readonly #now: () => number;
  readonly #listeners = new Set<(call: CallRecord) => void>();
  /** The calls by number, the oldest first. */
  readonly #calls = new Map<number, CallRecord>();
  #count = 0;

  /** @param now gives milliseconds since the Unix epoch */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Begins the record of a group's call, of which listeners hear with its first participants. */
  begin(groupUri: string): LoggedCall {
    const begun = { id: ++this.#count, groupUri, from: this.#now(), participants: 0, talkers: [] };
    this.#calls.set(begun.id, begun);
    for (const id of this.#calls.keys()) {
      if (this.#calls.size <= MOST_CALLS) break;
      this.#calls.delete(id);
    }
    return new LoggedCall(begun, this.#now, (call) => {
      // A call that others have driven out while it went on stays out.
      if (!this.#calls.has(call.id)) return;
      this.#calls.set(call.id, call);
      for (const listener of this.#listeners) listener(call);
    });
  }

  /** Returns the calls, the oldest first. */
  list(): readonly CallRecord[] {
    return [...this.#calls.values()];
  }

  /** Calls back with a call whenever its record changes, until the function that it returns is called. */
  on(changed: (call: CallRecord) => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }
}

/** A call that goes on. */
export class LoggedCall {
  readonly #now: () => number;
  readonly #changed: (call: CallRecord) => void;
  /** The time at which each of those who talk was given the floor. */
  readonly #since = new Map<string, number>();
  #record: CallRecord;

  constructor(begun: CallRecord, now: () => number, changed: (call: CallRecord) => void) {
    this.#record = begun;
    this.#now = now;
    this.#changed = changed;
  }

  /** Takes how many are in the call now. */
  attended(participants: number): void {
    if (participants > this.#record.participants) this.#change({ participants });
  }

  /** Takes who has the floor now, each user once. */
  talking(users: readonly string[]): void {
    // The floor may change until the sockets of a call that has ended are closed.
    if (this.#record.to !== undefined) return;
    const now = this.#now();
    for (const user of users) if (!this.#since.has(user)) this.#since.set(user, now);
    for (const [user, at] of this.#since) {
      if (users.includes(user)) continue;
      this.#since.delete(user);
      // A clock that is set back in the meantime makes no talk of less than nothing.
      this.#talked(user, at, Math.max(0, now - at));
    }
  }

  end(): void {
    this.talking([]);
    this.#change({ to: this.#now() });
  }

  #talked(user: string, at: number, ms: number): void {
    const before = this.#record.talkers.find((talker) => talker.user === user);
    const others = this.#record.talkers.filter((talker) => talker !== before);
    const talker = { user, talks: (before?.talks ?? 0) + 1, ms: (before?.ms ?? 0) + ms };
    this.#change({ talkers: [...others, talker].slice(-MOST_TALKERS), last: { user, at, ms } });
  }

  #change(changes: Partial<CallRecord>): void {
    this.#record = { ...this.#record, ...changes };
    this.#changed(this.#record);
  }
}
