/** Octets to message, strictly by the grammar of RFC 3261 25.1. One call, one message. */
import { type ErrorCode, MikeySakkeError } from "../../../base/errors.ts";
import { CONTACT, FROM, TO, VIA } from "./addresses.ts";
import type { HeaderField } from "./field.ts";
import { Headers } from "./headers.ts";
import { DEFAULT_LIMITS, type SipLimits } from "./limits.ts";
import type { SipMessage, SipRequest } from "./message.ts";
import { fieldOf, keyOf } from "./names.ts";
import { CALL_ID, CONTENT_LENGTH, CSEQ } from "./scalars.ts";
import { TOKEN } from "./scanner.ts";
import { isSipUri, parseUri } from "./uri.ts";

/** The way in which a message came: on its own, where the rest is the body, or in a stream, where Content-Length must say. */
export type Framing = "datagram" | "stream";

// The first character of a message may be U+FEFF, which is no mark here.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const REQUEST_LINE = new RegExp(`^(${TOKEN}) ([^ ]+) (SIP/[0-9]+\\.[0-9]+)$`, "i");
const STATUS_LINE = /^(SIP\/[0-9]+\.[0-9]+) ([1-6][0-9]{2}) ([^\r\n]*)$/i;
const HEADER_LINE = new RegExp(`^(${TOKEN})[ \\t]*:[ \\t]*`);
// biome-ignore lint/suspicious/noControlCharactersInRegex: what a text may not hold (25.1, TEXT-UTF8char)
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f]/;

export function sipError(code: ErrorCode, what: string): MikeySakkeError {
  return new MikeySakkeError("codec", code, `SIP message: ${what}`);
}

/** Returns where the body begins, or -1 if that is not within `limit`. */
export function endOfHead(bytes: Uint8Array, from = 0, limit = bytes.length): number {
  for (let i = bytes.indexOf(13, from); i >= 0 && i + 4 <= limit; i = bytes.indexOf(13, i + 1)) {
    if (bytes[i + 1] === 10 && bytes[i + 2] === 13 && bytes[i + 3] === 10) return i + 4;
  }
  return -1;
}

/** The head as lines, those that are folded joined (7.3.1). Line breaks are CRLF. */
export function readHead(bytes: Uint8Array): string[] {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch (cause) {
    throw new MikeySakkeError("codec", "SIP_NOT_UTF8", "SIP message: the head is not UTF-8", { cause });
  }
  const lines = text
    .slice(0, -4)
    .replace(/\r\n[ \t]+/g, " ")
    .split("\r\n");
  if (lines.some((line) => /[\r\n]/.test(line)))
    throw sipError("SIP_HEADER", "a line break that is not CRLF");
  return lines;
}

/** RFC 3261 7.5: empty lines before the start line are ignored. */
export function skipEmptyLines(bytes: Uint8Array): number {
  let at = 0;
  while (bytes[at] === 13 && bytes[at + 1] === 10) at += 2;
  return at;
}

/**
 * Reads one message. Throws a codec error; `SIP_VERSION` is one of another version. Every header field that this
 * package knows is well-formed then (of those that nobody needs, malformed lines are left out), and From, To, Call-ID, CSeq and Via are there.
 */
export function parseMessage(
  bytes: Uint8Array,
  framing: Framing = "datagram",
  limits: SipLimits = DEFAULT_LIMITS,
): SipMessage {
  const start = skipEmptyLines(bytes);
  const end = endOfHead(bytes, start, start + limits.head);
  if (end < 0 && bytes.length - start > limits.head) {
    throw sipError("SIP_TOO_LARGE", `more than ${limits.head} octets of header`);
  }
  if (end < 0) throw sipError("SIP_TRUNCATED", "the header fields have no end");
  const lines = readHead(bytes.subarray(start, end));
  if (lines.length - 1 > limits.lines)
    throw sipError("SIP_TOO_LARGE", `more than ${limits.lines} header lines`);
  const first = readStartLine(lines[0]!);
  const headers = readHeaders(lines);
  headers.check();
  checkFields(headers);
  const body = readBody(bytes.subarray(end), headers.get(CONTENT_LENGTH), framing, limits);
  const message: SipMessage = { ...first, headers, body };
  if (message.kind === "request") checkRequest(message);
  return message;
}

type StartLine =
  | { readonly kind: "request"; readonly method: string; readonly uri: string }
  | { readonly kind: "response"; readonly status: number; readonly reason: string };

function readStartLine(line: string): StartLine {
  const response = STATUS_LINE.exec(line);
  if (response !== null) {
    checkVersion(response[1]!);
    if (CONTROL.test(response[3]!)) throw sipError("SIP_START_LINE", "control character in the reason");
    return { kind: "response", status: Number(response[2]), reason: response[3]! };
  }
  const request = REQUEST_LINE.exec(line);
  if (request === null) throw sipError("SIP_START_LINE", "malformed start line");
  checkVersion(request[3]!);
  return { kind: "request", method: request[1]!, uri: request[2]! };
}

function checkVersion(version: string): void {
  if (version.toUpperCase() !== "SIP/2.0") throw sipError("SIP_VERSION", "not SIP/2.0");
}

function readHeaders(lines: readonly string[]): Headers {
  const headers = new Headers();
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]!;
    const found = HEADER_LINE.exec(line);
    if (found === null) throw sipError("SIP_HEADER", `malformed header line ${i}`);
    const name = found[1]!;
    const text = line.slice(found[0].length).trimEnd();
    if (fieldOf(keyOf(name)) === undefined && CONTROL.test(text)) {
      throw sipError("SIP_HEADER", `control character in header line ${i}`);
    }
    headers.append(name, text);
  }
  return headers;
}

const NEEDED: readonly HeaderField<unknown>[] = [VIA, FROM, TO, CALL_ID, CSEQ];

/** 8.1.1: what every message has. A request without Max-Forwards is of RFC 2543 and served (16.3). */
function checkFields(headers: Headers): void {
  for (const field of NEEDED) headers.need(field);
  const contacts = headers.all(CONTACT);
  if (contacts.includes("*") && contacts.length > 1) throw sipError("SIP_HEADER", 'Contact "*" is not alone');
}

function checkRequest({ method, uri, headers }: SipRequest): void {
  // 8.1.1.5: the method of CSeq is that of the request.
  if (headers.need(CSEQ).method !== method) throw sipError("SIP_HEADER", "CSeq is of another method");
  let target: ReturnType<typeof parseUri>;
  try {
    target = parseUri(uri);
  } catch (cause) {
    throw new MikeySakkeError("codec", "SIP_START_LINE", "SIP message: malformed Request-URI", { cause });
  }
  // 19.1.1, table 1: a Request-URI has no headers.
  if (isSipUri(target) && target.headers !== undefined) {
    throw sipError("SIP_START_LINE", "header fields in the Request-URI");
  }
}

/** 18.3: octets after the body of a datagram are dropped; too few of them, or a stream without a length, is an error. */
function readBody(
  rest: Uint8Array,
  length: number | undefined,
  framing: Framing,
  limits: SipLimits,
): Uint8Array {
  if (length === undefined && framing === "stream")
    throw sipError("SIP_LENGTH", "no Content-Length in a stream");
  const wanted = length ?? rest.length;
  if (wanted > limits.body) throw sipError("SIP_TOO_LARGE", `body of more than ${limits.body} octets`);
  if (wanted > rest.length) throw sipError("SIP_LENGTH", "the body is shorter than Content-Length");
  return rest.slice(0, wanted);
}
