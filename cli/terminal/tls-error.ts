/** A server whose certificate is not accepted, told with what is wrong with it. `fetch` says so only in its causes. */
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";

const TLS_CODES = /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT|UNABLE_TO_|CERT_|ERR_TLS_CERT_|ERR_SSL)/;

const FAULTS: Readonly<Record<string, readonly [code: ErrorCode, text: string]>> = {
  CERT_HAS_EXPIRED: ["TLS_EXPIRED", "the certificate of the server has expired"],
  CERT_NOT_YET_VALID: ["TLS_NOT_YET_VALID", "the certificate of the server is not valid yet"],
};

/** Undefined when the error has another ground. Transport errors TLS_EXPIRED, TLS_NOT_YET_VALID, TLS_WRONG_NAME, TLS_UNTRUSTED. */
export function tlsError(error: unknown): MikeySakkeError | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const { code = "" } = cause as NodeJS.ErrnoException;
    if (!TLS_CODES.test(code)) continue;
    const [name, text] = FAULTS[code] ?? otherFault(cause, code);
    return new MikeySakkeError("transport", name, text, { cause: error });
  }
  return undefined;
}

function otherFault(cause: Error, code: string): readonly [code: ErrorCode, text: string] {
  if (code !== "ERR_TLS_CERT_ALTNAME_INVALID")
    return ["TLS_UNTRUSTED", `the certificate of the server is not trusted (${code})`];
  const { host = "", cert } = cause as { host?: string; cert?: { subjectaltname?: string } };
  const names = cert?.subjectaltname ?? "no name";
  return ["TLS_WRONG_NAME", `the certificate of the server is for ${names}, not for ${host}`];
}
