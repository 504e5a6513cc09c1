/** Records as files of a folder, for Node.js. Only their owner can read them; what is in them is for `SealedStorage`. */
import { randomBytes } from "node:crypto";
import { link, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { wipe } from "../../base/bytes.ts";
import { MikeySakkeError, requireBytes } from "../../base/errors.ts";
import { requireName, type SecretStorage } from "./storage.ts";
import { STORAGE_KEY_BYTES, StorageKey } from "./storage-key.ts";

/** Ends of the names of files: records, and records on their way, with the process that writes them. */
const RECORD = ".record";
const UNFINISHED = /\.(\d+)-[0-9a-f]+\.tmp$/;

export class FileStorage implements SecretStorage {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the folder if it is not there, and clears away what processes left that ended while they wrote. */
  static async open(folder: string): Promise<FileStorage> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(folder)) {
      const pid = Number(UNFINISHED.exec(name)?.[1] ?? 0);
      if (pid > 0 && !isRunning(pid)) await rm(join(folder, name), { force: true });
    }
    return new FileStorage(folder);
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    return readIfThere(this.#path(name));
  }

  async put(name: string, octets: Uint8Array): Promise<void> {
    requireBytes(octets, name);
    const path = this.#path(name);
    const temporary = await writeTemporary(path, octets);
    try {
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncFolder(this.#folder);
  }

  async create(name: string, octets: Uint8Array): Promise<boolean> {
    requireBytes(octets, name);
    return writeOnce(this.#path(name), octets);
  }

  async delete(name: string): Promise<void> {
    await rm(this.#path(name), { force: true });
    await syncFolder(this.#folder);
  }

  async list(prefix: string): Promise<string[]> {
    const files = (await readdir(this.#folder)).filter((file) => file.endsWith(RECORD));
    const names = files.map((file) => file.slice(0, -RECORD.length).replaceAll("_", "/"));
    return names.filter((name) => name.startsWith(prefix)).sort();
  }

  /** Names have no underscores. */
  #path(name: string): string {
    requireName(name);
    return join(this.#folder, name.replaceAll("/", "_") + RECORD);
  }
}

/**
 * The storage key in a file of 32 octets, mode 0600, which is made if it is not there; of several processes that do so
 * the first wins. Who can read the file can read the records: it belongs apart from their backups.
 */
export async function openStorageKeyFile(path: string): Promise<StorageKey> {
  let octets = await readIfThere(path);
  if (octets === undefined) {
    const made = new Uint8Array(randomBytes(STORAGE_KEY_BYTES));
    await writeOnce(path, made);
    wipe(made);
    octets = new Uint8Array(await readFile(path));
  }
  try {
    if (octets.length !== STORAGE_KEY_BYTES) {
      const text = `${path}: a storage key has ${STORAGE_KEY_BYTES} octets, not ${octets.length}`;
      throw new MikeySakkeError("usage", "BAD_STORAGE_KEY", text);
    }
    return await StorageKey.fromBytes(octets);
  } finally {
    wipe(octets);
  }
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** False when there is such a file: a link takes no other's place. */
async function writeOnce(path: string, octets: Uint8Array): Promise<boolean> {
  const temporary = await writeTemporary(path, octets);
  try {
    await link(temporary, path);
    await syncFolder(dirname(path));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** A file beside `path`, written through to the disk. */
async function writeTemporary(path: string, octets: Uint8Array): Promise<string> {
  const temporary = `${path}.${process.pid}-${randomBytes(8).toString("hex")}.tmp`;
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(octets);
    await file.sync();
  } finally {
    await file.close();
  }
  return temporary;
}

/** So that the new name is on the disk as well. Windows cannot open folders, and needs not. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
