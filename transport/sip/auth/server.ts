/** Challenges requests and checks credentials: what digest and Bearer have in common (RFC 3261 22.1, 26.2). */
import { AUTHORIZATION, type AuthValue, WWW_AUTHENTICATE } from "../codec/authorisation.ts";
import type { SipRequest } from "../codec/message.ts";
import type { Answer } from "../core/incoming.ts";
import type { Flow } from "../socket/ports.ts";

/** One scheme. */
export interface AuthScheme {
  /** Undefined when the credentials are of another scheme. */
  check(credentials: AuthValue, request: SipRequest): Promise<SchemeResult | undefined>;
  /** What to ask for; `refused` is what came of the credentials, if there were some. */
  challenges(refused: SchemeResult | undefined): AuthValue[];
}

export type SchemeResult =
  | { readonly ok: true; readonly identity: string }
  /** `error` goes into the challenge: stale for digest, as RFC 6750 3.1 has it for Bearer. */
  | { readonly ok: false; readonly error: string };

export type AuthResult =
  | { readonly ok: true; readonly identity: string }
  | { readonly ok: false; readonly answer: Answer };

export interface Authenticator {
  /** `flow`: what the request came on. */
  check(request: SipRequest, flow: Flow): Promise<AuthResult>;
}

/** Takes credentials of any of the schemes; asks for all, in that order (RFC 8760 2.4: strongest first). */
export function createAuthenticator(
  ...schemes: readonly AuthScheme[]
): Authenticator & { check(request: SipRequest): Promise<AuthResult> } {
  return {
    async check(request: SipRequest) {
      const refused = new Map<AuthScheme, SchemeResult>();
      for (const credentials of request.headers.all(AUTHORIZATION)) {
        for (const scheme of schemes) {
          const result = await scheme.check(credentials, request);
          if (result?.ok) return result;
          if (result !== undefined) refused.set(scheme, result);
        }
      }
      const challenges = schemes.flatMap((scheme) => scheme.challenges(refused.get(scheme)));
      const answer: Answer = { status: 401, headers: (h) => void h.set(WWW_AUTHENTICATE, ...challenges) };
      return { ok: false, answer };
    },
  };
}
