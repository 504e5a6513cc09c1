/** Records in IndexedDB, and a storage key beside them that no script can read. */
import { MikeySakkeError, requireBytes } from "../../base/errors.ts";
import { requireName, type SecretStorage } from "./storage.ts";
import { StorageKey } from "./storage-key.ts";

const VERSION = 1;
const RECORDS = "records";
const KEYS = "keys";
const KEY_NAME = "storage";

export class IndexedDbStorage implements SecretStorage {
  readonly #db: IDBDatabase;

  private constructor(db: IDBDatabase) {
    this.#db = db;
    // A tab with a newer version of the page must be able to upgrade; this one then fails instead of blocking it.
    db.onversionchange = () => db.close();
  }

  /** Opens the database of that name, which all tabs of the origin share. */
  static async open(name: string, factory: IDBFactory = globalThis.indexedDB): Promise<IndexedDbStorage> {
    const request = factory.open(name, VERSION);
    request.onupgradeneeded = () => {
      for (const store of [RECORDS, KEYS]) request.result.createObjectStore(store);
    };
    return new IndexedDbStorage(await settled(request));
  }

  /**
   * The key of this database, made the first time. It is not extractable: scripts of the origin can use it, but not
   * carry it away, and it does not lie in the database in clear where the browser's vendor protects it.
   */
  async storageKey(): Promise<StorageKey> {
    const read = this.#db.transaction(KEYS).objectStore(KEYS);
    const stored = await settled<CryptoKey | undefined>(read.get(KEY_NAME));
    if (stored !== undefined) return StorageKey.of(stored);
    const { handle } = await StorageKey.generate();
    // Two tabs may get here: the first to write wins, within one transaction.
    const transaction = this.#db.transaction(KEYS, "readwrite", DURABLE);
    const write = transaction.objectStore(KEYS);
    const other = await settled<CryptoKey | undefined>(write.get(KEY_NAME));
    if (other === undefined) write.put(handle, KEY_NAME);
    await completed(transaction);
    return StorageKey.of(other ?? handle);
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    return settled<Uint8Array | undefined>(this.#db.transaction(RECORDS).objectStore(RECORDS).get(name));
  }

  async put(name: string, octets: Uint8Array): Promise<void> {
    requireName(name);
    requireBytes(octets, name);
    const transaction = this.#db.transaction(RECORDS, "readwrite", DURABLE);
    transaction.objectStore(RECORDS).put(new Uint8Array(octets), name);
    await completed(transaction);
  }

  async create(name: string, octets: Uint8Array): Promise<boolean> {
    requireName(name);
    requireBytes(octets, name);
    const transaction = this.#db.transaction(RECORDS, "readwrite", DURABLE);
    const store = transaction.objectStore(RECORDS);
    const isNew = (await settled<IDBValidKey | undefined>(store.getKey(name))) === undefined;
    if (isNew) store.put(new Uint8Array(octets), name);
    await completed(transaction);
    return isNew;
  }

  async delete(name: string): Promise<void> {
    const transaction = this.#db.transaction(RECORDS, "readwrite", DURABLE);
    transaction.objectStore(RECORDS).delete(name);
    await completed(transaction);
  }

  async list(prefix: string): Promise<string[]> {
    const store = this.#db.transaction(RECORDS).objectStore(RECORDS);
    const names = await settled(store.getAllKeys());
    return names.filter((name): name is string => typeof name === "string" && name.startsWith(prefix));
  }

  close(): void {
    this.#db.close();
  }
}

/** A put is on the disk when it is done. */
const DURABLE = { durability: "strict" } as const;

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(failure(request.error));
  });
}

function completed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(failure(transaction.error));
  });
}

function failure(cause: DOMException | null): MikeySakkeError {
  const text = `the browser's database failed: ${cause?.name ?? "aborted"}`;
  return new MikeySakkeError("usage", "STORAGE_FAILED", text, { cause: cause ?? undefined });
}
