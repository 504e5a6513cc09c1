/**
 * Files that members have uploaded for others to fetch (the media storage function of TS 23.282 7.5.2), in memory: they are
 * sealed under keys that the server does not have, and last for hours.
 */
import { toHex } from "../../../base/bytes.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import type { RandomSource } from "../../../base/random.ts";

export interface StoredFile {
  readonly group: string;
  readonly sender: string;
  readonly octets: Uint8Array;
}

export interface FileStoreOptions {
  /** Octets of all files. */
  readonly totalBytes: number;
  readonly keepMs: number;
  readonly now: () => number;
  readonly random: RandomSource;
}

/** Whoever has the identifier must still be a member: it only has to be one that nobody comes upon. */
const ID_BYTES = 16;
/** What a user may have of the whole, so that one alone does not fill it. */
const SHARE = 4;

export class FileStore {
  readonly #options: FileStoreOptions;
  /** In the order of their coming, which is that of their end. */
  readonly #files = new Map<string, StoredFile & { readonly until: number }>();
  #bytes = 0;

  constructor(options: FileStoreOptions) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Gives its identifier. @throws {MikeySakkeError} transport `FILES_FULL` */
  put(file: StoredFile): string {
    this.#prune();
    const { totalBytes, keepMs, now, random } = this.#options;
    const { length } = file.octets;
    const own = [...this.#files.values()].reduce(
      (sum, { sender, octets }) => sum + (sender === file.sender ? octets.length : 0),
      length,
    );
    if (this.#bytes + length > totalBytes || own > totalBytes / SHARE) {
      throw new MikeySakkeError(
        "transport",
        "FILES_FULL",
        `files: ${length} octets of ${file.sender} are too many now`,
      );
    }
    const id = toHex(random(ID_BYTES));
    this.#files.set(id, { ...file, until: now() + keepMs });
    this.#bytes += length;
    return id;
  }

  get(id: string): StoredFile | undefined {
    this.#prune();
    return this.#files.get(id);
  }

  #prune(): void {
    const now = this.#options.now();
    for (const [id, { until, octets }] of this.#files) {
      if (until > now) return;
      this.#files.delete(id);
      this.#bytes -= octets.length;
    }
  }
}
