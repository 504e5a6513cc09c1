/**
 * A pool of workers for a KMS (sub-path "mikey-sakke/kms/pool"): issues the keys of many users on several processors.
 * Apart from the other pool, so that no client's bundle holds anything of it.
 */
import type { Core } from "../core/core.ts";
import type { KmsMaster, UserKeys } from "../kms.ts";
import { cutChunks, type PoolOptions, startPool } from "./create.ts";
import type { WorkerSource } from "./host.ts";
import { unpackKeys } from "./key-records.ts";
import { compact } from "./protocol.ts";
import type { JobSpec, PoolMemory, Scheduler } from "./scheduler.ts";

export { MAX_BATCH, type PoolOptions } from "./create.ts";
export type { WorkerMemory } from "./protocol.ts";
export type { PoolMemory } from "./scheduler.ts";

/** Users a batch: enough for the shared inversions to pay. */
const DEFAULT_BATCH = 64;

export interface IssueOptions {
  /** At most MAX_BATCH. Default 64. */
  readonly batchSize?: number;
  /** Its reason is thrown. */
  readonly signal?: AbortSignal;
  /** Called when a batch is done, also ahead of its turn. */
  readonly onProgress?: (issued: number, total: number) => void;
}

export class KmsPool {
  readonly #scheduler: Scheduler;

  /** Use `createKmsPool`. */
  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

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
   * The keys of many identifiers, in their order; the same as those of `master.issueBatch`. The master secrets are sent
   * only to workers that get a batch, and cleared there when the loop ends, in whatever way.
   *
   * @throws MikeySakkeError usage: as `issueBatch`; `DESTROYED`; crypto: `WORKER_FAILED`; the signal's reason
   */
  async *issueAll(
    master: KmsMaster,
    ids: readonly Uint8Array[],
    options: IssueOptions = {},
  ): AsyncGenerator<UserKeys[], void, undefined> {
    const { batchSize = DEFAULT_BATCH, signal, onProgress } = options;
    const chunks = cutChunks(ids.length, batchSize, this.#scheduler);
    let issued = 0;
    const spec: JobSpec = {
      tables: [],
      open() {
        const { z, ksak } = master.exportSecrets();
        return { message: { z, ksak }, transfer: [z.buffer, ksak.buffer] };
      },
      chunks: chunks.length,
      chunk: (index) => ({ message: compact(ids.slice(...chunks[index]!)) }),
    };
    const onChunk = (index: number) => {
      const [from, to] = chunks[index]!;
      issued += to - from;
      onProgress?.(issued, ids.length);
    };
    for await (const records of this.#scheduler.run<Uint8Array>(spec, { signal, onChunk })) {
      yield unpackKeys(records);
    }
  }

  /** Ends the workers after they have cleared their secrets, and the core if the pool made it. Running jobs fail. */
  destroy(): Promise<void> {
    return this.#scheduler.destroy();
  }
}

const FILE = "./kms-worker.js";
const SOURCE: WorkerSource = {
  // Not spelled out, or bundlers take it for a file of its own to carry along.
  url: () => new URL(FILE, import.meta.url),
  web: () => new Worker(new URL("./kms-worker.js", import.meta.url), { type: "module" }),
};

/** Starts a pool. Throws as `createPool`. */
export async function createKmsPool(options: PoolOptions = {}): Promise<KmsPool> {
  return new KmsPool(await startPool(SOURCE, options));
}
