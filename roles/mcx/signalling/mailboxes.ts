/**
 * Messages for users who are away, until a client of theirs takes them. TS 24.282 says nothing of a receiver who cannot be
 * reached (decision D-191). What a user said in them the server cannot read.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { toHex, utf8 } from "../../../base/bytes.ts";
import type { KeptMessage, MessageLimits } from "../../../store/index.ts";
import type { Clock } from "../../../transport/sip/index.ts";
import type { LastingFaults } from "../../server/lasting-faults.ts";
import type { ServerLog } from "../../server/log.ts";
import type { McxConfig } from "../common/config.ts";
import { decodeSds, encodeSds, type Sds } from "../common/sds.ts";
import type { MessageKeeper } from "./message-keeper.ts";

export interface MailboxOptions {
  readonly limits: Pick<McxConfig["limits"], "messagesPerUser" | "keepMessages" | "messageBytes">;
  readonly keeper: MessageKeeper;
  readonly clock: Clock;
  readonly log: ServerLog;
  readonly faults: LastingFaults;
}

/** A message that will not be brought to a user any more. */
export interface Undelivered {
  readonly user: string;
  readonly sds: Sds;
}

/** Milliseconds between two looks for messages whose time is over. */
const SWEEP_MS = 2000;
const SWEEP = 64;
const SWEEPING = "kept messages";

export class Mailboxes {
  readonly #options: MailboxOptions;
  readonly #limits: MessageLimits;
  /** Ends the waits for another attempt, by user. */
  readonly #waits = new Map<string, () => void>();
  #cancelSweep: () => void = () => undefined;
  #isClosed = false;

  constructor(options: MailboxOptions) {
    const { messagesPerUser, keepMessages, messageBytes } = options.limits;
    this.#options = options;
    this.#limits = { each: messagesPerUser, totalBytes: messageBytes, keepMs: 1000 * keepMessages };
  }

  /** Tells of messages whose time is over, from now on. */
  start(undelivered: (lost: readonly Undelivered[]) => void): void {
    const { keeper, clock, faults } = this.#options;
    const sweep = async () => {
      try {
        for (let all: readonly KeptMessage[]; ; ) {
          all = await keeper.expired(SWEEP);
          if (all.length > 0) undelivered(all.map(undeliveredOf));
          if (all.length < SWEEP) break;
        }
        faults.succeeded(SWEEPING);
      } catch (error) {
        faults.failed(SWEEPING, error, "messages whose time is over were not looked for");
      }
      again();
    };
    const again = () => {
      if (!this.#isClosed) this.#cancelSweep = clock.after(SWEEP_MS, () => void sweep());
    };
    again();
  }

  /** A client of the user is bound: what cannot be brought from now on is kept. Does not reject. */
  async seen(user: string): Promise<void> {
    const { keeper, log } = this.#options;
    await keeper.seen(user, this.#limits.keepMs).catch((error: unknown) => {
      log.warn({ user, detail: String(error) }, "a user was not noted as known");
    });
  }

  /**
   * Keeps a message for those of the users who have been bound lately. Returns what will not be brought: the message itself, to
   * users who are not known or for whom there is no room, and older ones that gave way. Rejects as the store.
   */
  async keep(users: readonly string[], sds: Sds): Promise<{ readonly kept: number; lost: Undelivered[] }> {
    if (users.length === 0) return { kept: 0, lost: [] };
    const { keeper } = this.#options;
    const known = new Set(await keeper.known(users));
    const strangers = users.filter((user) => !known.has(user)).map((user) => ({ user, sds }));
    const name = nameOf(sds);
    const displaced = await keeper.put([...known], { name, message: encodeSds(sds) }, this.#limits);
    const refused = displaced.filter((one) => one.name === name);
    const older = displaced.filter((one) => one.name !== name).map(undeliveredOf);
    const lost = [...strangers, ...refused.map(({ user }) => ({ user, sds })), ...older];
    return { kept: known.size - refused.length, lost };
  }

  /** What is kept for a user, the oldest first, until it is `brought`. Rejects as the store. */
  async of(user: string): Promise<readonly Sds[]> {
    this.#waits.get(user)?.();
    this.#waits.delete(user);
    return (await this.#options.keeper.of(user)).map(({ message }) => decodeSds(message));
  }

  /** Rejects as the store. */
  brought(user: string, sds: Sds): Promise<void> {
    return this.#options.keeper.remove(user, nameOf(sds));
  }

  /** Calls `run` after a while, unless what is kept is asked for before. */
  later(user: string, milliseconds: number, run: () => void): void {
    this.#waits.get(user)?.();
    if (!this.#isClosed) this.#waits.set(user, this.#options.clock.after(milliseconds, run));
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelSweep();
    for (const cancel of this.#waits.values()) cancel();
    this.#waits.clear();
  }
}

function undeliveredOf({ user, message }: KeptMessage): Undelivered {
  return { user, sds: decodeSds(message) };
}

/** The signalling has the identifiers of the message, which are the sender's. */
function nameOf({ sender, signalling }: Sds): string {
  return toHex(sha256(utf8(`${sender} ${toHex(signalling)}`)));
}
