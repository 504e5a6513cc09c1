/**
 * Request paths (TS 33.180 D.2.1, D.2.3 to D.2.8). Clients in the field send URIs percent-encoded or plain, and times
 * in hexadecimal digits of either case.
 */
import { ntpSeconds } from "../../../bindings/identity/ntp.ts";
import { withoutQuery } from "../../server/without-query.ts";
import { KmsRefusal } from "./errors.ts";

/** D.2.1. */
export const ROOT = "/keymanagement/identity/v1";

const REQUEST_TYPES = ["init", "keyprov", "certcache", "cert", "lookup", "redirect"] as const;
export type RequestType = (typeof REQUEST_TYPES)[number];

/** The resource that a path asks for. */
export interface Target {
  readonly type: RequestType;
  /** The ways to read the URI of keyprov, cert and lookup: the path does not say whether it is encoded. */
  readonly uris?: readonly string[];
  /** NTP seconds, of keyprov. */
  readonly seconds?: number;
  /** Number of the client's latest cache, of certcache. */
  readonly cacheNum?: number;
}

const URI_LENGTH = 1024;
/** No white space, no control characters, nothing that RFC 3986 leaves out. */
const URI = /^[^\p{Cc}\p{Cs}\s<>"{}|\\^`]+$/u;
const WITH_SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:./;

/**
 * @param path as received, not decoded; no resource has a query
 * @throws {KmsRefusal} NOT_FOUND or BAD_PATH
 */
export function parsePath(path: string): Target {
  if (!path.startsWith(`${ROOT}/`) || path !== withoutQuery(path)) throw new KmsRefusal("NOT_FOUND");
  const [name, ...rest] = path.slice(ROOT.length + 1).split("/");
  const type = REQUEST_TYPES.find((known) => known === name);
  if (type === undefined) throw new KmsRefusal("NOT_FOUND");
  const tail = rest.join("/");
  switch (type) {
    case "keyprov":
      return { type, ...(rest.length > 0 && keyTarget(rest)) };
    case "certcache":
      return { type, ...(rest.length > 0 && { cacheNum: cacheNumber(tail) }) };
    case "cert":
      return { type, uris: readings(tail) };
    case "lookup":
      return { type, ...(rest.length > 0 && { uris: readings(tail) }) };
    default:
      if (rest.length > 0) throw new KmsRefusal("NOT_FOUND");
      return { type };
  }
}

/** D.2 lets a time stand only after a URI, so what stands first is never a time. */
function keyTarget(parts: readonly string[]): Pick<Target, "uris" | "seconds"> {
  const last = parts.at(-1)!;
  const timed = parts.length > 1 && /^[0-9a-fA-F]{16}$/.test(last);
  const uris = readings((timed ? parts.slice(0, -1) : parts).join("/"));
  if (!uris.some((uri) => WITH_SCHEME.test(uri))) throw new KmsRefusal("BAD_PATH", "not a URI");
  return timed ? { uris, seconds: ntpSeconds(BigInt(`0x${last}`)) } : { uris };
}

/** A URI that holds a percent sign itself looks encoded when it is plain: the caller takes the reading that it knows. */
function readings(text: string): string[] {
  let decoded: string;
  try {
    decoded = decodeURIComponent(text);
  } catch (cause) {
    throw new KmsRefusal("BAD_PATH", "percent-encoding", cause);
  }
  const found = [...new Set([decoded, text])].filter((uri) => uri.length <= URI_LENGTH && URI.test(uri));
  if (found.length === 0) throw new KmsRefusal("BAD_PATH", "not a URI");
  return found;
}

function cacheNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new KmsRefusal("BAD_PATH", "not a cache number");
  return Number(text);
}
