/** Makes what a data folder needs before a server runs on it, at the first start. */

import { readdir, rm, rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { MikeySakkeError } from "../../base/errors.ts";
import { systemRandom } from "../../base/random.ts";
import { replaceFile } from "../files/durable.ts";
import { makeFolders } from "../terminal/files.ts";
import type { Output } from "../terminal/output.ts";
import {
  type ConfigFile,
  configFileOf,
  configText,
  createConfig,
  type DataFiles,
  type FolderOptions,
  readConfig,
} from "./data-folder.ts";
import { environmentOf, STORE_KEY_VARIABLE } from "./environment.ts";
import { ensureStoreKey } from "./store-key.ts";

const NAMES = { gms: "a GMS", mcx: "an MCX server" };

export interface ReadConfig extends ConfigFile {
  readonly file: string;
}

/** Starts servers, and says `keep` when what was made for them must stay: they run, or another database knows of it. */
type Start = (read: ReadConfig, keep: () => void) => Promise<void>;

/**
 * Starts servers on a folder, which is made with the configuration `first` when there is none. If that fails, what it has made
 * is taken away again, so that the next start is the first one. With a configuration elsewhere only a store key that the
 * database does not know is.
 */
export async function startOnFolder(
  { dataDir, config }: FolderOptions,
  first: ConfigFile,
  output: Output,
  start: Start,
): Promise<void> {
  const before = await contentOf(dataDir);
  if (config !== undefined) {
    try {
      await start({ file: config, ...(await readConfig(config)) }, () => undefined);
    } catch (error) {
      // A key that was made now opens nothing. After any other error something may be sealed under it, in another place.
      if (error instanceof MikeySakkeError && error.code === "WRONG_STORE_KEY")
        await takeAway(dataDir, before);
      throw error;
    }
    return;
  }
  let isOurs = await madeFolder(dataDir, first, before);
  if (isOurs) output.note(`made ${dataDir}`);
  const file = configFileOf(dataDir);
  const keep = () => {
    isOurs = false;
  };
  try {
    await start({ file, ...(await readConfig(file)) }, keep);
  } catch (error) {
    if (isOurs) {
      await takeAway(dataDir, before);
      output.note(`took ${dataDir} away again`);
    }
    throw error;
  }
}

/** Makes the folder and its configuration, or nothing. False where there is a configuration. */
async function madeFolder(dataDir: string, first: ConfigFile, before: Before): Promise<boolean> {
  try {
    await makeFolders(dataDir, 0o700);
    return await createConfig(dataDir, first);
  } catch (error) {
    await removeMade(before);
    throw error;
  }
}

interface Before {
  /** Names in the folder; none when it was not there. */
  readonly names: ReadonlySet<string>;
  /** Folders that were not there, from the folder upwards. */
  readonly missing: readonly string[];
}

async function contentOf(folder: string): Promise<Before> {
  const missing: string[] = [];
  for (let at = resolve(folder); ; at = dirname(at)) {
    const names = await readdir(at).catch(() => undefined);
    if (names !== undefined) return { names: new Set(missing.length === 0 ? names : []), missing };
    missing.push(at);
    if (dirname(at) === at) return { names: new Set(), missing };
  }
}

async function takeAway(folder: string, before: Before): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!before.names.has(name)) await rm(join(folder, name), { recursive: true, force: true });
  }
  await removeMade(before);
}

async function removeMade({ missing }: Before): Promise<void> {
  // Others may have put something beside it meanwhile, which stays.
  for (const made of missing) await rmdir(made).catch(() => undefined);
}

/** A folder that has only some of the servers gets the others too. */
export async function addServers(
  { config }: FolderOptions,
  { file }: Pick<ReadConfig, "file">,
  first: Pick<ConfigFile, "gms" | "mcx">,
  output: Output,
): Promise<void> {
  if (config !== undefined) return;
  // What the environment says of a server makes none.
  const own = await readConfig(file, {});
  const missing = (["gms", "mcx"] as const).filter(
    (server) => own[server] === undefined && first[server] !== undefined,
  );
  if (missing.length === 0) return;
  await replaceFile(file, configText({ ...first, ...own }), { secret: true });
  output.note(`added ${missing.map((server) => NAMES[server]).join(" and ")} to ${file}`);
}

export async function makeStoreKey(
  dataDir: string,
  { storeKey }: Pick<DataFiles, "storeKey">,
  output: Output,
): Promise<void> {
  await makeFolders(dataDir, 0o700);
  if (await ensureStoreKey({ file: storeKey, environment: environmentOf() }, systemRandom)) {
    output.note(`made ${storeKey}: the database cannot be read without it (or ${STORE_KEY_VARIABLE})`);
  }
}
