/**
 * Access tokens of a person from an identity management server (TS 33.180 5.1.3, annex B): OpenID Connect, authorization code with
 * PKCE (RFC 7636) for a native client (RFC 8252), and refresh.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { fromBase64, fromUtf8, toBase64, utf8 } from "../../base/bytes.ts";
import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import type { RandomSource } from "../../base/random.ts";

export type OidcFetch = (url: string, init?: RequestInit) => Promise<Response>;

/** The part that is used of the metadata of a server (OpenID Connect Discovery 1.0 3, RFC 8414 2). */
export interface OidcServer {
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  /** The URL at which a client gives tokens back (RFC 7009). */
  readonly revocationEndpoint?: string;
  /** The URL at which a browser ends the person's session (OpenID Connect RP-Initiated Logout 1.0). */
  readonly endSessionEndpoint?: string;
}

export interface OidcClient {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  /** Resource for which the tokens are meant, if the server requires it (RFC 8707). */
  readonly resource?: string;
}

/** The values that must be kept from the request until its answer. */
export interface LoginRequest {
  /** The URL to which the person goes with a browser. */
  readonly url: string;
  readonly state: string;
  readonly verifier: string;
  readonly nonce: string;
}

export interface OidcTokens {
  readonly accessToken: string;
  readonly refreshToken?: string;
  /** Seconds, as the server says. */
  readonly expiresIn?: number;
  readonly scope?: string;
  /** Claims of the ID token, such as `mcptt_id` (TS 33.180 B.2.1). */
  readonly claims?: Readonly<Record<string, unknown>>;
}

const SECRET_BYTES = 32;
/** Octets of an answer. */
const MAX_ANSWER = 256 << 10;

/** @throws {MikeySakkeError} transport `OIDC_FAILED` */
export async function discover(issuer: string, fetch: OidcFetch): Promise<OidcServer> {
  requireHttps(issuer);
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const found = await json(await ask(fetch, url), url);
  if (found.issuer !== issuer) throw failed(`${url} is of the issuer ${String(found.issuer)}, not ${issuer}`);
  const optional = (name: string) => {
    const value = found[name];
    if (typeof value !== "string") return undefined;
    requireHttps(value);
    return value;
  };
  const endpoint = (name: string) => {
    const value = optional(name);
    if (value === undefined) throw failed(`${url} has no ${name}`);
    return value;
  };
  return {
    issuer,
    authorizationEndpoint: endpoint("authorization_endpoint"),
    tokenEndpoint: endpoint("token_endpoint"),
    ...defined({
      revocationEndpoint: optional("revocation_endpoint"),
      endSessionEndpoint: optional("end_session_endpoint"),
    }),
  };
}

/** TS 33.180 B.4.2.2: an authorization code, usable only with the verifier. */
export function loginRequest(server: OidcServer, client: OidcClient, random: RandomSource): LoginRequest {
  const secret = () => base64url(random(SECRET_BYTES));
  const [state, verifier, nonce] = [secret(), secret(), secret()];
  const url = new URL(server.authorizationEndpoint);
  const query = {
    response_type: "code",
    client_id: client.clientId,
    redirect_uri: client.redirectUri,
    scope: client.scopes.join(" "),
    state,
    nonce,
    code_challenge: base64url(sha256(utf8(verifier))),
    code_challenge_method: "S256",
    // OpenID Connect 1.0 11: without it there is no refresh token.
    ...(client.scopes.includes("offline_access") && { prompt: "consent" }),
    ...defined({ resource: client.resource }),
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return { url: url.href, state, verifier, nonce };
}

/**
 * Tokens for what the browser brought back to the redirect URI.
 *
 * @throws {MikeySakkeError} transport `OIDC_FAILED`; verification `OIDC_STATE` for an answer to somebody else's request, and for
 * an ID token that is not of this server, client and request
 */
export async function finishLogin(
  server: OidcServer,
  client: OidcClient,
  { state, verifier, nonce }: LoginRequest,
  answer: URLSearchParams,
  fetch: OidcFetch,
): Promise<OidcTokens> {
  // RFC 9207: another server's answer.
  const iss = answer.get("iss");
  if (answer.get("state") !== state || (iss !== null && iss !== server.issuer)) {
    throw new MikeySakkeError("verification", "OIDC_STATE", "login: the answer is of another request");
  }
  const error = answer.get("error");
  if (error !== null) throw failed(`${error} ${answer.get("error_description") ?? ""}`.trim());
  const code = answer.get("code");
  if (code === null) throw failed("the answer has no code");
  const tokens = await tokensFor(server, fetch, {
    grant_type: "authorization_code",
    client_id: client.clientId,
    redirect_uri: client.redirectUri,
    code,
    code_verifier: verifier,
    ...defined({ resource: client.resource }),
  });
  if (tokens.claims !== undefined) requireOurs(tokens.claims, { server, client, nonce });
  return tokens;
}

/**
 * OpenID Connect 1.0 3.1.3.7: an ID token is for this client and this request. It came from the server itself over TLS, which
 * step 6 lets stand for its signature.
 */
function requireOurs(
  { iss, aud, nonce }: Readonly<Record<string, unknown>>,
  wanted: { readonly server: OidcServer; readonly client: OidcClient; readonly nonce: string },
): void {
  const isFor = Array.isArray(aud) ? aud.includes(wanted.client.clientId) : aud === wanted.client.clientId;
  if (iss === wanted.server.issuer && isFor && nonce === wanted.nonce) return;
  throw new MikeySakkeError("verification", "OIDC_STATE", "login: the ID token is of another request");
}

/** @throws {MikeySakkeError} transport `OIDC_FAILED`, `OIDC_ENDED` where the server takes the token no more */
export async function refreshTokens(
  server: OidcServer,
  client: Pick<OidcClient, "clientId" | "resource">,
  refreshToken: string,
  fetch: OidcFetch,
): Promise<OidcTokens> {
  const { clientId, resource } = client;
  const tokens = await tokensFor(server, fetch, {
    grant_type: "refresh_token",
    client_id: clientId,
    refresh_token: refreshToken,
    ...defined({ resource }),
  });
  // RFC 6749 6: without a new one the old one goes on.
  return { refreshToken, ...tokens };
}

/**
 * Gives a refresh token back, so that it is good for nothing any more. Without effect at a server that has no such endpoint.
 *
 * @throws {MikeySakkeError} transport `OIDC_FAILED` where the server is not reached
 */
export async function revokeToken(
  { revocationEndpoint }: OidcServer,
  { clientId }: Pick<OidcClient, "clientId">,
  refreshToken: string,
  fetch: OidcFetch,
): Promise<void> {
  if (revocationEndpoint === undefined) return;
  await post(fetch, revocationEndpoint, {
    client_id: clientId,
    token: refreshToken,
    token_type_hint: "refresh_token",
  });
}

/**
 * Returns where a browser goes to end the person's session, from which it comes back to `redirectUri`; undefined where
 * there is no such page.
 */
export function logoutUrl(
  { endSessionEndpoint }: OidcServer,
  { clientId, redirectUri }: Pick<OidcClient, "clientId" | "redirectUri">,
): string | undefined {
  if (endSessionEndpoint === undefined) return undefined;
  const url = new URL(endSessionEndpoint);
  url.searchParams.set("client_id", clientId);
  url.searchParams.set("post_logout_redirect_uri", redirectUri);
  return url.href;
}

async function tokensFor(
  { tokenEndpoint }: OidcServer,
  fetch: OidcFetch,
  form: Readonly<Record<string, string>>,
): Promise<OidcTokens> {
  const answer = await json(await post(fetch, tokenEndpoint, form), tokenEndpoint);
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: expiresIn, scope } = answer;
  const { id_token: idToken } = answer;
  if (typeof accessToken !== "string") throw failed("the answer has no access token");
  return {
    accessToken,
    ...(typeof refreshToken === "string" && { refreshToken }),
    ...(typeof expiresIn === "number" && { expiresIn }),
    ...(typeof scope === "string" && { scope }),
    ...(typeof idToken === "string" && { claims: claimsOf(idToken) }),
  };
}

/** The payload of a JSON Web Token (RFC 7519), unverified. */
function claimsOf(token: string): Record<string, unknown> {
  try {
    const payload = token.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/");
    const padded = payload.padEnd(Math.ceil(payload.length / 4) * 4, "=");
    const claims: unknown = JSON.parse(fromUtf8(fromBase64(padded)));
    if (typeof claims === "object" && claims !== null) return claims as Record<string, unknown>;
  } catch (cause) {
    throw failed("the ID token is no JSON Web Token", cause);
  }
  throw failed("the ID token has no claims");
}

function post(fetch: OidcFetch, url: string, form: Readonly<Record<string, string>>): Promise<Response> {
  return ask(fetch, url, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
    body: new URLSearchParams(form).toString(),
  });
}

async function ask(fetch: OidcFetch, url: string, init?: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, redirect: "error" });
  } catch (cause) {
    throw failed(`${url} was not reached`, cause);
  }
}

async function json(response: Response, url: string): Promise<Record<string, unknown>> {
  const text = await response.text();
  let value: unknown;
  try {
    value = text.length > MAX_ANSWER ? undefined : JSON.parse(text);
  } catch (cause) {
    throw failed(`${url} answers ${response.status}, and no JSON`, cause);
  }
  if (typeof value !== "object" || value === null) throw failed(`${url} answers ${response.status}`);
  const answer = value as Record<string, unknown>;
  if (response.ok) return answer;
  const { error = response.status, error_description: description = "" } = answer;
  const what = `${url}: ${String(error)} ${String(description)}`.trim();
  // RFC 6749 5.2: the code or the refresh token is used up, revoked or too old.
  if (error === "invalid_grant") throw new MikeySakkeError("transport", "OIDC_ENDED", `login: ${what}`);
  throw failed(what);
}

/** Tokens and codes go by no other way, except on this machine. */
function requireHttps(url: string): void {
  const { protocol, hostname } = new URL(url);
  const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
  if (protocol !== "https:" && !(protocol === "http:" && isLocal)) throw failed(`${url} is not https`);
}

function base64url(octets: Uint8Array): string {
  return toBase64(octets).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function failed(what: string, cause?: unknown): MikeySakkeError {
  return new MikeySakkeError("transport", "OIDC_FAILED", `login: ${what}`, { cause });
}
