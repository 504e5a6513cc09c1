/** Development tokens for the GMS of a data folder. */
import { defined } from "../../base/defined.ts";
import { gmsAudience } from "../../roles/gms/common/config.ts";
import { developmentIssuerOf, requireDevelopment } from "../server/development-tokens.ts";
import { openGmsFolder } from "./data-folder.ts";

/** Usage error NO_DEVELOPMENT_TOKENS for a GMS that has a real issuer. */
export async function gmsDevelopmentToken(
  dataDir: string,
  userUri: string,
  lifetime: number,
  scopes?: readonly string[],
): Promise<string> {
  const { folder, config, files } = await openGmsFolder({ dataDir });
  requireDevelopment(folder, "GMS", config.tokens);
  const issuer = await developmentIssuerOf(files, gmsAudience(config.gmsUri));
  return issuer.token({ userUri, lifetime, now: Date.now(), ...defined({ scopes }) });
}
