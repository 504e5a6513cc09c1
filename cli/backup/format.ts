/**
 * A backup file: gzip of lines. The first is the header, those of a snapshot follow (store/database/snapshot-lines.ts), and the
 * last is `["digest", sha256, mac]` over all before it. The digest shows damage to anybody; the MAC, under a key that the store
 * key gives, shows to whoever has that key that nobody else wrote or changed it.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { MikeySakkeError } from "../../base/errors.ts";
import { fileError } from "../../base/file-error.ts";
import { damaged } from "../../store/index.ts";
import { markOf } from "../server/store-key.ts";
import { usageError } from "../terminal/usage.ts";
import { linesOf } from "./lines.ts";

const FORMAT = "mikey-sakke backup";
/** Goes up when older programs could not read a file, or would read it wrongly. */
export const FORMAT_VERSION = 1;

export interface BackupHeader {
  readonly format: typeof FORMAT;
  readonly version: number;
  /** Version of the program that made it. */
  readonly program: string;
  /** The kind of database that was copied. */
  readonly database: "pglite" | "postgresql";
  /** The mark of the store key that opens it, see `markOf`. */
  readonly storeKey: string;
  /** The configuration file, without the places of databases, which may have passwords. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** Digest and MAC of the lines that are handed over. */
class Sums {
  readonly #hash = createHash("sha256");
  readonly #mac;

  constructor(storeKey: Uint8Array) {
    const key = createHmac("sha256", storeKey).update(FORMAT).digest();
    this.#mac = createHmac("sha256", key);
    key.fill(0);
  }

  add(line: string | Uint8Array): void {
    for (const sum of [this.#hash, this.#mac]) sum.update(line).update("\n");
  }

  values(): { readonly sha256: string; readonly mac: string } {
    return { sha256: this.#hash.digest("hex"), mac: this.#mac.digest("hex") };
  }
}

/** The octets of the file. */
export function packBackup(
  header: Omit<BackupHeader, "format" | "version" | "storeKey">,
  lines: AsyncIterable<Uint8Array>,
  storeKey: Uint8Array,
): AsyncIterable<Uint8Array> {
  const packer = createGzip();
  // An error of the lines destroys the packer, where whoever reads it finds it.
  pipeline(texts(header, lines, storeKey), packer).catch(() => undefined);
  return packer;
}

async function* texts(
  header: Omit<BackupHeader, "format" | "version" | "storeKey">,
  lines: AsyncIterable<Uint8Array>,
  storeKey: Uint8Array,
): AsyncGenerator<Uint8Array> {
  const sums = new Sums(storeKey);
  const first: BackupHeader = {
    format: FORMAT,
    version: FORMAT_VERSION,
    storeKey: markOf(storeKey),
    ...header,
  };
  const text = JSON.stringify(first);
  sums.add(text);
  yield Buffer.from(`${text}\n`);
  for await (const line of lines) {
    sums.add(line);
    yield Buffer.concat([line, Buffer.from("\n")]);
  }
  const { sha256, mac } = sums.values();
  yield Buffer.from(`${JSON.stringify(["digest", sha256, mac])}\n`);
}

/** Usage errors NOT_A_BACKUP and BACKUP_TOO_NEW, and those of the file; crypto error BACKUP_DAMAGED. */
export async function readHeader(file: string): Promise<BackupHeader> {
  for await (const line of unpacked(file)) {
    const header = headerOf(line);
    if (header === undefined) throw notABackup(file);
    if (header.version > FORMAT_VERSION) {
      const text = `${file}: is of format ${header.version}, this program knows ${FORMAT_VERSION}`;
      throw usageError("BACKUP_TOO_NEW", text);
    }
    return header;
  }
  throw notABackup(file);
}

function headerOf(line: Buffer): BackupHeader | undefined {
  try {
    const header = JSON.parse(line.toString()) as Partial<BackupHeader> | null;
    const isOurs = header?.format === FORMAT && Number.isSafeInteger(header.version);
    return isOurs ? (header as BackupHeader) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The lines of the snapshot. That they are whole and unchanged is known when all have been read: it throws at the end if not.
 *
 * @throws {MikeySakkeError} crypto `BACKUP_DAMAGED`
 */
export async function* readSnapshot(file: string, storeKey: Uint8Array): AsyncGenerator<string> {
  const sums = new Sums(storeKey);
  let digest: readonly unknown[] | undefined;
  let isHeader = true;
  for await (const line of unpacked(file)) {
    if (digest !== undefined) throw damaged("goes on behind its digest");
    const text = line.toString();
    digest = digestOf(text);
    if (digest !== undefined) continue;
    sums.add(line);
    if (!isHeader) yield text;
    isHeader = false;
  }
  if (digest === undefined) throw damaged("has no digest");
  const { sha256, mac } = sums.values();
  if (digest[1] !== sha256) throw damaged("does not have its digest");
  if (!isSame(digest[2], mac)) throw damaged("was not written under this store key");
}

function digestOf(line: string): readonly unknown[] | undefined {
  return line.startsWith('["digest"') ? (JSON.parse(line) as readonly unknown[]) : undefined;
}

function isSame(given: unknown, mac: string): boolean {
  const [a, b] = [Buffer.from(String(given)), Buffer.from(mac)];
  return a.length === b.length && timingSafeEqual(a, b);
}

async function* unpacked(file: string): AsyncGenerator<Buffer> {
  const source = createReadStream(file);
  const unpacker = createGunzip();
  let fault: unknown;
  source.on("error", (error) => {
    fault = error;
    unpacker.destroy(error);
  });
  let count = 0;
  try {
    for await (const line of linesOf(source.pipe(unpacker))) {
      count++;
      yield line;
    }
  } catch (cause) {
    if (cause instanceof MikeySakkeError) throw cause;
    if (fault !== undefined) throw fileError(file, fault);
    if (count === 0 && (cause as NodeJS.ErrnoException).code === "Z_DATA_ERROR") throw notABackup(file);
    throw damaged("does not unpack");
  } finally {
    source.destroy();
    unpacker.destroy();
  }
}

function notABackup(file: string): MikeySakkeError {
  return usageError("NOT_A_BACKUP", `${file}: is no backup of mikey-sakke`);
}
