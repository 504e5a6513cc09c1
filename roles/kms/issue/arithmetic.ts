/** The arithmetic of issuing: with the workers of a pool, else here in small steps. */
import { defined } from "../../../base/defined.ts";
import { SerialQueue } from "../../../base/serial-queue.ts";
import type { KmsMaster, UserKeys } from "../../../bindings/kms.ts";
import type { KmsPool } from "../../../bindings/pool/kms.ts";
import { slices } from "./in-order.ts";
import { wipeKeys } from "./key-sets.ts";

/** Users in one call: enough for the shared inversions to pay, few enough for the event loop to go on. */
const BATCH = 64;
/** Fewer are worked out here, since a worker has to be given the master secrets first. */
const LEAST_FOR_POOL = 16;

export class Arithmetic {
  readonly #pool: KmsPool | undefined;
  /** One call at a time: each takes the processor. */
  readonly #queue = new SerialQueue();

  constructor(pool: KmsPool | undefined) {
    this.#pool = pool;
  }

  /** The keys of identifiers, in their order. */
  async issue(
    master: KmsMaster,
    uids: readonly Uint8Array[],
    signal: AbortSignal | undefined,
  ): Promise<UserKeys[]> {
    const keys: UserKeys[] = [];
    try {
      if (this.#pool === undefined || uids.length < LEAST_FOR_POOL)
        await this.#here(master, uids, keys, signal);
      else {
        const options = { batchSize: BATCH, ...defined({ signal }) };
        for await (const batch of this.#pool.issueAll(master, uids, options)) keys.push(...batch);
      }
      return keys;
    } catch (error) {
      wipeKeys(keys);
      throw error;
    }
  }

  async #here(
    master: KmsMaster,
    uids: readonly Uint8Array[],
    into: UserKeys[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    await this.#queue.run(async () => {
      for (const [i, batch] of [...slices(uids, BATCH)].entries()) {
        if (i > 0) await new Promise((resolve) => setImmediate(resolve));
        signal?.throwIfAborted();
        into.push(...master.issueBatch(batch));
      }
    });
  }
}
