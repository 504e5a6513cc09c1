/** Why a SUBSCRIBE is refused, and the answer that says so. */
import { MikeySakkeError } from "../../../base/errors.ts";
import type { Answer } from "../../../transport/sip/index.ts";
import { refusalAnswer } from "../../server/sip-refusal.ts";
import { TOKEN_STATUS } from "../../server/token-refusal.ts";

const STATUS = {
  ...TOKEN_STATUS,
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

export class SubscribeRefusal extends MikeySakkeError {
  declare readonly code: SubscribeCode;

  /** `detail` is for the log, not for the answer. */
  constructor(code: SubscribeCode, detail?: string, cause?: unknown) {
    super("transport", code, `SUBSCRIBE refused: ${detail ?? code}`, { cause });
  }

  /** @param authorizationServer issuer of the tokens, for the challenge (RFC 8898 4) */
  answer(authorizationServer: string | undefined): Answer {
    const { code } = this;
    return refusalAnswer({ status: STATUS[code], code, authorizationServer, realm: "gms" });
  }
}
