/** Access tokens for checks, good and bad: from files, or development tokens of a data folder. */
import { fromUtf8 } from "../../base/bytes.ts";
import { defined, ifDefined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { gmsDevelopmentToken } from "../gms/gms-token.ts";
import { developmentToken } from "../server/folder-tokens.ts";
import { readFile } from "../terminal/files.ts";
import { usageError } from "../terminal/usage.ts";

export interface CheckTokens {
  valid(): Promise<string>;
  /** Was valid once. */
  readonly expired?: () => Promise<string>;
  /** A token of the user without the scope of the server. */
  readonly wrongScope?: () => Promise<string>;
}

export interface TokenFiles {
  readonly tokenFile?: string;
  readonly expiredTokenFile?: string;
  readonly wrongScopeTokenFile?: string;
}

const MAX_TOKEN = 64 << 10;
/** Seconds; a new one is made when half of them are over. */
const LIFETIME = 300;
const OVER = -3600;

/** Usage error NO_TOKEN. */
export function checkTokens(
  server: "KMS" | "GMS",
  { tokenFile, expiredTokenFile, wrongScopeTokenFile }: TokenFiles,
  userUri: string,
  folder: string | undefined,
): CheckTokens {
  if (tokenFile === undefined && folder === undefined) {
    throw usageError("NO_TOKEN", "give --token-file, or --local for development tokens");
  }
  const made = folder === undefined ? {} : developmentTokens(server, folder, userUri);
  return {
    ...(tokenFile === undefined ? (made as CheckTokens) : { valid: fileToken(tokenFile) }),
    ...defined({
      expired: ifDefined(expiredTokenFile, fileToken),
      wrongScope: ifDefined(wrongScopeTokenFile, fileToken),
    }),
  };
}

function developmentTokens(server: "KMS" | "GMS", folder: string, userUri: string): CheckTokens {
  const token = (lifetime: number, scopes?: readonly string[]) =>
    server === "KMS"
      ? developmentToken({ dataDir: folder }, { userUri, lifetime, ...defined({ scopes }) })
      : gmsDevelopmentToken(folder, userUri, lifetime, scopes);
  let valid: { readonly text: Promise<string>; readonly until: number } | undefined;
  return {
    valid() {
      if (valid === undefined || valid.until < Date.now()) {
        valid = { text: token(LIFETIME), until: Date.now() + (LIFETIME * 1000) / 2 };
      }
      return valid.text;
    },
    expired: () => token(OVER),
    wrongScope: () => token(LIFETIME, ["openid"]),
  };
}

function fileToken(file: string): () => Promise<string> {
  return async () => fromUtf8(await readFile(file, MAX_TOKEN), file).trim();
}

/** A token that was changed in its last part, as a forger without the key of the issuer would have it. */
export function forged(token: string): string {
  const at = token.length - 10;
  if (at < 0) throw new MikeySakkeError("usage", "BAD_TOKEN", "the access token is too short to be one");
  return token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
}
