/** The storage of a user of this page: IndexedDB, sealed under a key of WebCrypto that cannot be taken out. */
import { IndexedDbStorage } from "../../../roles/identity/indexeddb-storage.ts";
import { SealedStorage } from "../../../roles/identity/sealed-storage.ts";
import type { SecretStorage } from "../../../roles/identity/storage.ts";

export async function openStorage(user: string): Promise<SecretStorage> {
  const database = await IndexedDbStorage.open(`mikey-sakke ${user}`);
  return new SealedStorage(database, await database.storageKey());
}
