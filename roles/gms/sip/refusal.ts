/** Why a SUBSCRIBE is refused, and the answer that says so. */
import { MikeySakkeError } from "../../../base/errors.ts";
import {
  type Answer,
  type AuthValue,
  quote,
  RETRY_AFTER,
  WWW_AUTHENTICATE,
} from "../../../transport/sip/index.ts";

const STATUS = {
  TOKEN_MISSING: 401,
  TOKEN_INVALID: 401,
  TOKEN_EXPIRED: 401,
  /** RFC 6750 3.1. */
  WRONG_SCOPE: 403,
  TOKENS_UNAVAILABLE: 503,
  /** The token proves no user's identity, as a server's own does. */
  NO_USER: 403,
  BODY_TOO_LARGE: 413,
  LIST_TOO_LONG: 413,
  LIST_MISSING: 400,
  BAD_BODY: 400,
  BODY_TYPE: 415,
  /** Accept is there without xcap-diff (RFC 5875 4.4). */
  NOT_ACCEPTABLE: 406,
} as const;

export type SubscribeCode = keyof typeof STATUS;

/** RFC 6750 3.1: what the challenge says of a token that was there. */
const BEARER_ERROR: Partial<Record<SubscribeCode, string>> = {
  TOKEN_INVALID: "invalid_token",
  TOKEN_EXPIRED: "invalid_token",
  WRONG_SCOPE: "insufficient_scope",
};

/** Seconds after which tokens may be checked again. */
const RETRY_SECONDS = 5;

export class SubscribeRefusal extends MikeySakkeError {
  declare readonly code: SubscribeCode;

  /** `detail` is for the log, not for the answer. */
  constructor(code: SubscribeCode, detail?: string, cause?: unknown) {
    super("transport", code, `SUBSCRIBE refused: ${detail ?? code}`, { cause });
  }

  /** @param authorizationServer issuer of the tokens, for the challenge (RFC 8898 4) */
  answer(authorizationServer: string | undefined): Answer {
    const status = STATUS[this.code];
    return {
      status,
      headers: (headers) => {
        if (status === 401 || this.code === "WRONG_SCOPE") {
          headers.set(WWW_AUTHENTICATE, challenge(authorizationServer, BEARER_ERROR[this.code]));
        }
        if (status === 503) headers.set(RETRY_AFTER, { seconds: RETRY_SECONDS, params: new Map() });
      },
    };
  }
}

function challenge(authorizationServer: string | undefined, error: string | undefined): AuthValue {
  const params = new Map<string, string>();
  if (authorizationServer !== undefined) params.set("authz_server", quote(authorizationServer));
  if (error !== undefined) params.set("error", quote(error));
  // RFC 3261 25.1 wants a parameter.
  if (params.size === 0) params.set("realm", quote("gms"));
  return { scheme: "Bearer", params };
}
