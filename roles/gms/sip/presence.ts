/** Tells the store whose subscriptions this process holds, for as long as it holds them and lives. */
import type { Clock } from "../../../transport/sip/index.ts";
import { describe } from "../errors.ts";
import type { GmsContext } from "../ports.ts";
import { Gathered } from "./gathered.ts";
import type { Registry } from "./registry.ts";

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
  readonly #changes: Gathered<string>;
  #stop: (() => void) | undefined;
  #renewing: Promise<void> = Promise.resolve();

  constructor(deps: PresenceDeps) {
    this.#deps = deps;
    const { context, clock } = deps;
    this.#leaseMs = context.config.limits.leaseSeconds * 1000;
    const retry = (run: () => void) => void clock.after(context.config.limits.pollMs, run);
    this.#changes = new Gathered((members) => this.#write(members), CHUNK, retry);
  }

  start(): void {
    this.#stop = this.#deps.clock.after(this.#leaseMs / 3, () => {
      this.#renewing = this.#renew();
    });
  }

  /** The member has got its first subscription here, or lost its last one. */
  changed(member: string): void {
    this.#changes.add(member);
  }

  /** What holds now counts, whatever the order of the changes was. */
  async #write(members: readonly string[]): Promise<void> {
    const { registry, came } = this.#deps;
    const all = [...new Set(members)];
    const here = all.filter((member) => registry.has(member));
    const gone = all.filter((member) => !registry.has(member));
    await this.#tell(here, gone);
    if (here.length > 0) came();
  }

  async #tell(here: readonly string[], gone: readonly string[]): Promise<void> {
    const { store, instance, now, log } = this.#deps.context;
    try {
      if (here.length > 0) await store.present(instance, here, now() + this.#leaseMs);
      if (gone.length > 0) await store.absent(instance, gone);
    } catch (err) {
      log.error(describe(err), "presence could not be stored");
      throw err;
    }
  }

  async #renew(): Promise<void> {
    const members = this.#deps.registry.members();
    try {
      for (let i = 0; i < members.length; i += CHUNK) await this.#tell(members.slice(i, i + CHUNK), []);
    } catch {
      // Told; the next round comes before the lease is over.
    }
    if (this.#stop !== undefined) this.start();
  }

  /** All are gone from here. */
  async close(): Promise<void> {
    this.#stop?.();
    this.#stop = undefined;
    await this.#renewing;
    await this.#changes.close();
    const members = this.#deps.registry.members();
    for (let i = 0; i < members.length; i += CHUNK) {
      await this.#tell([], members.slice(i, i + CHUNK)).catch(() => undefined);
    }
  }
}
