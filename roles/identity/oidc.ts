/**
 * Access tokens of a person from an identity management server (TS 33.180 5.1.3, annex B): OpenID Connect, authorization code with
 * PKCE (RFC 7636) for a native client (RFC 8252), and refresh.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { toBase64, utf8 } from "../../base/bytes.ts";
import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import type { RandomSource } from "../../base/random.ts";

export type OidcFetch = (url: string, init?: RequestInit) => Promise<Response>;

/** What is used of the metadata of a server (OpenID Connect Discovery 1.0 3, RFC 8414 2). */
export interface OidcServer {
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
}

export interface OidcClient {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  /** Resource for which the tokens are meant, if the server requires it (RFC 8707). */
  readonly resource?: string;
}

/** What must be kept from the request until its answer. */
export interface LoginRequest {
  /** Where the person goes with a browser. */
  readonly url: string;
  readonly state: string;
  readonly verifier: string;
}

export interface OidcTokens {
  readonly accessToken: string;
  readonly refreshToken?: string;
  /** Seconds, as the server says. */
  readonly expiresIn?: number;
  readonly scope?: string;
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
  const endpoint = (name: string) => {
    const value = found[name];
    if (typeof value !== "string") throw failed(`${url} has no ${name}`);
    requireHttps(value);
    return value;
  };
  return {
    issuer,
    authorizationEndpoint: endpoint("authorization_endpoint"),
    tokenEndpoint: endpoint("token_endpoint"),
  };
}

/** TS 33.180 B.4.2.2: an authorization code, usable only with the verifier. */
export function loginRequest(server: OidcServer, client: OidcClient, random: RandomSource): LoginRequest {
  const [state, verifier] = [base64url(random(SECRET_BYTES)), base64url(random(SECRET_BYTES))];
  const url = new URL(server.authorizationEndpoint);
  const query = {
    response_type: "code",
    client_id: client.clientId,
    redirect_uri: client.redirectUri,
    scope: client.scopes.join(" "),
    state,
    code_challenge: base64url(sha256(utf8(verifier))),
    code_challenge_method: "S256",
    // OpenID Connect 1.0 11: without it there is no refresh token.
    ...(client.scopes.includes("offline_access") && { prompt: "consent" }),
    ...defined({ resource: client.resource }),
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return { url: url.href, state, verifier };
}

/**
 * Tokens for what the browser brought back to the redirect URI.
 *
 * @throws {MikeySakkeError} transport `OIDC_FAILED`; verification `OIDC_STATE` for an answer to somebody else's request
 */
export async function finishLogin(
  server: OidcServer,
  client: OidcClient,
  { state, verifier }: LoginRequest,
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
  return tokensFor(server, fetch, {
    grant_type: "authorization_code",
    client_id: client.clientId,
    redirect_uri: client.redirectUri,
    code,
    code_verifier: verifier,
    ...defined({ resource: client.resource }),
  });
}

/** @throws {MikeySakkeError} transport `OIDC_FAILED` */
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

async function tokensFor(
  { tokenEndpoint }: OidcServer,
  fetch: OidcFetch,
  form: Readonly<Record<string, string>>,
): Promise<OidcTokens> {
  const response = await ask(fetch, tokenEndpoint, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
    body: new URLSearchParams(form).toString(),
  });
  const answer = await json(response, tokenEndpoint);
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: expiresIn, scope } = answer;
  if (typeof accessToken !== "string") throw failed("the answer has no access token");
  return {
    accessToken,
    ...(typeof refreshToken === "string" && { refreshToken }),
    ...(typeof expiresIn === "number" && { expiresIn }),
    ...(typeof scope === "string" && { scope }),
  };
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
  throw failed(`${url}: ${String(error)} ${String(description)}`.trim());
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
