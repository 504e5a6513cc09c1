/** The database of a data folder, opened with its store key. What was opened is closed in the opposite order. */
import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { type Core, load } from "../../bindings/core/core.ts";
import { createKmsPool, type KmsPool } from "../../bindings/pool/kms.ts";
import type { DatabaseConfig } from "../../roles/server/database-config.ts";
import { type Database, Envelope, KmsStore, openDatabase } from "../../store/index.ts";
import type { DataFiles, DataFolder } from "./data-folder.ts";
import { withStoreKey } from "./store-key.ts";

export interface OpenedDatabase {
  readonly db: Database;
  readonly envelope: Envelope;
  /** Called before what stands below it is closed. */
  onClose(closer: () => unknown): void;
  close(): Promise<void>;
}

export interface OpenedStore extends OpenedDatabase {
  readonly store: KmsStore;
  /** Loads the core, with the workers that the configuration asks for. */
  core(): Promise<{ readonly core: Core; readonly pool?: KmsPool }>;
}

export interface DatabasePlace {
  /** From the configuration. Without a URL of PostgreSQL the database is in the folder. */
  readonly database: DatabaseConfig | undefined;
  readonly files: Pick<DataFiles, "database" | "storeKey">;
}

export async function openSealedDatabase(
  { database, files }: DatabasePlace,
  environment: NodeJS.ProcessEnv,
): Promise<OpenedDatabase> {
  const closers: (() => unknown)[] = [];
  const close = async () => {
    for (let next = closers.pop(); next !== undefined; next = closers.pop()) await next();
  };
  try {
    const db = await openDatabase(
      database?.url === undefined ? { folder: files.database } : postgresOf(database, database.url),
    );
    closers.push(() => db.close());
    const envelope = await withStoreKey({ file: files.storeKey, environment }, (key) =>
      Envelope.open(db, key),
    );
    closers.push(() => envelope.destroy());
    return { db, envelope, onClose: (closer) => void closers.push(closer), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * As `openSealedDatabase`, at the start of a server. Calls `keep` from when a database of PostgreSQL may know what was made for
 * the server: one that is under another store key does not.
 */
export async function openAtStart(
  place: DatabasePlace,
  environment: NodeJS.ProcessEnv,
  keep: () => void,
): Promise<OpenedDatabase> {
  const isShared = place.database?.url !== undefined;
  try {
    const opened = await openSealedDatabase(place, environment);
    if (isShared) keep();
    return opened;
  } catch (error) {
    const isWrongKey = error instanceof MikeySakkeError && error.code === "WRONG_STORE_KEY";
    if (isShared && !isWrongKey) keep();
    throw error;
  }
}

function postgresOf({ pool: max, listenUrl }: DatabaseConfig, url: string) {
  return { url, max, ...defined({ listenUrl }) };
}

export async function openStore(data: DataFolder, environment: NodeJS.ProcessEnv): Promise<OpenedStore> {
  const place = { database: data.config.database, files: data.files };
  return kmsStoreOn(await openSealedDatabase(place, environment), data);
}

/** The store of a KMS in a database that is open. */
export function kmsStoreOn(opened: OpenedDatabase, { config }: DataFolder): OpenedStore {
  const { db, envelope, onClose } = opened;
  return {
    ...opened,
    store: KmsStore.open(db, envelope),
    async core() {
      if (config.workers === 0) {
        const core = await load();
        onClose(() => core.destroy());
        return { core };
      }
      const pool = await createKmsPool({ workers: config.workers });
      onClose(() => pool.destroy());
      return { core: pool.core, pool };
    },
  };
}
