/** The database of a data folder, opened with its store key, and the core on demand. Closed in the opposite order. */
import { type Core, load } from "../../bindings/core.ts";
import { createKmsPool, type KmsPool } from "../../bindings/pool/kms.ts";
import { Envelope, KmsStore, openDatabase } from "../../store/index.ts";
import type { DataFolder } from "./data-folder.ts";
import { withStoreKey } from "./store-key.ts";

export interface OpenedStore {
  readonly store: KmsStore;
  readonly envelope: Envelope;
  /** Loads the core, with the workers that the configuration asks for. */
  core(): Promise<{ readonly core: Core; readonly pool?: KmsPool }>;
  /** Called before what stands below it is closed. */
  onClose(closer: () => unknown): void;
  close(): Promise<void>;
}

export async function openStore(
  { config, files }: DataFolder,
  environment: NodeJS.ProcessEnv,
): Promise<OpenedStore> {
  const closers: (() => unknown)[] = [];
  const close = async () => {
    for (let next = closers.pop(); next !== undefined; next = closers.pop()) await next();
  };
  try {
    const url = config.database?.url;
    const db = await openDatabase(url === undefined ? { folder: files.database } : { url });
    closers.push(() => db.close());
    const envelope = await withStoreKey({ file: files.storeKey, environment }, (key) =>
      Envelope.open(db, key),
    );
    closers.push(() => envelope.destroy());
    return {
      store: KmsStore.open(db, envelope),
      envelope,
      async core() {
        if (config.workers === 0) {
          const core = await load();
          closers.push(() => core.destroy());
          return { core };
        }
        const pool = await createKmsPool({ workers: config.workers });
        closers.push(() => pool.destroy());
        return { core: pool.core, pool };
      },
      onClose: (closer) => void closers.push(closer),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
