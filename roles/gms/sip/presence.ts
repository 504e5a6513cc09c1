/**
 * Tells the store whose subscriptions this process holds: which members have come and which have gone. It counts for as
 * long as the process renews its lease, one for all of them.
 */
import type { Clock } from "../../../transport/sip/index.ts";
import type { GmsContext } from "../common/ports.ts";
import type { Registry } from "./registry.ts";
import { WriteBehind } from "./write-behind.ts";

/** Members in one call. */
const CHUNK = 1000;

export interface PresenceDeps {
  readonly context: GmsContext;
  readonly clock: Clock;
  readonly registry: Registry;
  /** Members came: what waits for them may be claimed. */
  readonly came: () => void;
}

export class Presence {
  readonly #deps: PresenceDeps;
  readonly #leaseMs: number;
  readonly #changes: WriteBehind<string>;
  #stop: (() => void) | undefined;
  #renewing: Promise<void> = Promise.resolve();
  /** Whether there is a lease, without which nobody is present here. */
  #leased = false;

  constructor(deps: PresenceDeps) {
    this.#deps = deps;
    const { context, clock } = deps;
    this.#leaseMs = context.config.limits.leaseSeconds * 1000;
    const retry = (run: () => void) => void clock.after(context.config.limits.pollMs, run);
    this.#changes = new WriteBehind((members) => this.#write(members), CHUNK, retry);
  }

  /** From the first lease on. */
  #renewLater(): void {
    this.#stop = this.#deps.clock.after(this.#leaseMs / 3, () => {
      this.#renewing = this.#renew().then(() => {
        if (this.#stop !== undefined) this.#renewLater();
      });
    });
  }

  /** The member has got its first subscription here, or lost its last one. */
  changed(...members: readonly string[]): void {
    this.#changes.add(...members);
  }

  /** Writes which members are here now, whatever the order of the changes was. */
  async #write(members: readonly string[]): Promise<void> {
    const { registry, came, context } = this.#deps;
    const { store, instance, faults } = context;
    const all = [...new Set(members)];
    const here = all.filter((member) => registry.has(member));
    const gone = all.filter((member) => !registry.has(member));
    try {
      if (here.length > 0) {
        if (!this.#leased) {
          await this.#lease();
          this.#renewLater();
        }
        await store.present(instance, here);
      }
      if (gone.length > 0) await store.absent(instance, gone);
      faults.succeeded("presence");
    } catch (err) {
      faults.failed("presence", err, "presence could not be stored");
      throw err;
    }
    if (here.length > 0) came();
  }

  /** False: there was none, or it had run out and others believe this process dead. */
  async #lease(): Promise<boolean> {
    const { store, instance } = this.#deps.context;
    const { kept } = await store.renewLease(instance, this.#leaseMs);
    this.#leased = true;
    return kept;
  }

  async #renew(): Promise<void> {
    const { registry, context } = this.#deps;
    try {
      if (!(await this.#lease())) this.changed(...registry.members());
      context.faults.succeeded("lease");
    } catch (err) {
      // The next round comes before the lease is over.
      context.faults.failed("lease", err, "the lease of this process could not be renewed");
    }
  }

  /** All are gone from here. */
  async close(): Promise<void> {
    this.#stop?.();
    this.#stop = undefined;
    await this.#renewing;
    await this.#changes.close();
    const { store, instance } = this.#deps.context;
    if (this.#leased) await store.leave(instance).catch(() => undefined);
  }
}
