/** Why a SUBSCRIBE is refused, and the answer that says so. */
import { MikeySakkeError } from "../../../base/errors.ts";
import { type Answer, RETRY_AFTER, WWW_AUTHENTICATE } from "../../../transport/sip/index.ts";
import { sipChallenge } from "../../server/bearer-challenge.ts";

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
        const challenge = sipChallenge(this.code, { authorizationServer, realm: "gms" });
        if (challenge !== undefined) headers.set(WWW_AUTHENTICATE, challenge);
        if (status === 503) headers.set(RETRY_AFTER, { seconds: RETRY_SECONDS, params: new Map() });
      },
    };
  }
}
