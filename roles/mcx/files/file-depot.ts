/**
 * Where the files of members are (the media storage function of TS 23.282 7.5.2): in the database, or in the memory of a server
 * that has none. They are sealed under keys that the server does not have, and last for hours.
 */
import { toHex } from "../../../base/bytes.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import type { RandomSource } from "../../../base/random.ts";
import {
  FILE_ENTRY_BYTES,
  FILE_SHARE,
  type FileFacts,
  type FileLimits,
  type McxFiles,
} from "../../../store/index.ts";

export type FileDepot = Pick<McxFiles, "put" | "find" | "read" | "prune">;

type NewFile = Parameters<FileDepot["put"]>[0];

const ID_BYTES = 16;

export class MemoryFiles implements FileDepot {
  readonly #now: () => number;
  readonly #random: RandomSource;
  /** In the order of their coming, which is that of their end. */
  readonly #files = new Map<string, NewFile & { readonly until: number }>();
  readonly #ofSender = new Map<string, number>();
  #bytes = 0;

  constructor({ now, random }: { readonly now: () => number; readonly random: RandomSource }) {
    this.#now = now;
    this.#random = random;
  }

  /** Gives its identifier. @throws {MikeySakkeError} transport `FILES_FULL` */
  async put(file: NewFile, { totalBytes, keepMs }: FileLimits): Promise<string> {
    await this.prune();
    const { sender, octets } = file;
    const size = octets.length + FILE_ENTRY_BYTES;
    const own = (this.#ofSender.get(sender) ?? 0) + size;
    if (this.#bytes + size > totalBytes || own > totalBytes / FILE_SHARE) {
      throw new MikeySakkeError(
        "transport",
        "FILES_FULL",
        `files: ${octets.length} octets of ${sender} are too many now`,
      );
    }
    const id = toHex(this.#random(ID_BYTES));
    // The multipart body goes; the file stays.
    this.#files.set(id, { ...file, octets: octets.slice(), until: this.#now() + keepMs });
    this.#add(sender, size);
    return id;
  }

  async find(id: string): Promise<FileFacts | undefined> {
    const file = this.#files.get(id);
    if (file === undefined || file.until <= this.#now()) return undefined;
    const { audience, sender, origin, octets } = file;
    return { audience, sender, origin, size: octets.length };
  }

  async *read(id: string): AsyncGenerator<Uint8Array> {
    const file = this.#files.get(id);
    if (file === undefined) throw new MikeySakkeError("transport", "FILE_GONE", `file ${id}: deleted`);
    yield file.octets;
  }

  async prune(): Promise<number> {
    const now = this.#now();
    let count = 0;
    for (const [id, file] of this.#files) {
      if (file.until > now) break;
      this.#files.delete(id);
      this.#add(file.sender, -file.octets.length - FILE_ENTRY_BYTES);
      count++;
    }
    return count;
  }

  #add(sender: string, size: number): void {
    this.#bytes += size;
    const own = (this.#ofSender.get(sender) ?? 0) + size;
    if (own > 0) this.#ofSender.set(sender, own);
    else this.#ofSender.delete(sender);
  }
}
