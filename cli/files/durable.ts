/** Files that must survive: written beside their place, brought to the disk, and moved there in one step. */
import { randomBytes } from "node:crypto";
import { link, open, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileError } from "../../base/file-error.ts";
import { makeFolders } from "../terminal/files.ts";

/** Readable by its owner only. */
const SECRET = 0o600;
const PUBLIC = 0o644;

export interface DurableOptions {
  readonly secret?: boolean;
}

/** Octets may come as they are made. */
type Content = string | AsyncIterable<Uint8Array>;

/** Replaces the file, or makes it: whoever reads it sees the old content or the new one. */
export async function replaceFile(name: string, text: Content, options: DurableOptions = {}): Promise<void> {
  await placed(name, text, options, (draft) => rename(draft, name));
}

/** Makes the file. False when it is there already, perhaps made by another process at the same time. */
export async function createFile(
  name: string,
  text: Content,
  options: DurableOptions = {},
): Promise<boolean> {
  return placed(name, text, options, async (draft) => {
    try {
      await link(draft, name);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    }
  });
}

async function placed<T>(
  name: string,
  text: Content,
  { secret = false }: DurableOptions,
  place: (draft: string) => Promise<T>,
): Promise<T> {
  const draft = `${name}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await makeFolders(dirname(name));
    const file = await open(draft, "wx", secret ? SECRET : PUBLIC);
    try {
      await writeFile(file, text);
      await file.sync();
    } finally {
      await file.close();
    }
    const result = await place(draft);
    await syncFolder(dirname(name));
    return result;
  } catch (cause) {
    throw fileError(name, cause);
  } finally {
    await rm(draft, { force: true });
  }
}

/** The entry in the folder as well; not every system can. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
