/** The database of a data folder: that of its KMS, which a GMS beside it shares, or that of a GMS alone. */
import type { DatabaseConfig } from "../../roles/server/database-config.ts";
import { openGmsFolder } from "../gms/gms-folder.ts";
import {
  configFileOf,
  type DataFiles,
  exists,
  type FolderOptions,
  openDataFolder,
  readConfig,
} from "../server/data-folder.ts";
import { usageError } from "../terminal/usage.ts";

export interface FolderDatabase {
  readonly configFile: string;
  readonly database: DatabaseConfig | undefined;
  readonly files: DataFiles;
}

/** Usage errors NO_KMS and BAD_CONFIG. */
export async function folderDatabase(options: FolderOptions): Promise<FolderDatabase> {
  const configFile = options.config ?? configFileOf(options.dataDir);
  if (!(await exists(configFile))) {
    throw usageError("NO_KMS", `${options.dataDir}: no server here, ${configFile} is missing`);
  }
  const { kms, gms } = await readConfig(configFile);
  const isGms = kms?.kmsUri === undefined && gms !== undefined;
  const { config, files } = await (isGms ? openGmsFolder(options) : openDataFolder(options));
  return { configFile, database: config.database, files };
}
