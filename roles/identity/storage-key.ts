/** The key that protects what a client stores: AES-256 of WebCrypto, which does not let go of it again. */
import { requireBytes } from "../../base/errors.ts";
import { subtleCrypto, unshared } from "../../base/webcrypto.ts";

export const STORAGE_KEY_BYTES = 32;

const ALGORITHM = { name: "AES-GCM", length: 256 };
const USES: KeyUsage[] = ["encrypt", "decrypt"];

export class StorageKey {
  readonly handle: CryptoKey;

  private constructor(handle: CryptoKey) {
    this.handle = handle;
  }

  /** From 32 octets of a key file or a key chain. The caller wipes them. */
  static async fromBytes(key: Uint8Array): Promise<StorageKey> {
    requireBytes(key, "storage key", STORAGE_KEY_BYTES);
    return new StorageKey(await subtleCrypto().importKey("raw", unshared(key), ALGORITHM, false, USES));
  }

  /** A new key whose octets nobody sees. */
  static async generate(): Promise<StorageKey> {
    return new StorageKey(await subtleCrypto().generateKey(ALGORITHM, false, USES));
  }

  /** A key that was stored as it is, as IndexedDB can. */
  static of(handle: CryptoKey): StorageKey {
    return new StorageKey(handle);
  }
}
