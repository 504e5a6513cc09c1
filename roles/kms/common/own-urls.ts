/**
 * By which URLs the KMS is reached, to check ClientReqUrl. Not taken from the Host header: whoever passes a request on
 * to another KMS writes what they like there.
 */

import { isLoopback } from "../../server/loopback.ts";
import type { KmsConfig } from "./config.ts";
import { parsePath, type Target } from "./path.ts";

interface Origin {
  readonly protocol: string;
  readonly host: string;
  /** Absent: any. */
  readonly port?: string;
}

export interface OwnUrls {
  /** Returns whether `url` names the resource that was posted to. */
  matches(url: string, target: Target): boolean;
  /** The URL of a path, for answers to requests that carry none. */
  urlOf(path: string): string;
}

type Config = Pick<KmsConfig, "kmsUri" | "urls" | "listen" | "tls">;

/** Without `urls`: the host in KmsUri on any port, and the address that the server listens on. */
export function ownUrls(config: Config): OwnUrls {
  const origins = config.urls.length > 0 ? config.urls.map(configured) : defaults(config);
  return {
    matches(url, target) {
      const parsed = URL.canParse(url) ? new URL(url) : undefined;
      if (parsed === undefined || parsed.username !== "" || parsed.password !== "" || /[?#]/.test(url))
        return false;
      const own = origins.some(
        (o) =>
          o.protocol === parsed.protocol &&
          o.host === parsed.hostname.toLowerCase() &&
          (o.port === undefined || o.port === parsed.port),
      );
      return own && samePath(url, target);
    },
    urlOf(path) {
      const { protocol, host, port } = origins[0]!;
      return `${protocol}//${host}${port ? `:${port}` : ""}${path}`;
    },
  };
}

/** The path as it was written: a parsed URL has lost dots and backslashes. */
function samePath(url: string, target: Target): boolean {
  const path = /^[A-Za-z]+:\/\/[^/]*(\/.*)$/.exec(url)?.[1];
  if (path === undefined) return false;
  try {
    const other = parsePath(path);
    const uris = target.uris ?? [];
    return (
      other.type === target.type &&
      other.seconds === target.seconds &&
      other.cacheNum === target.cacheNum &&
      (other.uris ?? []).length > 0 === uris.length > 0 &&
      (uris.length === 0 || (other.uris ?? []).some((uri) => uris.includes(uri)))
    );
  } catch {
    return false;
  }
}

function configured(url: string): Origin {
  const { protocol, hostname, port } = new URL(url);
  return { protocol, host: hostname, port };
}

function defaults({ kmsUri, listen, tls }: Config): Origin[] {
  const origins: Origin[] = [];
  const host = hostOf(kmsUri);
  if (host !== undefined) origins.push({ protocol: "https:", host });
  const port = listen.port === 0 ? {} : { port: listen.port === 443 ? "" : String(listen.port) };
  const address =
    listen.host.includes(":") && !listen.host.startsWith("[") ? `[${listen.host}]` : listen.host;
  const names = isLoopback(listen.host) ? new Set([address, "localhost", "127.0.0.1", "[::1]"]) : [address];
  const protocols = tls === undefined && isLoopback(listen.host) ? ["https:", "http:"] : ["https:"];
  for (const protocol of protocols) {
    for (const name of names) origins.push({ protocol, host: name.toLowerCase(), ...port });
  }
  return origins;
}

/** KmsUri may be a bare name or any URI with a host. */
function hostOf(kmsUri: string): string | undefined {
  const withoutScheme = kmsUri.replace(/^[A-Za-z][A-Za-z0-9+.-]*:(?:\/\/)?/, "");
  const [rest = ""] = withoutScheme.slice(withoutScheme.lastIndexOf("@") + 1).split(/[/?#;:]/, 1);
  return /^[A-Za-z0-9.-]+$/.test(rest) ? rest.toLowerCase() : undefined;
}
