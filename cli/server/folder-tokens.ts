/** Development tokens for the servers of a data folder, whose issuer's key is made when it is first needed. */
import { fromUtf8 } from "../../base/bytes.ts";
import { kmsAudience } from "../../roles/kms/common/config.ts";
import {
  DevelopmentIssuer,
  type DevelopmentTokenOptions,
  type TokenAudience,
} from "../../roles/server/development-tokens.ts";
import { createFile } from "../files/durable.ts";
import { readFile } from "../terminal/files.ts";
import { usageError } from "../terminal/usage.ts";
import { type DataFiles, exists, type FolderOptions, openDataFolder } from "./data-folder.ts";

const MAX_KEY = 4096;

/** One key for all servers of the folder; `audience` is one of them. */
export async function developmentIssuerOf(
  { tokenKey: file }: Pick<DataFiles, "tokenKey">,
  audience: TokenAudience,
): Promise<DevelopmentIssuer> {
  if (!(await exists(file))) {
    const made = await DevelopmentIssuer.create([audience]);
    await createFile(file, `${JSON.stringify(made.exportPrivateJwk())}\n`, { secret: true });
  }
  const octets = await readFile(file, MAX_KEY);
  let jwk: unknown;
  try {
    jwk = JSON.parse(fromUtf8(octets, file));
  } catch {
    throw usageError("BAD_KEY_FILE", `${file}: not a key as JSON Web Key`);
  } finally {
    octets.fill(0);
  }
  return DevelopmentIssuer.create([audience], jwk as Parameters<typeof DevelopmentIssuer.create>[1]);
}

/** A server of a data folder, opened. */
interface Opened {
  readonly folder: string;
  readonly config: { readonly tokens?: { readonly issuer: string } | undefined };
  readonly files: Pick<DataFiles, "tokenKey">;
}

/** Returns a token for a server of the folder. Usage error NO_DEVELOPMENT_TOKENS for one that has a real issuer. */
export async function folderToken(
  { folder, config, files }: Opened,
  server: "KMS" | "GMS" | "MCX server",
  audience: TokenAudience,
  wanted: Omit<DevelopmentTokenOptions, "now">,
): Promise<string> {
  if (config.tokens !== undefined) {
    const text = `${folder}: this ${server} takes the tokens of ${config.tokens.issuer} only`;
    throw usageError("NO_DEVELOPMENT_TOKENS", text);
  }
  const issuer = await developmentIssuerOf(files, audience);
  return issuer.token({ ...wanted, now: Date.now() });
}

/** Returns a token for the KMS of the folder, with the errors of `folderToken`. */
export async function developmentToken(
  options: FolderOptions,
  wanted: Omit<DevelopmentTokenOptions, "now">,
): Promise<string> {
  const opened = await openDataFolder(options);
  return folderToken(opened, "KMS", kmsAudience(opened.config.kmsUri), wanted);
}
