/** Why an access token is not taken. Each server says so in its own protocol. */
import { MikeySakkeError } from "../../base/errors.ts";

const TEXTS = {
  TOKEN_MISSING: "an access token is required",
  TOKEN_INVALID: "the access token is not accepted",
  TOKEN_EXPIRED: "the access token has expired",
  WRONG_SCOPE: "the access token has no scope for this server",
  TOKENS_UNAVAILABLE: "access tokens cannot be checked at present",
} as const;

export type TokenRefusalCode = keyof typeof TEXTS;

/** The status of the answer, in HTTP and in SIP. */
export const TOKEN_STATUS = {
  TOKEN_MISSING: 401,
  TOKEN_INVALID: 401,
  TOKEN_EXPIRED: 401,
  /** RFC 6750 3.1. */
  WRONG_SCOPE: 403,
  TOKENS_UNAVAILABLE: 503,
} as const satisfies Readonly<Record<TokenRefusalCode, number>>;

/** `detail` is for the log and the audit log, never for the answer. */
export class TokenRefusal extends MikeySakkeError {
  declare readonly code: TokenRefusalCode;
  readonly detail: string | undefined;

  constructor(code: TokenRefusalCode, detail?: string, cause?: unknown) {
    const text = TEXTS[code];
    super("transport", code, detail === undefined ? text : `${text}: ${detail}`, { cause });
    this.detail = detail;
  }
}
