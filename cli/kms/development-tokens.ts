/** The development token issuer of a data folder, whose key is made when it is first needed. */
import { fromUtf8 } from "../../bindings/bytes.ts";
import { DevelopmentIssuer, type DevelopmentTokenOptions } from "../../roles/kms/development-tokens.ts";
import { createFile } from "../durable.ts";
import { readFile } from "../files.ts";
import { usageError } from "../usage.ts";
import { type DataFolder, exists, type FolderOptions, openDataFolder } from "./data-folder.ts";

const MAX_KEY = 4096;

export async function developmentIssuerOf({ config, files }: DataFolder): Promise<DevelopmentIssuer> {
  const file = files.tokenKey;
  if (!(await exists(file))) {
    const made = await DevelopmentIssuer.create(config.kmsUri);
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
  return DevelopmentIssuer.create(config.kmsUri, jwk as Parameters<typeof DevelopmentIssuer.create>[1]);
}

/** Usage error NO_DEVELOPMENT_TOKENS for a KMS that has a real issuer. */
export async function developmentToken(
  options: FolderOptions,
  wanted: Omit<DevelopmentTokenOptions, "now">,
): Promise<string> {
  const data = await openDataFolder(options);
  if (data.config.tokens !== undefined) {
    const text = `${data.folder}: this KMS takes the tokens of ${data.config.tokens.issuer} only`;
    throw usageError("NO_DEVELOPMENT_TOKENS", text);
  }
  return (await developmentIssuerOf(data)).token({ ...wanted, now: Date.now() });
}
