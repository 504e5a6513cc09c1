/** The last known keys of token issuers in a folder, one file for each JWK Set, so that they count after a restart too. */
import { join } from "node:path";
import { sha256 } from "@noble/hashes/sha2.js";
import { fromUtf8, toHex, utf8 } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import type { IssuerKeyStore, KnownKeys } from "../../roles/server/issuer-keys.ts";
import { replaceFile } from "../files/durable.ts";
import { readFile } from "../terminal/files.ts";
import { exists } from "./data-folder.ts";

const MAX_FILE = 1 << 20;
const NAME_DIGITS = 32;

interface Content extends KnownKeys {
  readonly jwksUri: string;
}

export class FileIssuerKeys implements IssuerKeyStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Transport error ISSUER_KEYS_FILE, naming the file. */
  async read(jwksUri: string): Promise<KnownKeys | undefined> {
    const file = this.#fileOf(jwksUri);
    if (!(await exists(file))) return undefined;
    const content = contentOf(fromUtf8(await readFile(file, MAX_FILE), file));
    if (content?.jwksUri === jwksUri) return { fetchedAt: content.fetchedAt, jwks: content.jwks };
    throw new MikeySakkeError(
      "transport",
      "ISSUER_KEYS_FILE",
      `${file}: not a file with the keys of ${jwksUri}`,
    );
  }

  async write(jwksUri: string, { fetchedAt, jwks }: KnownKeys): Promise<void> {
    const content = { jwksUri, fetchedAt: Math.floor(fetchedAt), jwks };
    await replaceFile(this.#fileOf(jwksUri), `${JSON.stringify(content)}\n`, { secret: true });
  }

  #fileOf(jwksUri: string): string {
    return join(this.#folder, `${toHex(sha256(utf8(jwksUri))).slice(0, NAME_DIGITS)}.json`);
  }
}

/** Returns the content of a file, or undefined for another text. Its users find out whether the keys in it are keys. */
function contentOf(text: string): Content | undefined {
  try {
    const content = JSON.parse(text) as Partial<Content> | null;
    return Number.isSafeInteger(content?.fetchedAt) ? (content as Content) : undefined;
  } catch {
    return undefined;
  }
}
