/**
 * Messages for users who are away, until a client of theirs takes them. TS 24.282 says nothing of a receiver who cannot be
 * reached (decision D-191). In memory, bounded and for a while; what a user said in them the server cannot read.
 */
import type { Clock } from "../../../transport/sip/index.ts";
import type { Sds } from "../cluster/shared-data.ts";
import type { McxConfig } from "../common/config.ts";

interface Kept {
  readonly sds: Sds;
  /** Milliseconds of the clock. */
  readonly until: number;
}

interface Mailbox {
  /** The time until which a user who has no client is remembered. */
  until: number;
  /** The messages in the order of `until`, which is that of their arrival. */
  readonly kept: Kept[];
  /** Ends the wait for another attempt. */
  cancel: (() => void) | undefined;
}

/** Octets of one message that do not depend on what is in it. */
const OVERHEAD = 512;

export class Mailboxes {
  readonly #limits: McxConfig["limits"];
  readonly #clock: Clock;
  /** By user, in the order in which they were last there. */
  readonly #byUser = new Map<string, Mailbox>();
  #octets = 0;

  constructor(limits: McxConfig["limits"], clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** A client of the user is bound: what cannot be brought from now on is kept. */
  seen(user: string): void {
    const mailbox = this.#byUser.get(user) ?? { until: 0, kept: [], cancel: undefined };
    mailbox.until = this.#clock.now() + 1000 * this.#limits.keepMessages;
    this.#byUser.delete(user);
    this.#byUser.set(user, mailbox);
    const [oldest] = this.#byUser.keys();
    if (this.#byUser.size > this.#limits.clients) this.#drop(oldest!);
  }

  /** Users who are there, or have been lately. */
  users(): string[] {
    const now = this.#clock.now();
    for (const [user, { until }] of this.#byUser) {
      if (until > now) break;
      this.#drop(user);
    }
    return [...this.#byUser.keys()];
  }

  /**
   * Keeps a message, `until` then where it was kept before; the oldest of the user gives way to one more than
   * `limits.messagesPerUser`. False: the user is not known, or there is no room for any message.
   */
  put(user: string, sds: Sds, until = this.#clock.now() + 1000 * this.#limits.keepMessages): boolean {
    const mailbox = this.#byUser.get(user);
    const { messageBytes, messagesPerUser } = this.#limits;
    if (mailbox === undefined || messagesPerUser === 0) return false;
    if (this.#octets + sizeOf(sds) > messageBytes) return false;
    const { kept } = mailbox;
    // Others may have come while this one was tried again.
    kept.splice(kept.findLastIndex((one) => one.until <= until) + 1, 0, { sds, until });
    this.#octets += sizeOf(sds);
    if (kept.length > messagesPerUser) this.#octets -= sizeOf(kept.shift()!.sds);
    return true;
  }

  /** Returns all that is kept for a user, the oldest first, which is then no longer kept. */
  take(user: string): readonly Kept[] {
    const mailbox = this.#byUser.get(user);
    if (mailbox === undefined) return [];
    mailbox.cancel?.();
    mailbox.cancel = undefined;
    const now = this.#clock.now();
    const kept = mailbox.kept.splice(0);
    for (const { sds } of kept) this.#octets -= sizeOf(sds);
    return kept.filter(({ until }) => until > now);
  }

  has(user: string): boolean {
    return (this.#byUser.get(user)?.kept.length ?? 0) > 0;
  }

  /** Calls `run` after a while, unless what is kept is taken before. */
  later(user: string, milliseconds: number, run: () => void): void {
    const mailbox = this.#byUser.get(user);
    if (mailbox === undefined) return;
    mailbox.cancel?.();
    mailbox.cancel = this.#clock.after(milliseconds, run);
  }

  close(): void {
    for (const user of [...this.#byUser.keys()]) this.#drop(user);
  }

  #drop(user: string): void {
    this.take(user);
    this.#byUser.delete(user);
  }
}

function sizeOf({ signalling, payload }: Sds): number {
  return signalling.length + payload.length + OVERHEAD;
}
