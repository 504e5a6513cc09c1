/** The records of all GMK-IDs of one user: in storage, and in memory as they were last read or written. */
import { wipe } from "../../base/bytes.ts";
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";
import { type DeliveredKey, type KeyId, recordScope } from "../../bindings/index.ts";
import type { SecretStorage } from "../identity/storage.ts";
import { decodeGroupKey, encodeGroupKey, type GroupKeyFacts, prefixOf } from "./group-key-record.ts";

export interface GroupKeyEntry {
  readonly facts: GroupKeyFacts;
  /** There as long as `facts.end` is not. */
  readonly key: DeliveredKey | undefined;
}

const DAMAGE: ReadonlySet<ErrorCode> = new Set(["STORAGE_SEAL", "STORAGE_FORMAT"]);

export class GroupKeyTable {
  readonly #storage: SecretStorage;
  readonly #prefix: string;
  readonly #entries = new Map<string, GroupKeyEntry>();

  private constructor(storage: SecretStorage, prefix: string) {
    this.#storage = storage;
    this.#prefix = prefix;
  }

  /**
   * Reads all. A record that does not open is deleted, so that its message can be taken anew; not when none opens, as
   * then it is the storage key that is wrong.
   *
   * @throws {MikeySakkeError} crypto `STORAGE_SEAL`, codec `STORAGE_FORMAT`: no record opens
   */
  static async open(
    storage: SecretStorage,
    userUri: string,
  ): Promise<{ table: GroupKeyTable; damaged: readonly string[] }> {
    const table = new GroupKeyTable(storage, prefixOf(userUri));
    const damaged: string[] = [];
    let first: MikeySakkeError | undefined;
    try {
      for (const name of await storage.list(table.#prefix)) {
        try {
          await table.#read(name);
        } catch (error) {
          if (!(error instanceof MikeySakkeError) || !DAMAGE.has(error.code)) throw error;
          first ??= error;
          damaged.push(name);
        }
      }
      if (first !== undefined && table.#entries.size === 0) throw first;
      for (const name of damaged) await storage.delete(name);
    } catch (error) {
      table.close();
      throw error;
    }
    return { table, damaged };
  }

  get all(): IterableIterator<GroupKeyEntry> {
    return this.#entries.values();
  }

  get size(): number {
    return this.#entries.size;
  }

  get(gmkId: KeyId): GroupKeyEntry | undefined {
    return this.#entries.get(scopeOf(gmkId));
  }

  /** From storage, since another tab or process on it may have changed the record. */
  async reread(scope: string): Promise<GroupKeyEntry | undefined> {
    const found = await this.#read(this.#nameOf(scope));
    if (found === undefined) this.#forget(scope);
    return found && this.#entries.get(scope);
  }

  /** Stores first; when that fails, nothing has changed. Takes over `key`, and destroys it if it is there already. */
  async put(facts: GroupKeyFacts, key: DeliveredKey | undefined): Promise<GroupKeyEntry> {
    const scope = recordScope(facts.ledger);
    const octets = encodeGroupKey(facts, key);
    try {
      await this.#storage.put(this.#nameOf(scope), octets);
    } finally {
      wipe(octets);
    }
    return this.#keep(facts, key);
  }

  async delete({ ledger }: GroupKeyFacts): Promise<void> {
    const scope = recordScope(ledger);
    await this.#storage.delete(this.#nameOf(scope));
    this.#forget(scope);
  }

  /** Wipes what is in memory. */
  close(): void {
    for (const { key } of this.#entries.values()) key?.destroy();
    this.#entries.clear();
  }

  async #read(name: string): Promise<GroupKeyEntry | undefined> {
    const octets = await this.#storage.get(name);
    if (octets === undefined) return undefined;
    const { facts, key } = decodeGroupKey(name, octets);
    return this.#keep(facts, key);
  }

  /** One object for one key, also when the record is read or written again: others may be using it. */
  #keep(facts: GroupKeyFacts, key: DeliveredKey | undefined): GroupKeyEntry {
    const scope = recordScope(facts.ledger);
    const before = this.#entries.get(scope);
    const same = before?.key !== undefined && before.facts.ledger.fingerprint === facts.ledger.fingerprint;
    const kept = key !== undefined && same ? before.key : key;
    if (key !== kept) key?.destroy();
    if (before?.key !== kept) before?.key?.destroy();
    const entry = { facts, key: kept };
    this.#entries.set(scope, entry);
    return entry;
  }

  #forget(scope: string): void {
    this.#entries.get(scope)?.key?.destroy();
    this.#entries.delete(scope);
  }

  #nameOf(scope: string): string {
    return this.#prefix + scope.toLowerCase().replace(" ", "-");
  }
}

function scopeOf(gmkId: KeyId): string {
  return recordScope({ kind: "GMK", keyId: gmkId, initiator: "" });
}
