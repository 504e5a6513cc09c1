/** Decides which tokens are accepted, and where TLS is required. */
import { defined } from "../../base/defined.ts";
import { DEVELOPMENT_TOKENS_WARNING, type DevelopmentIssuer } from "../server/development-tokens.ts";
import type { IssuerKeyStore } from "../server/issuer-keys.ts";
import type { IssuerStates } from "../server/issuer-metrics.ts";
import { type Credentials, readCredentials } from "../server/listener.ts";
import { isLoopback } from "../server/loopback.ts";
import { createTokenVerifier, type TokenVerifier } from "../server/tokens.ts";
import type { GmsConfig } from "./common/config.ts";
import { refusedConfig } from "./common/errors.ts";
import type { GmsLog } from "./common/log.ts";

export interface AccessOptions {
  /** In place of what the configuration says of tokens. */
  readonly tokens?: TokenVerifier;
  /** Needed when the configuration says nothing of tokens and `tokens` is not given. */
  readonly developmentIssuer?: DevelopmentIssuer;
  /** PEM texts, in place of the files that the configuration names. */
  readonly credentials?: Credentials;
  /** Gets the keys of the token issuer. */
  readonly fetch?: typeof fetch;
  /** Keeps the last known keys of the token issuer; for the life of this GMS when absent. */
  readonly issuerKeys?: IssuerKeyStore;
}

/** @throws {MikeySakkeError} usage `BAD_CONFIG` */
export function tokenVerifier(
  config: GmsConfig,
  options: AccessOptions & { readonly issuers: IssuerStates },
  log: GmsLog,
): TokenVerifier {
  const { tokens, developmentIssuer, fetch, issuerKeys, issuers } = options;
  if (tokens !== undefined) return tokens;
  if (config.tokens !== undefined) {
    return createTokenVerifier(config.tokens, defined({ fetch, issuerKeys, issuers, log }));
  }
  if (developmentIssuer === undefined) throw refusedConfig("tokens: name an issuer of access tokens");
  const hosts = [config.listen.host, ...(config.sip === undefined ? [] : [config.sip.host])];
  if (!hosts.every(isLoopback)) {
    throw refusedConfig("listen.host, sip.host: development tokens are for loopback addresses only");
  }
  log.warn({}, `DEVELOPMENT TOKENS: ${DEVELOPMENT_TOKENS_WARNING}`);
  return developmentIssuer.verifier(config.gmsUri);
}

/** @throws {MikeySakkeError} usage `BAD_CONFIG`: none, where there must be TLS */
export async function serverCredentials(
  config: GmsConfig,
  given: Credentials | undefined,
): Promise<Credentials | undefined> {
  const credentials = given ?? (config.tls && (await readCredentials(config.tls)));
  if (credentials !== undefined) return credentials;
  if (!isLoopback(config.listen.host)) throw refusedConfig("tls: needed except on a loopback address");
  const { tlsPort, wssPort } = config.sip ?? {};
  if (tlsPort !== undefined || wssPort !== undefined)
    throw refusedConfig("tls: needed for sip.tlsPort and sip.wssPort");
  return undefined;
}
