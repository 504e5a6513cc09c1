/** `restore`: a backup into the empty database of a data folder, which is made where there is none. */

import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import { fromUtf8, wipe } from "../../base/bytes.ts";
import {
  damaged,
  type Loaded,
  loadSnapshot,
  openPglite,
  openPostgres,
  requireKnownSchema,
} from "../../store/index.ts";
import { createFile, replaceFile } from "../files/durable.ts";
import { type ConfigFile, configFileOf, configText, exists, readConfig } from "../server/data-folder.ts";
import { environmentOf, STORE_KEY_VARIABLE } from "../server/environment.ts";
import { markOf, withStoreKey } from "../server/store-key.ts";
import { makeFolders, readFile } from "../terminal/files.ts";
import { usageError } from "../terminal/usage.ts";
import { folderDatabase } from "./folder-database.ts";
import { type BackupHeader, readHeader, readSnapshot } from "./format.ts";

export interface RestoreOptions {
  readonly dataDir: string;
  /** URL of a PostgreSQL database, which replaces the one in the configuration. */
  readonly database?: string;
  /** File with the store key, where the data folder does not have it. */
  readonly storeKeyFile?: string;
}

export interface CheckedBackup {
  readonly header: BackupHeader;
  readonly rows: number;
}

const MAX_KEY_FILE = 4096;

/**
 * Reads the whole file, and puts nothing anywhere.
 *
 * @throws {MikeySakkeError} usage `NOT_A_BACKUP`, `BACKUP_TOO_NEW`, `STORE_TOO_NEW`, `WRONG_STORE_KEY`,
 *   `STORE_KEY_MISSING`; crypto `BACKUP_DAMAGED`
 */
export async function checkBackup(file: string, options: RestoreOptions): Promise<CheckedBackup> {
  const header = await readHeader(file);
  const rows = await withKey(header, options, async (key) => {
    let end: number | undefined;
    for await (const line of readSnapshot(file, key)) {
      if (line.startsWith("{")) continue;
      const [name, value] = JSON.parse(line) as [string, number];
      if (name === "schema") requireKnownSchema(value);
      if (name === "end") end = value;
    }
    if (end === undefined) throw damaged("does not say where it ends");
    return end;
  });
  return { header, rows };
}

/**
 * The database is filled in one transaction: it holds all of the backup, or is as empty as before.
 *
 * @throws {MikeySakkeError} as `checkBackup`, and usage `TARGET_NOT_EMPTY`, `OTHER_DATABASE`, `STORE_LOCKED`
 */
export async function restoreBackup(
  file: string,
  options: RestoreOptions,
): Promise<Loaded & { readonly place: string }> {
  const { header } = await checkBackup(file, options);
  const made: string[] = [];
  try {
    await makeFolders(options.dataDir, 0o700);
    await ensureConfig(header, options, made);
    const { database, files } = await folderDatabase({ dataDir: options.dataDir });
    await ensureStoreKey(header, options, files.storeKey, made);
    const url = options.database ?? database?.url;
    const db =
      url === undefined ? await openPglite(files.database, { bare: true }) : openPostgres(url, { max: 1 });
    try {
      const loaded = await withKey(header, options, (key) => loadSnapshot(db, readSnapshot(file, key)));
      if (options.database !== undefined) await nameDatabase(options.dataDir, options.database);
      return { ...loaded, place: url === undefined ? files.database : "PostgreSQL" };
    } finally {
      await db.close();
    }
  } catch (error) {
    for (const name of made) await rm(name, { force: true });
    throw error;
  }
}

async function ensureConfig(
  { config }: BackupHeader,
  { dataDir, database }: RestoreOptions,
  made: string[],
): Promise<void> {
  const file = configFileOf(dataDir);
  if (await createFile(file, configText(config as ConfigFile), { secret: true })) made.push(file);
  const { url } = (await folderDatabase({ dataDir })).database ?? {};
  if (database === undefined || url === undefined || url === database) return;
  throw usageError("OTHER_DATABASE", `--database: ${file} names another`);
}

/** Once the data is there, servers are to find it. */
async function nameDatabase(dataDir: string, url: string): Promise<void> {
  const { database } = await folderDatabase({ dataDir });
  if (database?.url === url) return;
  const file = configFileOf(dataDir);
  const { kms, gms, ...rest } = await readConfig(file, {});
  const placed = <T extends object>(part: T) => ({
    ...part,
    database: { ...(part as never as { database?: object }).database, url },
  });
  const content =
    kms !== undefined ? { kms: placed(kms), gms, ...rest } : { gms: gms && placed(gms), ...rest };
  await replaceFile(file, configText(content as ConfigFile), { secret: true });
}

async function ensureStoreKey(
  header: BackupHeader,
  options: RestoreOptions,
  target: string,
  made: string[],
): Promise<void> {
  const { storeKeyFile } = options;
  if (storeKeyFile === undefined || resolve(storeKeyFile) === resolve(target)) return;
  const octets = await readFile(storeKeyFile, MAX_KEY_FILE);
  try {
    if (await createFile(target, fromUtf8(octets, storeKeyFile), { secret: true })) made.push(target);
  } finally {
    wipe(octets);
  }
  // One that was there must be the right one: servers will use it.
  await withStoreKey({ file: target, environment: withoutKey(environmentOf()) }, async (key) =>
    requireMark(header, key, target),
  );
}

async function withKey<T>(
  header: BackupHeader,
  { dataDir, storeKeyFile }: RestoreOptions,
  use: (key: Uint8Array) => Promise<T>,
): Promise<T> {
  const given = environmentOf();
  const environment = storeKeyFile === undefined ? given : withoutKey(given);
  const file = storeKeyFile ?? (await keyFileOf(dataDir));
  if (!environment[STORE_KEY_VARIABLE] && !(await exists(file))) {
    const text = `${file}: there is no store key; the backup needs the one with the check value ${header.storeKey}`;
    throw usageError("STORE_KEY_MISSING", text);
  }
  return withStoreKey({ file, environment }, async (key) => {
    requireMark(header, key, environment[STORE_KEY_VARIABLE] ? STORE_KEY_VARIABLE : file);
    return use(key);
  });
}

/** The environment without the store key. The PIN of a token stays in it, as the key file may need that. */
function withoutKey({ [STORE_KEY_VARIABLE]: _, ...environment }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return environment;
}

/** Returns the file in which the servers of the folder would look for it. */
async function keyFileOf(dataDir: string): Promise<string> {
  if (!(await exists(configFileOf(dataDir)))) return `${dataDir}/store.key`;
  return (await folderDatabase({ dataDir })).files.storeKey;
}

function requireMark({ storeKey }: BackupHeader, key: Uint8Array, place: string): void {
  const mark = markOf(key);
  if (mark === storeKey) return;
  const text = `${place}: is the store key with the check value ${mark}, and the backup needs ${storeKey}`;
  throw usageError("WRONG_STORE_KEY", text);
}
