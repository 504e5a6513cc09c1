/**
 * The storage in which a client keeps what outlives it (TS 33.180 5.11.2): octets by name. Each record has a name of its
 * own and is put whole, so that two tabs or processes on one storage lose nothing of each other's.
 */
import { MikeySakkeError, requireBytes } from "../../base/errors.ts";

export interface SecretStorage {
  /** A copy that the caller may wipe; undefined when there is no such record. */
  get(name: string): Promise<Uint8Array | undefined>;
  /** Puts a record in place of one of that name. When the promise resolves it is stored; after a crash it is there or not. */
  put(name: string, octets: Uint8Array): Promise<void>;
  /** As `put`, but only when there is no such record: false otherwise. Of several at a time one is told true. */
  create(name: string, octets: Uint8Array): Promise<boolean>;
  /** Does nothing when there is no such record. */
  delete(name: string): Promise<void>;
  /** Names that begin with `prefix`, in order. */
  list(prefix: string): Promise<string[]>;
}

/** The names that every storage can take: it may become the name of a file. */
const NAME = /^[a-z0-9-]+(?:\/[a-z0-9-]+)*$/;
const NAME_LENGTH = 200;

/** Throws a usage error unless `name` can name a record. */
export function requireName(name: string): void {
  if (typeof name === "string" && name.length <= NAME_LENGTH && NAME.test(name)) return;
  throw new MikeySakkeError("usage", "BAD_RECORD_NAME", "a record's name is of a-z, 0-9, - and /");
}

/** Ends with the process, or with the page. */
export class MemoryStorage implements SecretStorage {
  readonly #records = new Map<string, Uint8Array>();

  async get(name: string): Promise<Uint8Array | undefined> {
    const found = this.#records.get(name);
    return found && new Uint8Array(found);
  }

  async put(name: string, octets: Uint8Array): Promise<void> {
    requireName(name);
    requireBytes(octets, name);
    await this.delete(name);
    this.#records.set(name, new Uint8Array(octets));
  }

  async create(name: string, octets: Uint8Array): Promise<boolean> {
    requireName(name);
    requireBytes(octets, name);
    if (this.#records.has(name)) return false;
    this.#records.set(name, new Uint8Array(octets));
    return true;
  }

  async delete(name: string): Promise<void> {
    this.#records.get(name)?.fill(0);
    this.#records.delete(name);
  }

  async list(prefix: string): Promise<string[]> {
    return [...this.#records.keys()].filter((name) => name.startsWith(prefix)).sort();
  }
}
