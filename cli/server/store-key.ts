/**
 * The key that the database is sealed under: from the environment, or from a file that is made at the first start, which has
 * the key itself or what a PKCS#11 token has wrapped.
 * A rotation writes the next key to a file of its own first, so that a crash in between loses neither. The file before it stays,
 * for backups that need it, under a name with its check value.
 */
import { createHmac } from "node:crypto";
import { link, rename, rm } from "node:fs/promises";
import { fromHex, fromUtf8, toHex, wipe } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { fileError } from "../../base/file-error.ts";
import type { RandomSource } from "../../base/random.ts";
import { createFile, replaceFile } from "../files/durable.ts";
import { readFile } from "../terminal/files.ts";
import { usageError } from "../terminal/usage.ts";
import { exists } from "./data-folder.ts";
import { STORE_KEY_VARIABLE } from "./environment.ts";
import { isTokenKey, unwrapByToken, wrapByToken } from "./token-key.ts";

const KEY_BYTES = 32;
const MAX_FILE = 4096;

export interface StoreKeySource {
  readonly file: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** Calls `use` with the key and, should that be the wrong one after a broken rotation, with the next. */
export async function withStoreKey<T>(
  source: StoreKeySource,
  use: (key: Uint8Array) => Promise<T>,
): Promise<T> {
  const next = nextFile(source.file);
  try {
    return await withKey(source, use);
  } catch (error) {
    const isWrong = error instanceof MikeySakkeError && error.code === "WRONG_STORE_KEY";
    if (!isWrong || fromEnvironment(source) !== undefined || !(await exists(next))) throw error;
  }
  const result = await withKey({ file: next, environment: source.environment }, use);
  await replaceKeyFile(source, next);
  return result;
}

/** A check value of a store key: tells keys apart and nothing of the key. */
export function markOf(storeKey: Uint8Array): string {
  return createHmac("sha256", storeKey).update("mikey-sakke store key").digest("hex").slice(0, 16);
}

/** Makes the key file unless there is one or the environment has the key. */
export async function ensureStoreKey(source: StoreKeySource, random: RandomSource): Promise<boolean> {
  if (fromEnvironment(source) !== undefined || (await exists(source.file))) return false;
  const key = random(KEY_BYTES);
  const made = await createFile(source.file, `${toHex(key)}\n`, { secret: true });
  wipe(key);
  return made;
}

/**
 * Draws the next key, has it put into use by `rotate`, and makes its file the key file. Gives the name under which the file
 * before it is kept.
 *
 * @param tokenUri the key of a PKCS#11 token that is to wrap it; as the key before was wrapped, when absent
 */
export async function rotateKeyFile(
  source: StoreKeySource,
  random: RandomSource,
  rotate: (key: Uint8Array) => Promise<void>,
  tokenUri?: string,
): Promise<string> {
  if (fromEnvironment(source) !== undefined) {
    const text = `the store key is in ${STORE_KEY_VARIABLE}, where no command can replace it`;
    throw usageError("STORE_KEY_IN_ENVIRONMENT", text);
  }
  const next = nextFile(source.file);
  const uri = tokenUri ?? (await tokenUriOf(source.file));
  const key = random(KEY_BYTES);
  try {
    const content =
      uri === undefined ? `${toHex(key)}\n` : await wrapByToken(uri, key, source.environment, random);
    await replaceFile(next, content, { secret: true });
    try {
      await rotate(key);
    } catch (error) {
      // The file stays where nobody can say whether the database has the new key: `withStoreKey` finds out.
      if (error instanceof MikeySakkeError && error.kind === "usage") await rm(next, { force: true });
      throw error;
    }
    return await replaceKeyFile(source, next);
  } finally {
    wipe(key);
  }
}

/** Keeps the key file under another name, which it gives, and puts `next` in its place. */
async function replaceKeyFile(source: StoreKeySource, next: string): Promise<string> {
  const { file } = source;
  const kept = await withKey(source, async (key) => `${file}.${markOf(key)}`);
  await link(file, kept).catch((cause: NodeJS.ErrnoException) => {
    // The same key, from a rotation that ended between these two steps.
    if (cause.code !== "EEXIST") throw fileError(kept, cause);
  });
  await rename(next, file);
  return kept;
}

async function readKeyFile({ file, environment }: StoreKeySource): Promise<Uint8Array> {
  const octets = await readFile(file, MAX_FILE);
  try {
    const text = fromUtf8(octets, file);
    return isTokenKey(text) ? await unwrapByToken(text, file, environment) : keyOf(text, file);
  } finally {
    wipe(octets);
  }
}

async function withKey<T>(source: StoreKeySource, use: (key: Uint8Array) => Promise<T>): Promise<T> {
  const text = fromEnvironment(source);
  const key = text === undefined ? await readKeyFile(source) : keyOf(text, STORE_KEY_VARIABLE);
  try {
    return await use(key);
  } finally {
    wipe(key);
  }
}

async function tokenUriOf(file: string): Promise<string | undefined> {
  const text = fromUtf8(await readFile(file, MAX_FILE), file);
  return isTokenKey(text) ? text.slice(0, text.indexOf("\n")) : undefined;
}

function fromEnvironment({ environment }: StoreKeySource): string | undefined {
  return environment[STORE_KEY_VARIABLE] || undefined;
}

/** Errors never quote the content. */
function keyOf(text: string, place: string): Uint8Array {
  if (!/^[0-9a-f]{64}$/i.test(text.trim())) {
    throw usageError("BAD_KEY_FILE", `${place}: not a key of ${KEY_BYTES} octets in hexadecimal`);
  }
  return fromHex(text.trim());
}

const nextFile = (file: string) => `${file}.next`;
