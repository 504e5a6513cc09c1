/** Access tokens of a client: from files, or development tokens of a data folder. */
import { fromUtf8 } from "../../base/bytes.ts";
import { openGmsFolder } from "../gms/gms-folder.ts";
import { gmsDevelopmentToken } from "../gms/gms-token.ts";
import { readFolder } from "../server/data-folder.ts";
import { developmentToken } from "../server/folder-tokens.ts";
import { readFile } from "../terminal/files.ts";
import { usageError } from "../terminal/usage.ts";

export interface ClientTokens {
  readonly kmsToken: () => Promise<string>;
  readonly gmsToken: () => Promise<string>;
}

const MAX_TOKEN = 64 << 10;
/** Seconds; each request asks for its own. */
const LIFETIME = 300;

/** Usage error NO_TOKEN. */
export function clientTokens(
  { tokenFile, gmsTokenFile = tokenFile }: { readonly tokenFile?: string; readonly gmsTokenFile?: string },
  userUri: string,
  folder: string | undefined,
): ClientTokens {
  if (tokenFile !== undefined) return { kmsToken: fileToken(tokenFile), gmsToken: fileToken(gmsTokenFile!) };
  if (folder === undefined)
    throw usageError("NO_TOKEN", "give --token-file, or --local for development tokens");
  return {
    kmsToken: async () =>
      developmentToken({ dataDir: await kmsFolderOf(folder) }, { userUri, lifetime: LIFETIME }),
    gmsToken:
      gmsTokenFile === undefined
        ? () => gmsDevelopmentToken(folder, userUri, LIFETIME)
        : fileToken(gmsTokenFile),
  };
}

/**
 * Returns the folder of the KMS whose users a GMS serves: the folder of the GMS itself, or where that has no KMS, the one
 * from which the GMS has its own development tokens.
 *
 * @throws {MikeySakkeError} usage `NO_TOKEN` where the GMS has another kind of token for a KMS elsewhere
 */
async function kmsFolderOf(dataDir: string): Promise<string> {
  const { read } = await readFolder({ dataDir });
  if (read.kms !== undefined) return dataDir;
  const { developmentFolder } = (await openGmsFolder({ dataDir })).config.provisioning ?? {};
  if (developmentFolder !== undefined) return developmentFolder;
  const text = `${dataDir}: the KMS of this GMS is elsewhere; give --token-file for it and --gms-token-file`;
  throw usageError("NO_TOKEN", text);
}

function fileToken(file: string): () => Promise<string> {
  return async () => fromUtf8(await readFile(file, MAX_TOKEN), file).trim();
}
