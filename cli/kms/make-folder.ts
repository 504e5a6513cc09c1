/** What a data folder needs before a server runs on it; made at the first start. */
import { mkdir } from "node:fs/promises";
import { systemRandom } from "../../bindings/random.ts";
import { replaceFile } from "../durable.ts";
import type { Output } from "../output.ts";
import {
  type ConfigFile,
  configFileOf,
  configText,
  createConfig,
  type DataFiles,
  type FolderOptions,
  readConfig,
} from "./data-folder.ts";
import { ensureStoreKey, STORE_KEY_VARIABLE } from "./store-key.ts";

const NAMES = { gms: "a GMS", mcx: "an MCX server" };

export interface ReadConfig extends ConfigFile {
  readonly file: string;
}

/** The configuration of the folder, which is `first` when there is none yet. */
export async function folderConfig(
  { dataDir, config }: FolderOptions,
  first: ConfigFile,
  output: Output,
): Promise<ReadConfig> {
  if (config === undefined) {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    if (await createConfig(dataDir, first)) output.note(`made ${dataDir}`);
  }
  const file = config ?? configFileOf(dataDir);
  return { file, ...(await readConfig(file)) };
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
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  if (await ensureStoreKey({ file: storeKey, environment: process.env }, systemRandom)) {
    output.note(`made ${storeKey}: the database cannot be read without it (or ${STORE_KEY_VARIABLE})`);
  }
}
