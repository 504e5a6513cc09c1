/** The Bearer scheme of a server (RFC 8898 2.3): an access token, checked by the caller; and its challenge. */
import { type AuthValue, isScheme } from "../codec/authorisation.ts";
import type { SipRequest } from "../codec/message.ts";
import { quote } from "../codec/scanner.ts";
import type { AuthScheme, SchemeResult } from "./server.ts";

export interface BearerOptions {
  /** HTTPS URI of the authorization server. */
  readonly authorizationServer: string;
  readonly scope?: string;
  /** The user of the token, or undefined if it is not valid. */
  readonly verify: (token: string, request: SipRequest) => string | undefined | Promise<string | undefined>;
}

export function bearerScheme(options: BearerOptions): AuthScheme {
  return {
    async check(credentials, request): Promise<SchemeResult | undefined> {
      if (!isScheme(credentials, "Bearer") || credentials.token === undefined) return undefined;
      const identity = await options.verify(credentials.token, request);
      return identity === undefined ? { ok: false, error: "invalid_token" } : { ok: true, identity };
    },
    challenges(refused): AuthValue[] {
      const error = refused?.ok === false ? refused.error : undefined;
      return [bearerChallenge({ authz_server: options.authorizationServer, scope: options.scope, error })];
    },
  };
}

/** Returns a challenge with those of the parameters that are defined (RFC 8898 4, RFC 6750 3). */
export function bearerChallenge(given: Readonly<Record<string, string | undefined>>): AuthValue {
  const params = new Map<string, string>();
  for (const [name, value] of Object.entries(given)) if (value !== undefined) params.set(name, quote(value));
  return { scheme: "Bearer", params };
}
