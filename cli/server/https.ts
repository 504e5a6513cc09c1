/** `fetch` that trusts the certificate authorities of the system, or one certificate alone. */
import { X509Certificate } from "node:crypto";
import { Agent, fetch } from "undici";
import { fromUtf8 } from "../../base/bytes.ts";
import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import type { TokenConfig } from "../../roles/server/token-config.ts";
import { readFile } from "../terminal/files.ts";
import { usageError } from "../terminal/usage.ts";

export interface HttpsFetch {
  readonly fetch: typeof globalThis.fetch;
  /** Closes the connections that are kept. */
  close(): Promise<void>;
}

const MAX_PEM = 1 << 20;
/** A broken connection is told soon; how long an answer may take is the caller's to say. */
const CONNECT_MS = 10_000;

/** `caFile`: PEM file of the certificates to trust in place of the system's. Usage error BAD_CA. */
export async function httpsFetch(caFile?: string): Promise<HttpsFetch> {
  const ca = caFile === undefined ? undefined : await readCa(caFile);
  const agent = new Agent({ connect: { timeout: CONNECT_MS, ...defined({ ca }) } });
  const bound = (input: string, init: object = {}) => fetch(input, { ...init, dispatcher: agent });
  return { fetch: bound as unknown as typeof globalThis.fetch, close: () => agent.close() };
}

/**
 * That the servers will be able to trust their token issuer. Usage errors BAD_CA, FILE_NOT_FOUND and others of files.
 *
 * @param key of `tokens` in the configuration
 */
export async function requireIssuerCa(
  key: string,
  tokens: Pick<TokenConfig, "caFile"> | undefined,
): Promise<void> {
  if (tokens?.caFile === undefined) return;
  await readCa(tokens.caFile).catch((cause: unknown) => {
    if (!(cause instanceof MikeySakkeError)) throw cause;
    throw usageError(cause.code, `${key}.caFile: ${cause.message}`, cause);
  });
}

/** PEM text. Usage error BAD_CA. */
export async function readCa(file: string): Promise<string> {
  const text = fromUtf8(await readFile(file, MAX_PEM), file);
  try {
    new X509Certificate(text);
  } catch (cause) {
    throw usageError("BAD_CA", `${file}: no certificate in PEM`, cause);
  }
  return text;
}
