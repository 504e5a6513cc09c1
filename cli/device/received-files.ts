/**
 * Files that come for a group or a user, each stored in a folder under a name of its own. What others send decides neither
 * place nor amount.
 */
import { join } from "node:path";
import { utf8 } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import type { McDataFile } from "../../bindings/mcdata/index.ts";
import type { ReceivedFile } from "../../roles/client/mcx/index.ts";
import { writeOutput } from "../terminal/files.ts";

export interface StoredFile {
  readonly path: string;
  readonly mediaType: string;
  readonly bytes: number;
}

/** Octets that one run of the command stores. */
const MAX_STORED = 256 << 20;
/** Notices that wait while a file is fetched. */
const MAX_WAITING = 64;
/** Octets of a name: with the identifier of the message before it, less than the 255 of most file systems. */
const MAX_NAME = 200;

export class ReceivedFiles {
  readonly #folder: string;
  readonly #fetch: (received: ReceivedFile) => Promise<McDataFile>;
  #left: number;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    folder: string,
    fetch: (received: ReceivedFile) => Promise<McDataFile>,
    maxStored: number = MAX_STORED,
  ) {
    this.#folder = folder;
    this.#fetch = fetch;
    this.#left = maxStored;
  }

  /**
   * Fetches and stores a file after those that came before it. A file that is there already is not replaced.
   *
   * @throws {MikeySakkeError} as `fetchFile` and `writeOutput`; usage `TOO_MANY_FILES`: too many wait, or the folder has enough
   */
  store(received: ReceivedFile): Promise<StoredFile> {
    if (this.#waiting >= MAX_WAITING) throw full(received, `${MAX_WAITING} files wait already`);
    this.#waiting++;
    const stored = this.#last.then(async () => {
      const { name, mediaType, data } = await this.#fetch(received);
      if (data.length > this.#left) throw full(received, `more than the ${this.#left} octets left for files`);
      this.#left -= data.length;
      const path = join(this.#folder, storedName(received.messageId, name));
      await writeOutput(path, data);
      return { path, mediaType, bytes: data.length };
    });
    this.#last = stored.catch(() => undefined).then(() => this.#waiting--);
    return stored;
  }
}

/**
 * The name of a file as it is stored: the identifier of its message, in hexadecimal, and what is harmless of the name that its
 * sender gave. So no file is hidden, is taken for an option or a device, or has the name of another.
 */
export function storedName(messageId: string, name: string): string {
  let plain = "";
  for (const character of name.normalize("NFC").replace(/[^\p{L}\p{N}._@+-]+/gu, "_")) {
    if (utf8(plain + character).length > MAX_NAME) break;
    plain += character;
  }
  return `${messageId}-${plain}`;
}

function full({ from }: ReceivedFile, why: string): MikeySakkeError {
  return new MikeySakkeError("usage", "TOO_MANY_FILES", `a file of ${from} is not fetched: ${why}`);
}
