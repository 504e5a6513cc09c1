/**
 * Checks which requests may be answered at all: requests to our own name only, changes from our own page only, and pages
 * that load nothing from elsewhere and stand in no frame.
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";
import { isLoopback } from "../server/loopback.ts";

/**
 * The policy of everything that the console serves. With `talks` the page may start workers: its default policy of Trusted
 * Types names the two that it has.
 */
export function policyOf(
  talks: boolean,
  { script = "'self'", connect = "'self'" }: { readonly script?: string; readonly connect?: string } = {},
): string {
  return [
    "default-src 'none'",
    `script-src ${script}`,
    "style-src 'self'",
    "img-src 'self'",
    ...(talks ? ["worker-src 'self'"] : []),
    `connect-src ${connect}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    `trusted-types ${talks ? "default" : "'none'"}`,
  ].join("; ");
}

const headersOf = (talks: boolean) => ({
  "content-security-policy": policyOf(talks),
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": `camera=(), microphone=(${talks ? "self" : ""}), geolocation=()`,
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "cache-control": "no-store",
});

const YEAR = 31_536_000;

export interface GuardOptions {
  /** Undefined: any loopback name, with the port. */
  readonly origin: string | undefined;
  readonly isSecure: boolean;
  /** Whether operators can take part in calls from here. */
  readonly talks: boolean;
  readonly port: () => number;
}

export function addGuard(app: FastifyInstance, { origin, isSecure, talks, port }: GuardOptions): void {
  const headers = headersOf(talks);
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
    reply.headers(headers);
    if (isSecure) reply.header("strict-transport-security", `max-age=${YEAR}`);
    const own = ownOrigin(request);
    if (own === undefined) throw refused(421, "WRONG_HOST", "this is not the host that was asked for");
    const { origin: from, "sec-fetch-site": site } = request.headers;
    const isChange = request.method !== "GET" && request.method !== "HEAD";
    // Other ports of a host are the same site, and the cookie goes along with their requests: the origin must be the same.
    const isForeign =
      (from !== undefined && from !== own) ||
      (site !== undefined &&
        !["same-origin", "none"].includes(String(site)) &&
        !(talks && isReturn(request)));
    if (isForeign || (isChange && from === undefined && !isTool(request))) {
      throw refused(403, "WRONG_ORIGIN", "for the page of this console only");
    }
  });
}

/** The way back from the OpenID Connect server: the page alone, which has nothing in it before it asks. */
function isReturn({ method, url, headers }: FastifyRequest): boolean {
  const isPage = method === "GET" && url.split("?", 1)[0] === "/";
  return isPage && headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document";
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
