/** Development tokens for the MCX server of a data folder. */
import { mcxAudience } from "../../roles/mcx/common/config.ts";
import { folderToken } from "../server/folder-tokens.ts";
import { openMcxFolder } from "./mcx-folder.ts";

export async function mcxDevelopmentToken(
  dataDir: string,
  userUri: string,
  lifetime: number,
): Promise<string> {
  const opened = await openMcxFolder({ dataDir });
  return folderToken(opened, "MCX server", mcxAudience(opened.config.mcxUri), { userUri, lifetime });
}
