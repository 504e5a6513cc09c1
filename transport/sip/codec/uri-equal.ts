/**
 * Finds out whether two texts are the same URI (RFC 3261 19.1.4; RFC 3966 5 for tel). UIDs are hashes of octets and know
 * no such thing.
 */
import type { Params } from "./scanner.ts";
import { isSipUri, type OtherUri, parseUri, type SipUri } from "./uri.ts";

/** URIs differ if one of these parameters occurs in only one of them. */
const DECISIVE = ["user", "ttl", "method", "maddr", "transport"];
/** RFC 2396 2.2: what these mean depends on whether they are escaped. */
const RESERVED = ";/?:@&=+$,";
/** RFC 3966 3: they are for the eye. */
const VISUAL_SEPARATORS = /[-.()]/g;

/** What cannot be read as a URI is the same as itself only. */
export function isSameUri(one: string, other: string): boolean {
  if (one === other) return true;
  const [a, b] = [readUri(one), readUri(other)];
  if (a === undefined || b === undefined || a.scheme !== b.scheme) return false;
  if (isSipUri(a)) return isSipUri(b) && isSameSip(a, b);
  return a.scheme === "tel" && !isSipUri(b) && telephone(a) === telephone(b);
}

/** The same for URIs that are the same, and for few others: for finding those to compare. */
export function uriKey(uri: string): string {
  const read = readUri(uri);
  if (read === undefined) return uri;
  if (isSipUri(read)) return `${read.scheme}:${unescaped(read.user ?? "")}@${read.host.toLowerCase()}`;
  return read.scheme === "tel" ? `tel:${telephone(read)}` : uri;
}

function readUri(text: string): SipUri | OtherUri | undefined {
  try {
    return parseUri(text);
  } catch {
    return undefined;
  }
}

function isSameSip(a: SipUri, b: SipUri): boolean {
  return (
    a.host.toLowerCase() === b.host.toLowerCase() &&
    a.port === b.port &&
    isSameText(a.user, b.user) &&
    isSameText(a.password, b.password) &&
    areSameParams(a.params, b.params) &&
    headersOf(a) === headersOf(b)
  );
}

function isSameText(a: string | undefined, b: string | undefined): boolean {
  return a === undefined || b === undefined ? a === b : unescaped(a) === unescaped(b);
}

function areSameParams(a: Params, b: Params): boolean {
  if (DECISIVE.some((name) => a.has(name) !== b.has(name))) return false;
  const text = (value: string | undefined) => value && unescaped(value).toLowerCase();
  return [...a].every(([name, value]) => !b.has(name) || text(value) === text(b.get(name)));
}

/** Their order means nothing. */
function headersOf({ headers }: SipUri): string {
  return (headers ?? "").split("&").map(unescaped).sort().join("&");
}

function unescaped(text: string): string {
  return text.replace(/%[0-9A-Fa-f]{2}/g, (escaped) => {
    const char = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    return /[!-~]/.test(char) && char !== "%" && !RESERVED.includes(char) ? char : escaped.toUpperCase();
  });
}

function telephone({ opaque }: OtherUri): string {
  const [number = "", ...params] = opaque.toLowerCase().split(";");
  return [number.replace(VISUAL_SEPARATORS, ""), ...params.sort()].join(";");
}
