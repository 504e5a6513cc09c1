/** Access tokens of a client: from files, or development tokens of a data folder. */
import { fromUtf8 } from "../../base/bytes.ts";
import { gmsDevelopmentToken } from "../gms/gms-token.ts";
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
    kmsToken: () => developmentToken({ dataDir: folder }, { userUri, lifetime: LIFETIME }),
    gmsToken:
      gmsTokenFile === undefined
        ? () => gmsDevelopmentToken(folder, userUri, LIFETIME)
        : fileToken(gmsTokenFile),
  };
}

function fileToken(file: string): () => Promise<string> {
  return async () => fromUtf8(await readFile(file, MAX_TOKEN), file).trim();
}
