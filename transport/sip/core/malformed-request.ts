/** The answer to a request that cannot be parsed (RFC 3261 21.4.1), if it has an address to answer. */
import { type ErrorCode, MikeySakkeError } from "../../../base/errors.ts";
import { FROM, TO, VIA } from "../codec/addresses.ts";
import type { HeaderField } from "../codec/field.ts";
import { Headers } from "../codec/headers.ts";
import type { SipLimits } from "../codec/limits.ts";
import { NO_BODY, reasonOf, type SipResponse } from "../codec/message.ts";
import { endOfHead, readHead, skipEmptyLines } from "../codec/parse.ts";
import { CALL_ID, CSEQ } from "../codec/scalars.ts";
import { isToken } from "../codec/scanner.ts";

const STATUS: Partial<Readonly<Record<ErrorCode, number>>> = { SIP_VERSION: 505, SIP_TOO_LARGE: 513 };
const READ: readonly HeaderField<unknown>[] = [FROM, TO, CALL_ID, CSEQ];

/**
 * Undefined where no answer is due: to a response, to an ACK, to what has no Via, or no From, To, Call-ID and CSeq that
 * can be read, and to a head that is larger than the limit, which is not read.
 */
export function answerToMalformed(
  bytes: Uint8Array,
  error: unknown,
  tag: string,
  limits: SipLimits,
): SipResponse | undefined {
  try {
    const start = skipEmptyLines(bytes);
    const end = endOfHead(bytes, start, start + limits.head);
    if (end < 0) return undefined;
    const [first = "", ...lines] = readHead(bytes.subarray(start, end));
    if (/^(?:SIP\/|ACK )/i.test(first)) return undefined;
    const headers = new Headers();
    const read = new Headers();
    for (const line of lines) {
      const colon = line.indexOf(":");
      const name = line.slice(0, Math.max(colon, 0)).trimEnd();
      if (isToken(name)) read.append(name, line.slice(colon + 1).trim());
    }
    // Via as it came: another version of SIP has another one (RFC 4475 3.1.2.16).
    for (const field of [VIA, ...READ]) headers.copy(field, read);
    for (const field of READ) headers.need(field);
    if (!headers.has(VIA)) return undefined;
    const to = headers.need(TO);
    if (!to.params.has("tag")) headers.set(TO, { ...to, params: new Map([...to.params, ["tag", tag]]) });
    const status = (error instanceof MikeySakkeError ? STATUS[error.code] : undefined) ?? 400;
    return { kind: "response", status, reason: reasonOf(status), headers, body: NO_BODY };
  } catch {
    return undefined;
  }
}
