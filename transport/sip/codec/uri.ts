/** SIP, SIPS and other URIs (RFC 3261 19.1, 25.1). Elsewhere a URI is a string; here it is taken apart. */
import { MikeySakkeError } from "../../../base/errors.ts";
import type { Params } from "./scanner.ts";

export interface SipUri {
  readonly scheme: "sip" | "sips";
  /** As on the wire, so with its escapes. */
  readonly user?: string;
  readonly password?: string;
  /** IPv6 with its brackets. */
  readonly host: string;
  readonly port?: number;
  readonly params: Params;
  /** The text after the "?", without it. */
  readonly headers?: string;
}

export interface OtherUri {
  readonly scheme: string;
  readonly opaque: string;
}

const ESCAPED = "%[0-9A-Fa-f]{2}";
const UNRESERVED = "A-Za-z0-9\\-_.!~*'()";
// Underscores are no part of RFC 3261 25.1, but of names that are in use.
const LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?";
const TOP = "[A-Za-z_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?";
const IPV4 = "[0-9]{1,3}(?:\\.[0-9]{1,3}){3}";
/** host = hostname / IPv4address / IPv6reference */
export const HOST = `(?:${IPV4}(?![A-Za-z0-9.-])|(?:${LABEL}\\.)*${TOP}\\.?|\\[[0-9A-Fa-f:.]+\\])`;
export const HOST_HERE = new RegExp(HOST, "y");

const USER = `(?:[${UNRESERVED}&=+$,;?/]|${ESCAPED})+`;
const PASSWORD = `(?:[${UNRESERVED}&=+$,]|${ESCAPED})*`;
const PARAM = `(?:[${UNRESERVED}\\[\\]/:&+$]|${ESCAPED})+`;
const HNV = `(?:[${UNRESERVED}\\[\\]/?:+$]|${ESCAPED})`;
const HEADERS = `${HNV}+=${HNV}*(?:&${HNV}+=${HNV}*)*`;

const USER_INFO = new RegExp(`^(${USER})(?::(${PASSWORD}))?$`);
const HOST_PART = new RegExp(
  `^(${HOST})(?::([0-9]{1,5}))?((?:;${PARAM}(?:=${PARAM})?)*)(?:\\?(${HEADERS}))?$`,
);
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):/;
const OPAQUE = new RegExp(`^(?:[${UNRESERVED};/?:@&=+$,\\[\\]]|${ESCAPED})+$`);

function bad(what: string): MikeySakkeError {
  return new MikeySakkeError("codec", "SIP_URI", `SIP URI: ${what}`);
}

export function isSipUri(uri: SipUri | OtherUri): uri is SipUri {
  return "host" in uri;
}

export function parseUri(text: string): SipUri | OtherUri {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) throw bad("no scheme");
  const rest = text.slice(scheme.length + 1);
  if (scheme === "sip" || scheme === "sips") return readSip(scheme, rest);
  if (!OPAQUE.test(rest)) throw bad("a character that must be escaped");
  return { scheme, opaque: rest };
}

/** A SIP or SIPS URI; anything else is refused. */
export function parseSipUri(text: string): SipUri {
  const uri = parseUri(text);
  if (!isSipUri(uri)) throw bad(`the scheme ${uri.scheme} is not sip or sips`);
  return uri;
}

function readSip(scheme: "sip" | "sips", rest: string): SipUri {
  // "@" is in no part but before the host, so the last one ends the user.
  const at = rest.lastIndexOf("@");
  const info = at < 0 ? undefined : USER_INFO.exec(rest.slice(0, at));
  if (info === null) throw bad("malformed user part");
  const parts = HOST_PART.exec(rest.slice(at + 1));
  if (parts === null) throw bad("malformed host, port, parameter or header");
  const port = parts[2] === undefined ? undefined : Number(parts[2]);
  if (port !== undefined && (port > 65535 || port === 0)) throw bad("port out of range");
  if (parts[1]!.includes(".") && !validIpv4(parts[1]!)) throw bad("malformed IPv4 address");
  return {
    scheme,
    ...(info === undefined ? {} : { user: info[1]! }),
    ...(info?.[2] === undefined ? {} : { password: info[2] }),
    host: parts[1]!,
    ...(port === undefined ? {} : { port }),
    params: readParams(parts[3]!),
    ...(parts[4] === undefined ? {} : { headers: parts[4] }),
  };
}

const ALL_DIGITS = /^[0-9.]+$/;

function validIpv4(host: string): boolean {
  return !ALL_DIGITS.test(host) || host.split(".").every((part) => Number(part) <= 255);
}

function readParams(text: string): Params {
  const params = new Map<string, string | undefined>();
  if (text === "") return params;
  for (const part of text.slice(1).split(";")) {
    const equals = part.indexOf("=");
    const name = (equals < 0 ? part : part.slice(0, equals)).toLowerCase();
    // RFC 3261 19.1.1: a uri-parameter name MUST NOT appear more than once.
    if (params.has(name)) throw bad(`the parameter ${name} stands twice`);
    params.set(name, equals < 0 ? undefined : part.slice(equals + 1));
  }
  return params;
}

export function formatUri(uri: SipUri): string {
  let out = `${uri.scheme}:`;
  if (uri.user !== undefined)
    out += uri.password === undefined ? `${uri.user}@` : `${uri.user}:${uri.password}@`;
  out += uri.host;
  if (uri.port !== undefined) out += `:${uri.port}`;
  for (const [name, value] of uri.params) out += value === undefined ? `;${name}` : `;${name}=${value}`;
  return uri.headers === undefined ? out : `${out}?${uri.headers}`;
}
