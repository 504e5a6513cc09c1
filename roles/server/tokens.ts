/**
 * Access tokens (TS 33.180 annex B): a JWT of the identity management server, as bearer token (RFC 6750). What a token
 * proves are identities, each by the claim that one of its scopes stands for.
 */
import { createLocalJWKSet, decodeJwt, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { type IssuerKeyStore, IssuerKeys, MemoryIssuerKeys } from "./issuer-keys.ts";
import { IssuerStates } from "./issuer-metrics.ts";
import type { ServerLog } from "./log.ts";
import { isLoopback } from "./loopback.ts";
import type { TokenConfig } from "./token-config.ts";
import { TokenRefusal } from "./token-refusal.ts";
import { fetchTrusting } from "./trusting-fetch.ts";

export interface TokenFacts {
  /** Identities of users that the token proves, in the order of its claims, without repetition. */
  readonly identities: readonly string[];
  /** Whether it has a claim of any user's identity, by whichever scope: then it is no server's own. */
  readonly ofUser: boolean;
  readonly scopes: readonly string[];
  readonly clientId?: string;
  readonly subject?: string;
}

export interface TokenVerifier {
  /**
   * @param authorization the header of that name
   * @param now milliseconds since the Unix epoch
   * @throws {TokenRefusal} TOKEN_MISSING, TOKEN_INVALID, TOKEN_EXPIRED, WRONG_SCOPE or TOKENS_UNAVAILABLE
   */
  verify(authorization: string | undefined, now: number): Promise<TokenFacts>;
}

export interface TokenVerifierOptions {
  /** Gets the keys of the issuer, in place of one that trusts `caFile` of the configuration. */
  readonly fetch?: typeof fetch;
  /** Keeps the last known keys of the issuer; for the life of the verifier when absent. */
  readonly issuerKeys?: IssuerKeyStore;
  /** Told whether the issuer can be asked for its keys. */
  readonly issuers?: IssuerStates;
  readonly log?: ServerLog;
}

/** The keys as they are known at a time. */
type KeySource = (now: number) => JWTVerifyGetKey;

/** Checks signature, `iss`, `aud`, `exp`, `nbf` and scope of JWTs. */
export function createTokenVerifier(config: TokenConfig, options: TokenVerifierOptions = {}): TokenVerifier {
  const keysAt = keySource(config, options);
  return {
    async verify(authorization, now) {
      const token = bearer(authorization);
      const { payload } = await jwtVerify(token, keysAt(now), {
        algorithms: config.algorithms,
        clockTolerance: config.clockSkew,
        currentDate: new Date(now),
        requiredClaims: ["exp"],
        ...expected(payloadOf(token), config),
      }).catch((error: unknown) => {
        throw tokenRefusal(error);
      });
      return factsOf(payload, config);
    },
  };
}

/**
 * Returns the claims that must be there and right. An unsigned claim only says what is there: whoever leaves out a claim
 * that may be missing has no token of the issuer.
 */
function expected(claims: JWTPayload, config: TokenConfig) {
  const { issuer, audience, requireIssuer, requireAudience } = config;
  return {
    ...((requireIssuer || claims.iss !== undefined) && { issuer }),
    ...((requireAudience || (claims.aud !== undefined && audience !== undefined)) && { audience: audience! }),
  };
}

function payloadOf(token: string): JWTPayload {
  try {
    return decodeJwt(token);
  } catch (error) {
    throw tokenRefusal(error);
  }
}

function keySource(
  { jwks, jwksUri, jwksGrace, caFile }: TokenConfig,
  { issuerKeys = new MemoryIssuerKeys(), issuers = new IssuerStates(), fetch, log }: TokenVerifierOptions,
): KeySource {
  if (jwks !== undefined) {
    const find = createLocalJWKSet(jwks as never);
    return () => find;
  }
  const { protocol, hostname } = new URL(jwksUri!);
  if (protocol !== "https:" && !(protocol === "http:" && isLoopback(hostname))) {
    throw new MikeySakkeError("usage", "BAD_CONFIG", "configuration: tokens.jwksUri must be https");
  }
  const keys = new IssuerKeys({
    jwksUri: jwksUri!,
    graceMs: jwksGrace * 1000,
    store: issuerKeys,
    states: issuers,
    ...defined({ fetch: fetch ?? (caFile === undefined ? undefined : fetchTrusting(caFile)), log }),
  });
  return (now) => (header, token) => keys.find(header, token, now);
}

function bearer(authorization: string | undefined): string {
  const token = /^bearer +([A-Za-z0-9._~+/=-]+) *$/i.exec(authorization ?? "")?.[1];
  if (token === undefined) throw new TokenRefusal("TOKEN_MISSING");
  return token;
}

function tokenRefusal(error: unknown): TokenRefusal {
  if (error instanceof errors.JWTExpired) return new TokenRefusal("TOKEN_EXPIRED", undefined, error);
  const ofToken = error instanceof errors.JOSEError && !(error instanceof errors.JWKSInvalid);
  if (ofToken) return new TokenRefusal("TOKEN_INVALID", `${error.code}: ${error.message}`, error);
  const text = error instanceof Error ? error.message : String(error);
  return new TokenRefusal("TOKENS_UNAVAILABLE", text, error);
}

function factsOf(payload: JWTPayload, config: TokenConfig): TokenFacts {
  const scopes = words(payload.scope ?? payload.scp);
  const useful = scopes.filter((scope) => Object.hasOwn(config.scopes, scope));
  if (useful.length === 0) throw new TokenRefusal("WRONG_SCOPE", `scopes: ${scopes.join(" ") || "none"}`);
  const claims = useful.flatMap((scope) => config.scopes[scope]!);
  const identities = claims.map((claim) => payload[claim]).filter((value) => typeof value === "string");
  const ofUser = Object.values(config.scopes).some((of) => of.some((claim) => payload[claim] !== undefined));
  const clientId = payload.client_id;
  return {
    identities: [...new Set(identities)],
    ofUser,
    scopes,
    ...(typeof clientId === "string" && { clientId }),
    ...defined({ subject: payload.sub }),
  };
}

/** One string by RFC 8693, and an array in the examples of annex B. */
function words(scope: unknown): string[] {
  if (typeof scope === "string") return scope.split(" ").filter((word) => word !== "");
  return Array.isArray(scope) ? scope.filter((word) => typeof word === "string") : [];
}
