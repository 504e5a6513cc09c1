/** Values of command line options. Each function throws a usage error that names the option. */
import { fromUtf8 } from "../../base/bytes.ts";
import { defined, ifDefined } from "../../base/defined.ts";
import { isServiceId } from "../../documents/group-xml/index.ts";
import { parseDateTime } from "../../documents/xml/date-time.ts";
import { type ByteSource, readInput } from "./files.ts";
import { usageError } from "./usage.ts";

/** Octets of a list of URIs. */
const MAX_LIST = 16 << 20;

/**
 * `now`, a date, an ISO 8601 time (UTC when it has no zone), or `@` and Unix seconds; in
 * milliseconds since the Unix epoch.
 */
export function timeOption(text: string, option: string): number {
  if (text === "now") return Date.now();
  const seconds = /^@(\d{1,11})$/.exec(text)?.[1];
  if (seconds !== undefined) return Number(seconds) * 1000;
  const time = parseDateTime(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text);
  if (time === undefined) {
    throw usageError(
      "BAD_TIME",
      `${option}: "${text}" is not a time such as 2026-01-31T12:00:00Z, @1767225600 or now`,
    );
  }
  return time;
}

export function integerOption(text: string, option: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw usageError("BAD_NUMBER", `${option}: "${text}" is not a whole number from ${min} to ${max}`);
  }
  return value;
}

/** A URI is hashed octet for octet (TS 33.180 F.2.1): it is never changed here, only refused. */
export function uriOption(text: string, option: string): string {
  if (text === "" || /[\0-\x20\x7f]/.test(text)) {
    throw usageError("BAD_URI", `${option}: "${text}" is not a URI: it is empty or has blanks`);
  }
  return text;
}

export function httpUrlOption(text: string, option: string): string {
  if (URL.canParse(text) && /^https?:/.test(text)) return text;
  throw usageError("BAD_URI", `${option}: "${text}" is not a URL that begins with http:// or https://`);
}

/** The URI of a group or a user. */
export function serviceIdOption(text: string, option: string): string {
  const uri = uriOption(text, option);
  if (isServiceId(uri)) return uri;
  const reason = "it must begin with sip:, sips: or tel:, and have no letters that are not printed";
  throw usageError("BAD_URI", `${option}: "${text}" is no URI of a group or a user: ${reason}`);
}

/** One URI to a line; empty lines and lines that begin with # are passed over. */
export async function uriListFile(name: string, stdin: ByteSource, option: string): Promise<string[]> {
  return (await linesOf(name, stdin, option)).map((line) => serviceIdOption(line, option));
}

/** A member of a group and, where it is not the one of the GMS, its KMS. */
export interface Member {
  readonly uri: string;
  readonly kmsUri?: string;
}

/** As `uriListFile`, with the KmsUri of the member's KMS behind a blank, if it is another. */
export async function memberListFile(name: string, stdin: ByteSource, option: string): Promise<Member[]> {
  return (await linesOf(name, stdin, option)).map((line) => {
    const [uri, kmsUri, ...more] = line.split(/[ \t]+/);
    if (more.length > 0) throw usageError("BAD_URI", `${option}: "${line}" is not a URI and a KmsUri`);
    return {
      uri: serviceIdOption(uri!, option),
      ...defined({ kmsUri: ifDefined(kmsUri, uriOption, option) }),
    };
  });
}

async function linesOf(name: string, stdin: ByteSource, option: string): Promise<string[]> {
  const lines = fromUtf8(await readInput(name, stdin, MAX_LIST), name)
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (lines.length === 0) throw usageError("EMPTY_LIST", `${option}: ${name} has no URI`);
  return lines;
}

export function requireDistinct(uris: readonly string[], option: string): void {
  const seen = new Set<string>();
  for (const uri of uris) {
    if (seen.has(uri)) throw usageError("DUPLICATE_URI", `${option}: ${uri} is there twice`);
    seen.add(uri);
  }
}
