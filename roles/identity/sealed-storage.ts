/**
 * Storage whose records are encrypted and bound to their names (TS 33.180 5.11.1): version || IV || AES-256-GCM. What
 * it does not show is that a record was put back to what it was before, or deleted.
 */
import { concat, utf8 } from "../../base/bytes.ts";
import { MikeySakkeError, requireBytes } from "../../base/errors.ts";
import { type RandomSource, systemRandom } from "../../base/random.ts";
import { subtleCrypto, unshared } from "../../base/webcrypto.ts";
import { requireName, type SecretStorage } from "./storage.ts";
import type { StorageKey } from "./storage-key.ts";

const VERSION = 1;
const IV_BYTES = 12;
const TAG_BYTES = 16;

export class SealedStorage implements SecretStorage {
  readonly #inner: SecretStorage;
  readonly #key: CryptoKey;
  readonly #random: RandomSource;

  constructor(inner: SecretStorage, key: StorageKey, random: RandomSource = systemRandom) {
    this.#inner = inner;
    this.#key = key.handle;
    this.#random = random;
  }

  /** @throws {MikeySakkeError} crypto `STORAGE_SEAL`: another key, another name or changed octets */
  async get(name: string): Promise<Uint8Array | undefined> {
    const sealed = await this.#inner.get(name);
    if (sealed === undefined) return undefined;
    if (sealed.length < 1 + IV_BYTES + TAG_BYTES || sealed[0] !== VERSION) {
      throw new MikeySakkeError("codec", "STORAGE_FORMAT", `stored record ${name}: not of a known form`);
    }
    const iv = sealed.subarray(1, 1 + IV_BYTES);
    try {
      const plain = await subtleCrypto().decrypt(
        parameters(name, iv),
        this.#key,
        unshared(sealed.subarray(1 + IV_BYTES)),
      );
      return new Uint8Array(plain);
    } catch (cause) {
      const text = `stored record ${name}: the storage key does not open it`;
      throw new MikeySakkeError("crypto", "STORAGE_SEAL", text, { cause });
    }
  }

  async put(name: string, octets: Uint8Array): Promise<void> {
    await this.#inner.put(name, await this.#seal(name, octets));
  }

  async create(name: string, octets: Uint8Array): Promise<boolean> {
    return this.#inner.create(name, await this.#seal(name, octets));
  }

  delete(name: string): Promise<void> {
    return this.#inner.delete(name);
  }

  list(prefix: string): Promise<string[]> {
    return this.#inner.list(prefix);
  }

  async #seal(name: string, octets: Uint8Array): Promise<Uint8Array> {
    requireName(name);
    requireBytes(octets, name);
    const iv = this.#random(IV_BYTES);
    const sealed = await subtleCrypto().encrypt(parameters(name, iv), this.#key, unshared(octets));
    return concat(Uint8Array.of(VERSION), iv, new Uint8Array(sealed));
  }
}

function parameters(name: string, iv: Uint8Array): AesGcmParams {
  const additionalData = unshared(utf8(`mikey-sakke record ${VERSION} ${name}`));
  return { name: "AES-GCM", iv: unshared(iv), additionalData, tagLength: 8 * TAG_BYTES };
}
