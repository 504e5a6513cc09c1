/** Development tokens for the GMS of a data folder. */
import { defined } from "../../base/defined.ts";
import { gmsAudience } from "../../roles/gms/common/config.ts";
import { folderToken } from "../server/folder-tokens.ts";
import { openGmsFolder } from "./gms-folder.ts";

export async function gmsDevelopmentToken(
  dataDir: string,
  userUri: string,
  lifetime: number,
  scopes?: readonly string[],
): Promise<string> {
  const opened = await openGmsFolder({ dataDir });
  const wanted = { userUri, lifetime, ...defined({ scopes }) };
  return folderToken(opened, "GMS", gmsAudience(opened.config.gmsUri), wanted);
}
