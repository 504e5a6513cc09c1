/** The challenge that answers a request whose access token is missing or refused. */
import { type AuthValue, bearerChallenge } from "../../transport/sip/index.ts";

/** The `error` parameter of a challenge by refusal, for a token that was present (RFC 6750 3.1). */
const ERRORS: ReadonlyMap<string, string> = new Map([
  ["TOKEN_INVALID", "invalid_token"],
  ["TOKEN_EXPIRED", "invalid_token"],
  ["WRONG_SCOPE", "insufficient_scope"],
]);

const isChallenged = (code: string) => code === "TOKEN_MISSING" || code === "ADMIN_TOKEN" || ERRORS.has(code);

/** The header field of an HTTP answer to the refusal `code` (RFC 6750 3); none if it is not about a token. */
export function httpChallenge(code: string): Readonly<Record<string, string>> {
  if (!isChallenged(code)) return {};
  const error = ERRORS.get(code);
  return { "www-authenticate": error === undefined ? "Bearer" : `Bearer error="${error}"` };
}

/**
 * WWW-Authenticate of a SIP answer to the refusal `code` (RFC 8898 4); undefined if it is not about a token.
 * `authorizationServer` is the issuer of the tokens; where none is known, the challenge has `realm`.
 */
export function sipChallenge(
  code: string,
  {
    authorizationServer,
    realm,
  }: { readonly authorizationServer: string | undefined; readonly realm: string },
): AuthValue | undefined {
  if (!isChallenged(code)) return undefined;
  const challenge = bearerChallenge({ authz_server: authorizationServer, error: ERRORS.get(code) });
  // RFC 3261 25.1 wants a parameter.
  return challenge.params.size > 0 ? challenge : bearerChallenge({ realm });
}
