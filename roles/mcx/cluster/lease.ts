/**
 * This process as one of several on a database: it lives as long as its lease, which it renews three times in that time. It
 * reckons the lease from before it asked for it, by clocks of its own, so that it stops serving before another one begins.
 */
import { toHex } from "../../../base/bytes.ts";
import type { RandomSource } from "../../../base/random.ts";
import type { Contacts, McxStore } from "../../../store/index.ts";
import type { Clock } from "../../../transport/sip/index.ts";
import type { LastingFaults } from "../../server/lasting-faults.ts";
import type { ServerLog } from "../../server/log.ts";

export interface LeaseOptions {
  readonly store: Pick<McxStore, "begin" | "renew">;
  readonly contacts: () => Contacts;
  readonly leaseMs: number;
  readonly clock: Clock;
  /**
   * Milliseconds of the host, whose differences count. The monotonic one goes on when the wall clock is set, the wall clock
   * when a machine was suspended.
   */
  readonly monotonic: () => number;
  readonly now: () => number;
  readonly random: RandomSource;
  readonly faults: LastingFaults;
  readonly log: ServerLog;
  /** The lease is over: others may have taken over what this process served. It begins anew by itself. */
  readonly onLost: () => void;
}

const NAME_BYTES = 8;
/** Renewals in the time of one lease. */
const RENEWALS = 3;
const RENEWAL = "lease";

interface Ends {
  readonly monotonicEnd: number;
  readonly wallEnd: number;
}

export class Lease {
  readonly #options: LeaseOptions;
  #instance: string | undefined;
  #monotonicEnd = 0;
  #wallEnd = 0;
  #cancelRenewal: () => void = () => undefined;
  #cancelEnd: () => void = () => undefined;
  #isStopped = false;
  #isFaulty = false;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** The name of this process while it lives. */
  get instance(): string | undefined {
    return this.isLive ? this.#instance : undefined;
  }

  get isLive(): boolean {
    const { monotonic, now } = this.#options;
    return this.#instance !== undefined && monotonic() < this.#monotonicEnd && now() < this.#wallEnd;
  }

  /** Rejects as the store. */
  async start(): Promise<void> {
    await this.#begin();
    this.#again();
  }

  /** No more renewals: the process goes on until its lease is over, or `end` of the store. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelRenewal();
    this.#cancelEnd();
  }

  async #begin(): Promise<void> {
    const { store, contacts, leaseMs, random } = this.#options;
    const ends = this.#ends();
    const instance = toHex(random(NAME_BYTES));
    await store.begin(instance, contacts(), leaseMs);
    this.#instance = instance;
    this.#lasts(ends);
  }

  async #renew(): Promise<void> {
    const { store, leaseMs, faults } = this.#options;
    const instance = this.#instance;
    const ends = this.#ends();
    try {
      if (instance === undefined) await this.#begin();
      else if (await store.renew(instance, leaseMs)) {
        if (instance === this.#instance) this.#lasts(ends);
      } else this.#lost(instance);
      faults.succeeded(RENEWAL);
      this.#isFaulty = false;
    } catch (error) {
      faults.failed(RENEWAL, error, "the lease of this process was not renewed");
      this.#isFaulty = true;
    }
    this.#again();
  }

  #again(): void {
    if (this.#isStopped) return;
    const { clock, leaseMs } = this.#options;
    this.#cancelRenewal();
    const wait = this.#instance === undefined && !this.#isFaulty ? 0 : leaseMs / RENEWALS;
    this.#cancelRenewal = clock.after(wait, () => void this.#renew());
  }

  #ends(): Ends {
    const { monotonic, now, leaseMs } = this.#options;
    return { monotonicEnd: monotonic() + leaseMs, wallEnd: now() + leaseMs };
  }

  #lasts({ monotonicEnd, wallEnd }: Ends): void {
    const { clock, monotonic } = this.#options;
    this.#monotonicEnd = monotonicEnd;
    this.#wallEnd = wallEnd;
    this.#cancelEnd();
    const instance = this.#instance!;
    if (!this.#isStopped) {
      this.#cancelEnd = clock.after(Math.max(monotonicEnd - monotonic(), 0), () => this.#lost(instance));
    }
  }

  #lost(instance: string): void {
    if (this.#instance !== instance || this.#isStopped) return;
    const { log, onLost } = this.#options;
    this.#instance = undefined;
    this.#cancelEnd();
    log.warn({ instance }, "the lease of this process is over: its calls end here");
    onLost();
  }
}
