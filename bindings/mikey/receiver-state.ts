/**
 * The state that a receiver must remember between messages: which ones it has seen (replay cache, RFC 3830 5.4) and what
 * became of each key identifier. An interface, so that a server can keep it in a database.
 */
import { MikeySakkeError } from "../../base/errors.ts";
import { type NtpTime, ntpUnfold } from "../identity/ntp.ts";
import type { KeyRecord } from "./key-ledger.ts";

/** A message as the replay cache knows it. */
export interface SeenMessage {
  /** Hex SHA-256 of the signed octets. Never of the signature: (r, s) and (r, q - s) both verify. */
  readonly digest: string;
  /** T of the message. */
  readonly time: NtpTime;
  /** Lower end of the acceptance window: the window check refuses everything older. */
  readonly notBefore: NtpTime;
}

export interface ReceiverState {
  /** Returns whether the message was accepted before, or is too old for the cache to say. Nothing is written. */
  seen(message: SeenMessage): boolean | Promise<boolean>;

  /**
   * One atomic step after all checks: enters the message in the replay cache (none when it was delivered from
   * a store) and puts what `change` makes of the key record of `scope` in its place. Returns false, with
   * nothing written, when the message has been seen meanwhile. When `change` throws nothing is written either.
   */
  commit(
    scope: string,
    message: SeenMessage | undefined,
    change: (held: KeyRecord | undefined) => KeyRecord,
  ): boolean | Promise<boolean>;
}

export interface MemoryStateOptions {
  /** Messages in the replay cache. When it is full, the oldest go and whatever is as old is refused. */
  readonly maxMessages?: number;
  /** Key records. When they are full, new keys are refused until `prune` made room. */
  readonly maxKeys?: number;
  /**
   * For a host that lost its cache: messages up to this T are refused, since they may have been seen. Its
   * present time plus the window (RFC 3830 5.4).
   */
  readonly refuseUpTo?: NtpTime;
}

/** State in memory, lost with the process. */
export class MemoryReceiverState implements ReceiverState {
  /** Digests by the second of their T, so that the oldest can be dropped together. */
  readonly #seconds = new Map<bigint, Set<string>>();
  readonly #keys = new Map<string, KeyRecord>();
  readonly #maxMessages: number;
  readonly #maxKeys: number;
  #count = 0;
  #floor: bigint;

  constructor(options: MemoryStateOptions = {}) {
    this.#maxMessages = options.maxMessages ?? 100_000;
    this.#maxKeys = options.maxKeys ?? 100_000;
    this.#floor = options.refuseUpTo === undefined ? -1n : ntpUnfold(options.refuseUpTo);
  }

  seen(message: SeenMessage): boolean {
    const time = ntpUnfold(message.time);
    return time <= this.#floor || this.#seconds.get(time >> 32n)?.has(message.digest) === true;
  }

  commit(
    scope: string,
    message: SeenMessage | undefined,
    change: (held: KeyRecord | undefined) => KeyRecord,
  ): boolean {
    if (message !== undefined && this.seen(message)) return false;
    const held = this.#keys.get(scope);
    if (held === undefined && this.#keys.size >= this.#maxKeys) {
      throw new MikeySakkeError(
        "usage",
        "RECEIVER_STATE_FULL",
        `key records: ${this.#maxKeys} held, prune first`,
      );
    }
    this.#keys.set(scope, change(held));
    if (message !== undefined) this.#enter(message);
    return true;
  }

  /** Drops records of keys whose last T lies before `time`; safe once the key period of that T is over. */
  prune(time: NtpTime): void {
    for (const [scope, record] of this.#keys) {
      if (ntpUnfold(record.time) < ntpUnfold(time)) this.#keys.delete(scope);
    }
  }

  #enter(message: SeenMessage): void {
    this.#dropBefore(ntpUnfold(message.notBefore) >> 32n);
    const second = ntpUnfold(message.time) >> 32n;
    const digests = this.#seconds.get(second) ?? new Set();
    this.#seconds.set(second, digests.add(message.digest));
    this.#count++;
    while (this.#count > this.#maxMessages) this.#dropOldest();
  }

  #dropBefore(second: bigint): void {
    for (const [key, digests] of this.#seconds) {
      if (key >= second) continue;
      this.#seconds.delete(key);
      this.#count -= digests.size;
    }
  }

  /** Fails closed: what can no longer be recognised is refused by its age. */
  #dropOldest(): void {
    let oldest: bigint | undefined;
    for (const second of this.#seconds.keys()) if (oldest === undefined || second < oldest) oldest = second;
    if (oldest === undefined) return;
    this.#floor = ((oldest + 1n) << 32n) - 1n;
    this.#dropBefore(oldest + 1n);
  }
}
