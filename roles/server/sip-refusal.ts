/** The SIP answer to a request that a server refuses. */
import { type Answer, type Headers, RETRY_AFTER, WWW_AUTHENTICATE } from "../../transport/sip/index.ts";
import { sipChallenge } from "./bearer-challenge.ts";

/** Seconds after which a request that was refused with 503 may be tried again. */
const RETRY_SECONDS = 5;

export interface SipRefusal {
  readonly status: number;
  readonly code: string;
  /** The issuer of the tokens, for the challenge (RFC 8898 4). */
  readonly authorizationServer: string | undefined;
  /** The name of the server, for a challenge where no issuer is known. */
  readonly realm: string;
  /** Adds to the header where the refusal is not about a token. */
  readonly otherwise?: (headers: Headers) => void;
}

export function refusalAnswer(refusal: SipRefusal): Answer {
  const { status, code, otherwise } = refusal;
  return {
    status,
    headers: (headers) => {
      const challenge = sipChallenge(code, refusal);
      if (challenge !== undefined) headers.set(WWW_AUTHENTICATE, challenge);
      else otherwise?.(headers);
      if (status === 503) headers.set(RETRY_AFTER, { seconds: RETRY_SECONDS, params: new Map() });
    },
  };
}
