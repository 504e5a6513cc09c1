/** Development tokens for the MCX server of a data folder. */
import { mcxAudience } from "../../roles/mcx/common/config.ts";
import { developmentIssuerOf, requireDevelopment } from "../server/development-tokens.ts";
import { openMcxFolder } from "./data-folder.ts";

/** Usage error NO_DEVELOPMENT_TOKENS for an MCX server that has a real issuer. */
export async function mcxDevelopmentToken(
  dataDir: string,
  userUri: string,
  lifetime: number,
): Promise<string> {
  const { folder, config, files } = await openMcxFolder({ dataDir });
  requireDevelopment(folder, "MCX server", config.tokens);
  const issuer = await developmentIssuerOf(files, mcxAudience(config.mcxUri));
  return issuer.token({ userUri, lifetime, now: Date.now() });
}
