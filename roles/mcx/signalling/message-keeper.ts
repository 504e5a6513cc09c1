/** Where messages for users who are away lie: in the database, or in the memory of a server that has none. */
import {
  type KeptMessage,
  type McxMessages,
  MESSAGE_ENTRY_BYTES,
  type MessageLimits,
} from "../../../store/index.ts";
import type { Clock } from "../../../transport/sip/index.ts";

export type MessageKeeper = Pick<McxMessages, "seen" | "known" | "put" | "of" | "remove" | "expired">;

interface Kept extends KeptMessage {
  /** Milliseconds of the clock. */
  readonly until: number;
}

export class MemoryMessages implements MessageKeeper {
  readonly #clock: Pick<Clock, "now">;
  /** Users who are remembered at most. */
  readonly #most: number;
  /** Until when a user is known, in the order in which they were last there. */
  readonly #known = new Map<string, number>();
  /** By user, in the order of arrival. */
  readonly #kept = new Map<string, Kept[]>();
  #octets = 0;

  constructor(clock: Pick<Clock, "now">, most: number) {
    this.#clock = clock;
    this.#most = most;
  }

  async seen(user: string, knownMs: number): Promise<void> {
    this.#known.delete(user);
    this.#known.set(user, this.#clock.now() + knownMs);
    const [oldest] = this.#known.keys();
    if (this.#known.size > this.#most) this.#known.delete(oldest!);
  }

  async known(users: readonly string[]): Promise<string[]> {
    const now = this.#clock.now();
    return users.filter((user) => (this.#known.get(user) ?? 0) > now);
  }

  async put(
    users: readonly string[],
    { name, message }: Omit<KeptMessage, "user">,
    { each, totalBytes, keepMs }: MessageLimits,
  ): Promise<KeptMessage[]> {
    const displaced: KeptMessage[] = [];
    const until = this.#clock.now() + keepMs;
    for (const user of users) {
      const kept = this.#kept.get(user) ?? [];
      if (kept.some((one) => one.name === name)) continue;
      if (each === 0 || this.#octets + sizeOf({ message }) > totalBytes) {
        displaced.push({ user, name, message });
        continue;
      }
      kept.push({ user, name, message, until });
      this.#kept.set(user, kept);
      this.#octets += sizeOf({ message });
      if (kept.length > each) displaced.push(this.#taken(kept, 0));
    }
    return displaced;
  }

  async of(user: string): Promise<KeptMessage[]> {
    const now = this.#clock.now();
    return (this.#kept.get(user) ?? []).filter(({ until }) => until > now);
  }

  async remove(user: string, name: string): Promise<void> {
    const kept = this.#kept.get(user) ?? [];
    const at = kept.findIndex((one) => one.name === name);
    if (at >= 0) this.#taken(kept, at);
  }

  async expired(limit: number): Promise<KeptMessage[]> {
    const now = this.#clock.now();
    for (const [user, until] of this.#known) {
      if (until > now) break;
      this.#known.delete(user);
    }
    const over: KeptMessage[] = [];
    for (const kept of [...this.#kept.values()]) {
      while (over.length < limit && kept[0] !== undefined && kept[0].until <= now) {
        over.push(this.#taken(kept, 0));
      }
    }
    return over;
  }

  #taken(kept: Kept[], at: number): KeptMessage {
    const [taken] = kept.splice(at, 1);
    const { user, name, message } = taken!;
    this.#octets -= sizeOf({ message });
    if (kept.length === 0) this.#kept.delete(user);
    return { user, name, message };
  }
}

function sizeOf({ message }: Pick<KeptMessage, "message">): number {
  return message.length + MESSAGE_ENTRY_BYTES;
}
