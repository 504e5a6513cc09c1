/** The Bearer scheme of a server (RFC 8898 2.3): an access token, checked by the caller. */
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
      const params = new Map([["authz_server", quote(options.authorizationServer)]]);
      if (options.scope !== undefined) params.set("scope", quote(options.scope));
      if (refused?.ok === false) params.set("error", quote(refused.error));
      return [{ scheme: "Bearer", params }];
    },
  };
}
