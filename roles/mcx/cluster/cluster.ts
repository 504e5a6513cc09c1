/** This process among those of one MCX server, which know of each other by a database. */
import { sha256 } from "@noble/hashes/sha2.js";
import type { RandomSource } from "../../../base/random.ts";
import { DEFAULT_WINDOW_MS } from "../../../bindings/index.ts";
import type { Contacts, McxStore } from "../../../store/index.ts";
import type { Clock } from "../../../transport/sip/index.ts";
import type { LastingFaults } from "../../server/lasting-faults.ts";
import type { ServerLog } from "../../server/log.ts";
import type { Sds } from "../common/sds.ts";
import { Lease } from "./lease.ts";
import { type GroupClaim, OwnedGroups } from "./owned-groups.ts";
import { SharedData } from "./shared-data.ts";

export interface ClusterOptions {
  readonly store: McxStore;
  /** Where the others send clients to. */
  readonly contacts: () => Contacts;
  readonly leaseMs: number;
  /** Whether this process has a call of the group. */
  readonly isOpen: (groupUri: string) => boolean;
  /** Others may have taken over all calls. */
  readonly onLost: () => void;
  /** Brings a message of another process to the clients that are bound here. */
  readonly deliver: (sds: Sds) => Promise<void>;
  readonly clock: Clock;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Milliseconds of a clock that nobody sets; that of the host when absent. */
  readonly monotonic?: () => number;
  readonly random: RandomSource;
  readonly faults: LastingFaults;
  readonly log: ServerLog;
}

export class Cluster {
  readonly #options: ClusterOptions;
  readonly #lease: Lease;
  readonly #groups: OwnedGroups;
  readonly #data: SharedData;

  constructor(options: ClusterOptions) {
    this.#options = options;
    const { store, clock, faults, onLost, monotonic = () => performance.now() } = options;
    this.#lease = new Lease({
      ...options,
      monotonic,
      onLost: () => {
        this.#groups.lost();
        onLost();
      },
    });
    const lease = this.#lease;
    this.#groups = new OwnedGroups({ store, lease, isOpen: options.isOpen, clock, faults });
    this.#data = new SharedData({ store, lease, deliver: options.deliver, clock, faults });
  }

  /** Returns whether this process may serve the groups that it owns. */
  get isLive(): boolean {
    return this.#lease.isLive;
  }

  /** Says from now on whether the present lease has lasted: no other one will do for what is made now. */
  fence(): () => boolean {
    const { instance } = this.#lease;
    return () => instance !== undefined && this.#lease.instance === instance;
  }

  /** Rejects as the store. */
  async start(): Promise<void> {
    await this.#lease.start();
    this.#groups.start();
    this.#data.start();
  }

  claim(groupUri: string): Promise<GroupClaim> {
    return this.#groups.claim(groupUri);
  }

  /** The call of the group has ended here. */
  ended(groupUri: string): void {
    this.#groups.ended(groupUri);
  }

  /** For the clients of the other processes. Rejects as the store. */
  post(sds: Sds): Promise<void> {
    return this.#data.post(sds);
  }

  /** False for an I_MESSAGE that one of the processes had before. Rejects as the store. */
  firstSeen(message: Uint8Array): Promise<boolean> {
    // T of a message may be as far ahead as it may be behind.
    return this.#options.store.firstSeen(sha256(message), 2 * DEFAULT_WINDOW_MS);
  }

  /** Is given no more groups, while it ends its calls. Does not reject. */
  async retire(): Promise<void> {
    const { instance } = this.#lease;
    if (instance !== undefined) await this.#options.store.retire(instance).catch(() => undefined);
  }

  /** Its groups are anybody's. Does not reject: without the database that is so when the lease is over. */
  async end(): Promise<void> {
    const { instance } = this.#lease;
    this.#groups.stop();
    this.#lease.stop();
    if (instance !== undefined) await this.#options.store.end(instance).catch(() => undefined);
    await this.#data.stop();
  }
}
