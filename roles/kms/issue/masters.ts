/** The masters of a KMS as the issuer holds them: records as last read, secrets loaded when they are first needed. */

import { wipe } from "../../../base/bytes.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import type { Core } from "../../../bindings/core/core.ts";
import { KmsMaster } from "../../../bindings/kms.ts";
import { type KmsStore, type MasterRecord, masterOf } from "../../../store/index.ts";

export class Masters {
  readonly #store: KmsStore;
  readonly #core: Core;
  readonly #secrets = new Map<number, Promise<KmsMaster>>();
  #records: readonly MasterRecord[] = [];

  constructor(store: KmsStore, core: Core) {
    this.#store = store;
    this.#core = core;
  }

  /** In order of their first periods. */
  get records(): readonly MasterRecord[] {
    return this.#records;
  }

  async refresh(): Promise<void> {
    this.#records = await this.#store.masters();
  }

  /** Throws a usage error `NO_MASTER` where no master has the period. */
  of(periodNo: number): MasterRecord {
    const master = masterOf(this.#records, periodNo);
    if (master !== undefined) return master;
    const text =
      this.#records.length === 0 ? "the KMS has no master" : `no master for key period ${periodNo}`;
    throw new MikeySakkeError("usage", "NO_MASTER", text);
  }

  byId(id: number): MasterRecord | undefined {
    return this.#records.find((master) => master.id === id);
  }

  /** The secrets, ready for use. They stay loaded until `destroy`. */
  load(id: number): Promise<KmsMaster> {
    let master = this.#secrets.get(id);
    if (master === undefined) {
      master = this.#load(id);
      this.#secrets.set(id, master);
      master.catch(() => this.#secrets.delete(id));
    }
    return master;
  }

  async #load(id: number): Promise<KmsMaster> {
    const secrets = await this.#store.masterSecrets(id);
    try {
      return KmsMaster.load(this.#core, secrets);
    } finally {
      wipe(secrets.z, secrets.ksak);
    }
  }

  async destroy(): Promise<void> {
    for (const outcome of await Promise.allSettled(this.#secrets.values())) {
      if (outcome.status === "fulfilled") outcome.value.destroy();
    }
    this.#secrets.clear();
  }
}

/** Throws a usage error `MASTER_REVOKED`: keys under a revoked certificate are of no use to anybody. */
export function requireNotRevoked({ id, revoked }: MasterRecord): void {
  if (!revoked) return;
  throw new MikeySakkeError("usage", "MASTER_REVOKED", `master ${id}: its certificate is revoked`);
}
