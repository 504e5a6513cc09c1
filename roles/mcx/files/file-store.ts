/**
 * Files that members have uploaded for others to fetch (the media storage function of TS 23.282 7.5.2), in memory: they are
 * sealed under keys that the server does not have, and last for hours.
 */
import { toHex } from "../../../base/bytes.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import type { RandomSource } from "../../../base/random.ts";

/** The audience that may fetch a file: the members of a group, or one user. */
export type FileAudience = { readonly group: string } | { readonly user: string };

export interface StoredFile {
  readonly audience: FileAudience;
  readonly sender: string;
  readonly octets: Uint8Array;
}

export interface FileStoreOptions {
  /** Octets of all files, with 1,024 more for each. */
  readonly totalBytes: number;
  readonly keepMs: number;
  readonly now: () => number;
  readonly random: RandomSource;
}

/** An identifier alone opens no file, since its holder must be of the audience: it only has to be hard to guess. */
const ID_BYTES = 16;
/** The octets that the entry of a file takes besides its octets, so that many small ones count as well. */
const ENTRY_BYTES = 1024;
/** The part of the whole that a user may have, so that one alone does not fill it. */
const SHARE = 4;

function sizeOf({ octets }: StoredFile): number {
  return octets.length + ENTRY_BYTES;
}

export class FileStore {
  readonly #options: FileStoreOptions;
  /** In the order of their coming, which is that of their end. */
  readonly #files = new Map<string, StoredFile & { readonly until: number }>();
  readonly #ofSender = new Map<string, number>();
  #bytes = 0;

  constructor(options: FileStoreOptions) {
    this.#options = options;
  }

  /** Gives its identifier. @throws {MikeySakkeError} transport `FILES_FULL` */
  put(file: StoredFile): string {
    this.#prune();
    const { totalBytes, keepMs, now, random } = this.#options;
    const size = sizeOf(file);
    const own = (this.#ofSender.get(file.sender) ?? 0) + size;
    if (this.#bytes + size > totalBytes || own > totalBytes / SHARE) {
      throw new MikeySakkeError(
        "transport",
        "FILES_FULL",
        `files: ${file.octets.length} octets of ${file.sender} are too many now`,
      );
    }
    const id = toHex(random(ID_BYTES));
    this.#files.set(id, { ...file, until: now() + keepMs });
    this.#add(file.sender, size);
    return id;
  }

  get(id: string): StoredFile | undefined {
    this.#prune();
    return this.#files.get(id);
  }

  #prune(): void {
    const now = this.#options.now();
    for (const [id, file] of this.#files) {
      if (file.until > now) return;
      this.#files.delete(id);
      this.#add(file.sender, -sizeOf(file));
    }
  }

  #add(sender: string, size: number): void {
    this.#bytes += size;
    const own = (this.#ofSender.get(sender) ?? 0) + size;
    if (own > 0) this.#ofSender.set(sender, own);
    else this.#ofSender.delete(sender);
  }
}
