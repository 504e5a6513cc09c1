/** Short data of the user's groups: what came and what was sent, sealed in the storage, and what still has to go out. */
import { sha256 } from "@noble/hashes/sha2.js";
import { fromUtf8, toHex, utf8 } from "../../../base/bytes.ts";
import { systemRandom } from "../../../base/random.ts";
import type { SecretStorage } from "../../../roles/identity/index.ts";
import type { TextView } from "../messages.ts";

const FOLDER = "texts";
/** Most texts kept for all groups; older ones are dropped. */
const MOST = 500;
const ID_BYTES = 8;
const DIGITS = 15;

export class Texts {
  readonly #storage: SecretStorage;
  readonly #waiting: TextView[] = [];

  constructor(storage: SecretStorage) {
    this.#storage = storage;
  }

  /** All that are kept, the oldest first. */
  async read(): Promise<TextView[]> {
    const names = await this.#storage.list(`${FOLDER}/`);
    for (const old of names.splice(0, Math.max(0, names.length - MOST))) await this.#storage.delete(old);
    const texts: TextView[] = [];
    for (const name of names) {
      const octets = await this.#storage.get(name).catch(() => undefined);
      if (octets !== undefined) texts.push(JSON.parse(fromUtf8(octets)) as TextView);
    }
    this.#waiting.push(...texts.filter(({ isWaiting }) => isWaiting));
    return texts;
  }

  /** One's own, which waits from now on until `sent`. */
  async write(group: string, from: string, text: string, at: number): Promise<TextView> {
    const own = { id: toHex(systemRandom(ID_BYTES)), group, from, at, text, isWaiting: true };
    this.#waiting.push(own);
    await this.put(own);
    return own;
  }

  /** The next one to go out. */
  get next(): TextView | undefined {
    return this.#waiting[0];
  }

  async sent(text: TextView, messageId: string): Promise<TextView> {
    this.#waiting.splice(this.#waiting.indexOf(text), 1);
    const done = { ...text, messageId, isWaiting: false };
    await this.put(done);
    return done;
  }

  async put(text: TextView): Promise<void> {
    const id = toHex(sha256(utf8(`${text.from} ${text.id}`)).subarray(0, ID_BYTES));
    const name = `${FOLDER}/${String(text.at).padStart(DIGITS, "0")}-${id}`;
    await this.#storage.put(name, utf8(JSON.stringify(text)));
  }
}
