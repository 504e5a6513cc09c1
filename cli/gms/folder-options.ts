/** Options of all commands that work on the GMS of a data folder. */
import type { Command } from "commander";
import { DEFAULT_FOLDER } from "../server/folder-options.ts";

export function gmsFolderOption(command: Command): Command {
  return command.option("--data-dir <dir>", "folder of the GMS, as of serve", DEFAULT_FOLDER);
}

export interface GmsFolderArgs {
  dataDir: string;
}
