/** Header fields of a part (RFC 2045 3). */
import { MikeySakkeError } from "../../base/errors.ts";

export interface PartHeader {
  readonly contentType: string;
  /** In small letters. */
  readonly encoding: string;
  readonly contentId: string | undefined;
  readonly contentDisposition: string | undefined;
}

/** @throws {MikeySakkeError} codec `MULTIPART_FORMAT` for a line that is no header field */
export function readPartHeader(text: string): PartHeader {
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

/** Offset of the first occurrence at or after `from`, or -1. */
export function indexOf(octets: Uint8Array, wanted: Uint8Array, from = 0): number {
  const first = wanted[0]!;
  for (let at = octets.indexOf(first, from); at >= 0; at = octets.indexOf(first, at + 1)) {
    if (at + wanted.length > octets.length) return -1;
    let i = 1;
    while (i < wanted.length && octets[at + i] === wanted[i]) i++;
    if (i === wanted.length) return at;
  }
  return -1;
}
