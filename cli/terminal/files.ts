/** Files in and out. Whatever concerns the file itself is a usage error that names it. */
import { chmod, mkdir, open, readdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { sha256 } from "@noble/hashes/sha2.js";
import { toHex, utf8 } from "../../base/bytes.ts";
import { fileError } from "../../base/file-error.ts";
import { OctetBuffer } from "../../base/octet-buffer.ts";
import { usageError } from "./usage.ts";

/** Name of standard input on the command line. */
export const STDIN = "-";

/** Standard input. */
export interface ByteSource extends AsyncIterable<Uint8Array> {
  readonly isTTY?: boolean;
}

/** Octets of a file, or of standard input. Refuses more than `limit` octets without keeping them. */
export async function readInput(name: string, stdin: ByteSource, limit: number): Promise<Uint8Array> {
  return name === STDIN ? readStandardInput(stdin, limit) : readFile(name, limit);
}

async function readStandardInput(stdin: ByteSource, limit: number): Promise<Uint8Array> {
  if (stdin.isTTY) throw usageError("NO_INPUT", "no FILE was given and nothing is piped in");
  const input = new OctetBuffer();
  for await (const chunk of stdin) {
    if (input.length + chunk.length > limit) throw tooLarge("standard input", limit);
    input.add(chunk);
  }
  return input.octets;
}

export async function readFile(name: string, limit: number): Promise<Uint8Array> {
  const file = await open(name, "r").catch((cause) => {
    throw fileError(name, cause);
  });
  try {
    const info = await file.stat();
    if (info.isDirectory()) throw usageError("IS_FOLDER", `${name}: is a folder, not a file`);
    if (info.size > limit) throw tooLarge(name, limit);
    const data = await file.readFile();
    if (data.length > limit) throw tooLarge(name, limit);
    return new Uint8Array(data);
  } finally {
    await file.close();
  }
}

export async function isFolder(name: string): Promise<boolean> {
  if (name === STDIN) return false;
  try {
    return (await stat(name)).isDirectory();
  } catch (cause) {
    throw fileError(name, cause);
  }
}

/** Paths of the files in a folder whose names end in one of `extensions`, in order of name. */
export async function filesIn(folder: string, extensions: readonly string[]): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause) => {
    throw fileError(folder, cause);
  });
  return entries
    .filter((entry) => entry.isFile() && extensions.some((extension) => entry.name.endsWith(extension)))
    .map((entry) => join(folder, entry.name))
    .sort();
}

export interface WriteOptions {
  /** Readable by its owner only. */
  secret?: boolean;
  /** Replace a file that exists. */
  force?: boolean;
}

/** Refuses before any work is done, unless `force`. */
export async function requireAbsent(names: readonly string[], force: boolean): Promise<void> {
  if (force) return;
  for (const name of names) {
    const exists = await stat(name).then(
      () => true,
      () => false,
    );
    if (exists) throw usageError("FILE_EXISTS", `${name}: exists already`);
  }
}

export async function writeOutput(
  name: string,
  data: string | Uint8Array,
  { secret = false, force = false }: WriteOptions = {},
): Promise<void> {
  try {
    await makeFolders(dirname(name));
    await writeFile(name, data, { flag: force ? "w" : "wx", mode: secret ? 0o600 : 0o666 });
    // The mode above counts only for a new file.
    if (secret && force) await chmod(name, 0o600);
  } catch (cause) {
    // A file that a full disk cut off is not left as output. One that was there before stays, since it is not ours.
    const isOurs = !force && (cause as NodeJS.ErrnoException).code !== "EEXIST";
    if (isOurs) await rm(name, { force: true }).catch(() => undefined);
    throw fileError(name, cause);
  }
}

/**
 * Makes a folder and those above it that are missing. Node's own way to do so never ends in a file system that takes no
 * folders and says "no such file", as /proc does.
 *
 * @throws {MikeySakkeError} usage, naming the folder
 */
export async function makeFolders(folder: string, mode = 0o777): Promise<void> {
  const make = () => mkdir(folder, { mode });
  try {
    await make().catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT" || dirname(folder) === folder) throw error;
      await makeFolders(dirname(folder), mode);
      await make();
    });
  } catch (cause) {
    const there = await stat(folder).catch(() => undefined);
    if (!there?.isDirectory()) throw fileError(folder, cause);
  }
}

const MAX_NAME = 150;

/**
 * A file name for a URI: octets other than letters, digits and `._@+-` become %XX. Where the name was cut or
 * has capitals, which not every file system tells apart, a hash of the URI keeps it unique.
 */
export function fileNameOf(uri: string): string {
  let name = "";
  for (const octet of utf8(uri)) {
    const character = String.fromCharCode(octet);
    const safe = /[A-Za-z0-9._@+-]/.test(character) && !(name === "" && character === ".");
    name += safe ? character : `%${octet.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  const ambiguous = name.length > MAX_NAME || /[A-Z]/.test(uri);
  return ambiguous ? `${name.slice(0, MAX_NAME)}~${toHex(sha256(utf8(uri)).subarray(0, 4))}` : name;
}

function tooLarge(name: string, limit: number) {
  return usageError("FILE_TOO_LARGE", `${name}: larger than ${limit} octets`);
}
