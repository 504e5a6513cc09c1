/** Bodies of several parts (RFC 2046 5.1). Parts are octets; nothing in them can be taken for a boundary. */
import { concat, fromBase64, fromUtf8, utf8 } from "../../base/bytes.ts";
import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";

export interface Part {
  /** As in a Content-Type header field, with its parameters. */
  readonly contentType: string;
  readonly body: Uint8Array;
  /** Without angle brackets. */
  readonly contentId?: string;
  readonly contentDisposition?: string;
}

export interface Multipart {
  readonly contentType: string;
  readonly body: Uint8Array;
}

const MAX_PARTS = 32;
const MAX_LENGTH = 16 << 20;
/** Octets of a part up to its empty line. */
const MAX_HEADER = 8192;

const BOUNDARY = "part-";
const BOUNDARY_DIGITS = 8;

/** Type and subtype of a Content-Type value in small letters, without its parameters. */
export function mediaTypeOf(contentType: string): string {
  return contentType.split(";", 1)[0]!.trim().toLowerCase();
}

/**
 * A `multipart/mixed` body. The boundary is the first of a series that no part has in it.
 *
 * @throws {MikeySakkeError} usage `BAD_PART` for a header value with a line break, or too many parts or none
 */
export function writeMultipart(parts: readonly Part[]): Multipart {
  if (parts.length === 0 || parts.length > MAX_PARTS) {
    throw new MikeySakkeError("usage", "BAD_PART", `multipart: expected 1 to ${MAX_PARTS} parts`);
  }
  const boundary = freeBoundary(parts);
  const pieces = parts.flatMap((part) => [
    utf8(`--${boundary}\r\n${headerOf(part)}\r\n`),
    part.body,
    utf8("\r\n"),
  ]);
  return {
    contentType: `multipart/mixed; boundary="${boundary}"`,
    body: concat(...pieces, utf8(`--${boundary}--\r\n`)),
  };
}

function headerOf({ contentType, contentId, contentDisposition, body }: Part): string {
  const fields: [string, string | undefined][] = [
    ["Content-Type", contentType],
    ["Content-ID", contentId === undefined ? undefined : `<${contentId}>`],
    ["Content-Disposition", contentDisposition],
    ["Content-Transfer-Encoding", "binary"],
    ["Content-Length", String(body.length)],
  ];
  return fields
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${headerValue(name, value!)}\r\n`)
    .join("");
}

function headerValue(name: string, value: string): string {
  if (!/^[\x20-\x7e\x80-\uffff]+$/.test(value)) {
    throw new MikeySakkeError(
      "usage",
      "BAD_PART",
      `multipart: ${name} has characters that a header cannot carry`,
    );
  }
  return value;
}

/** All boundaries have one length, so none is the beginning of another. */
function freeBoundary(parts: readonly Part[]): string {
  const start = utf8(`--${BOUNDARY}`);
  const taken = new Set<string>();
  for (const { body } of parts) {
    for (let at = indexOf(body, start); at >= 0; at = indexOf(body, start, at + 1)) {
      const from = at + start.length;
      taken.add(String.fromCharCode(...body.subarray(from, from + BOUNDARY_DIGITS)));
    }
  }
  for (let n = 1; ; n++) {
    const digits = String(n).padStart(BOUNDARY_DIGITS, "0");
    if (!taken.has(digits)) return `${BOUNDARY}${digits}`;
  }
}

/**
 * The parts of a `multipart/…` body. Preamble and epilogue are passed over; base64 is decoded.
 *
 * @throws {MikeySakkeError} codec `MULTIPART_TYPE` when there is no valid boundary, `MULTIPART_LIMIT`,
 * `MULTIPART_FORMAT` or `MULTIPART_ENCODING`
 */
export function readMultipart(contentType: string, body: Uint8Array): Part[] {
  const boundary = boundaryOf(contentType);
  if (body.length > MAX_LENGTH) throw refusal("LIMIT", `longer than ${MAX_LENGTH} octets`);
  const delimiter = utf8(`\r\n--${boundary}`);
  const parts: Part[] = [];
  // A delimiter at the very beginning has no line break before it.
  const first = { at: 0, end: delimiter.length - 2 };
  const isFirst = startsWith(body, delimiter.subarray(2)) && endOfDelimiter(body, first.end) !== undefined;
  let line = isFirst ? first : nextDelimiter(body, delimiter, 0);
  if (line === undefined) throw refusal("FORMAT", "the boundary is nowhere");
  for (;;) {
    const from = endOfDelimiter(body, line.end);
    if (from === undefined) break;
    if (parts.length === MAX_PARTS) throw refusal("LIMIT", `more than ${MAX_PARTS} parts`);
    const next = nextDelimiter(body, delimiter, from);
    if (next === undefined) throw refusal("FORMAT", "no boundary at the end");
    parts.push(readPart(body.subarray(from, next.at), parts.length + 1));
    line = next;
  }
  if (parts.length === 0) throw refusal("FORMAT", "no parts");
  return parts;
}

function boundaryOf(contentType: string): string {
  const match = /;\s*boundary\s*=\s*(?:"([^"]*)"|([^\s;"]+))/i.exec(contentType.slice(0, 1024));
  const boundary = match?.[1] ?? match?.[2] ?? "";
  // RFC 2046 5.1.1: at most 70 characters of this set, no blank at the end.
  const isValid = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/.test(boundary);
  if (!mediaTypeOf(contentType).startsWith("multipart/") || !isValid) {
    throw refusal("TYPE", "the content type is not multipart with a valid boundary");
  }
  return boundary;
}

/** A delimiter has only blanks after it on its line; what merely begins like one is content. */
function nextDelimiter(
  body: Uint8Array,
  delimiter: Uint8Array,
  from: number,
): { at: number; end: number } | undefined {
  for (let at = indexOf(body, delimiter, from); at >= 0; at = indexOf(body, delimiter, at + 1)) {
    const end = at + delimiter.length;
    if (isClosing(body, end) || endOfDelimiter(body, end) !== undefined) return { at, end };
  }
  return undefined;
}

function isClosing(body: Uint8Array, at: number): boolean {
  return body[at] === 0x2d && body[at + 1] === 0x2d;
}

/** Offset after the line break of a delimiter, undefined when it is none or the closing one. */
function endOfDelimiter(body: Uint8Array, from: number): number | undefined {
  let at = from;
  while (body[at] === 0x20 || body[at] === 0x09) at++;
  return body[at] === 0x0d && body[at + 1] === 0x0a ? at + 2 : undefined;
}

function readPart(octets: Uint8Array, number: number): Part {
  const isBare = octets[0] === 0x0d && octets[1] === 0x0a;
  const end = isBare ? 0 : indexOf(octets.subarray(0, MAX_HEADER), utf8("\r\n\r\n"));
  if (end < 0) throw refusal("FORMAT", `part ${number}: no empty line after its header`);
  const header = readPartHeader(fromUtf8(octets.subarray(0, end), "header of a part"));
  const { contentId, contentDisposition } = header;
  return {
    contentType: header.contentType,
    body: decode(octets.slice(end + (isBare ? 2 : 4)), header.encoding, number),
    ...defined({ contentId, contentDisposition }),
  };
}

/** Header fields of a part (RFC 2045 3). */
interface PartHeader {
  readonly contentType: string;
  /** In small letters. */
  readonly encoding: string;
  readonly contentId: string | undefined;
  readonly contentDisposition: string | undefined;
}

/** @throws {MikeySakkeError} codec `MULTIPART_FORMAT` for a line that is no header field */
function readPartHeader(text: string): PartHeader {
  const fields = new Map<string, string>();
  for (const line of text.replace(/\r\n[ \t]+/g, " ").split("\r\n")) {
    if (line === "") continue;
    const match = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*:(.*)$/.exec(line);
    if (match === null) {
      throw new MikeySakkeError(
        "codec",
        "MULTIPART_FORMAT",
        "multipart: a line of a part is no header field",
      );
    }
    const name = match[1]!.toLowerCase();
    if (!fields.has(name)) fields.set(name, match[2]!.trim());
  }
  return {
    contentType: fields.get("content-type") ?? "text/plain; charset=us-ascii",
    encoding: (fields.get("content-transfer-encoding") ?? "7bit").toLowerCase(),
    contentId: fields.get("content-id")?.replace(/^<(.*)>$/, "$1"),
    contentDisposition: fields.get("content-disposition"),
  };
}

function decode(body: Uint8Array, encoding: string, number: number): Uint8Array {
  if (["binary", "8bit", "7bit"].includes(encoding)) return body;
  if (encoding === "base64") {
    try {
      return fromBase64(fromUtf8(body).replace(/[\t\r\n ]+/g, ""));
    } catch (cause) {
      throw refusal("ENCODING", `part ${number}: not base64`, cause);
    }
  }
  throw refusal("ENCODING", `part ${number}: unknown transfer encoding`);
}

/** Offset of the first occurrence at or after `from`, or -1. */
function indexOf(octets: Uint8Array, wanted: Uint8Array, from = 0): number {
  const first = wanted[0]!;
  for (let at = octets.indexOf(first, from); at >= 0; at = octets.indexOf(first, at + 1)) {
    if (at + wanted.length > octets.length) return -1;
    let i = 1;
    while (i < wanted.length && octets[at + i] === wanted[i]) i++;
    if (i === wanted.length) return at;
  }
  return -1;
}

function startsWith(octets: Uint8Array, start: Uint8Array): boolean {
  return start.every((octet, i) => octets[i] === octet);
}

function refusal(
  code: "ENCODING" | "FORMAT" | "LIMIT" | "TYPE",
  what: string,
  cause?: unknown,
): MikeySakkeError {
  return new MikeySakkeError("codec", `MULTIPART_${code}`, `multipart: ${what}`, { cause });
}
