/**
 * A pool of workers that seals group keys on several processors: worker threads in Node, Web Workers in a page
 * (sub-path "mikey-sakke/pool"). One compiled module serves all of them, and where the host shares memory they read the
 * tables of the pool's core. Each has scratch memory of its own.
 */
import type { Core } from "../core/core.ts";
import type { SealedMessage } from "../mikey/build.ts";
import type { SealPlan } from "../mikey/plan.ts";
import { type PoolOptions, startPool } from "./create.ts";
import type { WorkerSource } from "./host.ts";
import type { PoolMemory, Scheduler } from "./scheduler.ts";
import { type PoolSealKeys, type PoolSealOptions, sealWith } from "./sealing.ts";

export { MAX_BATCH, type PoolOptions } from "./create.ts";
export type { WorkerMemory } from "./protocol.ts";
export type { PoolMemory } from "./scheduler.ts";
export type { PoolSealKeys, PoolSealOptions } from "./sealing.ts";

export class Pool {
  readonly #scheduler: Scheduler;

  /** Use `createPool`. */
  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** The core that KMS domains are to be loaded on, so that the workers can read their tables. */
  get core(): Core {
    return this.#scheduler.core;
  }

  /** Number of workers. */
  get workers(): number {
    return this.#scheduler.workers;
  }

  /** The places of the memory: tables, and what each worker has for itself. */
  get memory(): PoolMemory {
    return this.#scheduler.memory;
  }

  /**
   * Seals a plan for all its members, as `sealGroup` of the package does: batches in the order of the members, of at most
   * `batchSize`, and smaller ones towards the end. No more are in flight than three for each worker, so that a slow consumer
   * slows down the workers. The signing key and the plan's key are sent only to workers that get a batch, and cleared
   * there when the loop ends, in whatever way.
   *
   * @throws MikeySakkeError usage: as `sealSlice`; `OTHER_CORE`, keys that were not loaded on `pool.core`; `DESTROYED`
   * @throws MikeySakkeError crypto: `WORKER_FAILED`, a batch failed with so many workers that it is not tried again
   * @throws the signal's reason
   *
   * @example for await (const batch of pool.sealGroup(plan, { initiator, domains })) for (const m of batch) send(m);
   */
  sealGroup(
    plan: SealPlan,
    keys: PoolSealKeys,
    options: PoolSealOptions = {},
  ): AsyncGenerator<SealedMessage[], void, undefined> {
    return sealWith(this.#scheduler, plan, keys, options);
  }

  /** Ends the workers after they have cleared their secrets, and the core if the pool made it. Running jobs fail. */
  destroy(): Promise<void> {
    return this.#scheduler.destroy();
  }
}

const FILE = "./worker.js";
const SOURCE: WorkerSource = {
  // Not spelled out, or bundlers take it for a file of its own to carry along.
  url: () => new URL(FILE, import.meta.url),
  web: () => new Worker(new URL("./worker.js", import.meta.url), { type: "module" }),
};

/**
 * Starts a pool.
 *
 * @throws MikeySakkeError crypto: `NO_WORKER`, a worker did not start; usage: `NO_WORKERS`, the host has none
 */
export async function createPool(options: PoolOptions = {}): Promise<Pool> {
  return new Pool(await startPool(SOURCE, options));
}
