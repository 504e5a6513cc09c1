/** Options of all commands that work on a data folder. */
import type { Command } from "commander";
import { defined } from "../../base/defined.ts";
import type { FolderOptions } from "./data-folder.ts";

export const DEFAULT_FOLDER = "mikey-sakke-data";

/** Adds the options of commands that work on the KMS of the folder. */
export function folderOptions(command: Command): Command {
  return command
    .option("--data-dir <dir>", "folder of the KMS, as of serve kms", DEFAULT_FOLDER)
    .option("--config <file>", "configuration of the KMS, if not the folder's config.json");
}

/** Adds the option of commands that ask the GMS which runs on the folder. */
export function gmsFolderOption(command: Command): Command {
  return command.option("--data-dir <dir>", "folder of the GMS, as of serve", DEFAULT_FOLDER);
}

export interface GmsFolderArgs {
  dataDir: string;
}

/** Returns what an action got of them, without the others. */
export function folderOf({ dataDir, config }: FolderOptions): FolderOptions {
  return { dataDir, ...defined({ config }) };
}
