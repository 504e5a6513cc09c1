/**
 * Checks which requests may be answered at all: requests to our own name only, changes from our own page only, and pages
 * that load nothing from elsewhere and stand in no frame.
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";
import { isLoopback } from "../server/loopback.ts";

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const HEADERS = {
  "content-security-policy": POLICY,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "cache-control": "no-store",
};

const YEAR = 31_536_000;

export interface GuardOptions {
  /** Undefined: any loopback name, with the port. */
  readonly origin: string | undefined;
  readonly isSecure: boolean;
  readonly port: () => number;
}

export function addGuard(app: FastifyInstance, { origin, isSecure, port }: GuardOptions): void {
  const ownOrigin = (request: FastifyRequest): string | undefined => {
    const { host = "" } = request.headers;
    const scheme = isSecure ? "https" : "http";
    if (origin !== undefined) return new URL(origin).host === host ? origin : undefined;
    const named = URL.canParse(`${scheme}://${host}`) ? new URL(`${scheme}://${host}`) : undefined;
    // A page whose name leads to this machine (DNS rebinding) sends its own name as Host.
    return named !== undefined && isLoopback(named.hostname) && host === `${named.hostname}:${port()}`
      ? named.origin
      : undefined;
  };
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(HEADERS);
    if (isSecure) reply.header("strict-transport-security", `max-age=${YEAR}`);
    const own = ownOrigin(request);
    if (own === undefined) throw refused(421, "WRONG_HOST", "this is not the host that was asked for");
    const { origin: from, "sec-fetch-site": site } = request.headers;
    const isChange = request.method !== "GET" && request.method !== "HEAD";
    // Other ports of a host are the same site, and the cookie goes along with their requests: the origin must be the same.
    const isForeign =
      (from !== undefined && from !== own) ||
      (site !== undefined && !["same-origin", "none"].includes(String(site)));
    if (isForeign || (isChange && from === undefined && !isTool(request))) {
      throw refused(403, "WRONG_ORIGIN", "for the page of this console only");
    }
  });
}

/** A command has a token, which no browser sends by itself, and no cookie. */
function isTool({ headers }: FastifyRequest): boolean {
  return headers.authorization !== undefined && headers.cookie === undefined;
}

export interface Refused extends MikeySakkeError {
  readonly statusCode: number;
}

export function refused(statusCode: number, code: ErrorCode, message: string): Refused {
  return Object.assign(new MikeySakkeError("usage", code, message), { statusCode });
}
