/** What the HTTP listeners have in common: limits on sockets, pages of browsers, start and stop. */
import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { type FastifyInstance, type FastifyServerOptions, fastify } from "fastify";
import { toHex } from "../../bindings/bytes.ts";
import type { RandomSource } from "../../bindings/random.ts";

/** How often node looks for connections that are too slow; its default is 30 seconds. */
const CHECK_MS = 1000;

/** PEM texts. */
export interface Credentials {
  readonly cert: string;
  readonly key: string;
}

export interface ListenerOptions {
  readonly bodyBytes: number;
  /** Seconds to receive one whole request. */
  readonly requestTimeout: number;
  /** Seconds after which a connection on which nothing moves is closed, in the midst of an answer too. */
  readonly idleTimeout?: number;
  /** Without it the listener is plain HTTP. */
  readonly credentials?: Credentials;
  readonly random: RandomSource;
}

/**
 * A server whose only route is `/`, whatever the path: `originalUrl` has it as it was written. The router would decode
 * it, and a plain URI in it is no route. Bodies are octets of any type.
 */
export function createListener(options: ListenerOptions): FastifyInstance {
  const { bodyBytes, credentials, random, idleTimeout } = options;
  const milliseconds = options.requestTimeout * 1000;
  // Node takes the greater of the two for the whole request.
  const slow = { connectionsCheckingInterval: CHECK_MS, headersTimeout: milliseconds };
  const app: FastifyInstance = fastify({
    bodyLimit: bodyBytes,
    requestTimeout: milliseconds,
    ...(idleTimeout !== undefined && { connectionTimeout: idleTimeout * 1000 }),
    forceCloseConnections: "idle" as const,
    genReqId: () => toHex(random(8)),
    rewriteUrl: () => "/",
    ...(credentials === undefined
      ? { http: slow }
      : { https: { ...credentials, minVersion: "TLSv1.2", ...slow } }),
  } as FastifyServerOptions);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  return app;
}

export interface BrowserRules {
  /** Origins of pages; without any, browsers keep every page away. */
  readonly origins: readonly string[];
  readonly methods: string;
  /** Headers of requests. */
  readonly headers: string;
  /** Headers of answers that pages may read. */
  readonly exposed?: string;
}

export function allowBrowsers(app: FastifyInstance, rules: BrowserRules): void {
  if (rules.origins.length === 0) return;
  app.addHook("onRequest", async (request, reply) => {
    const { origin } = request.headers;
    reply.header("vary", "origin");
    if (origin === undefined || !rules.origins.includes(origin)) return;
    reply.header("access-control-allow-origin", origin);
    if (rules.exposed !== undefined) reply.header("access-control-expose-headers", rules.exposed);
    if (request.method !== "OPTIONS") return;
    reply
      .code(204)
      .header("access-control-allow-methods", rules.methods)
      .header("access-control-allow-headers", rules.headers)
      .header("access-control-max-age", "600");
    return reply.send();
  });
}

export async function readCredentials(tls: {
  readonly certFile: string;
  readonly keyFile: string;
}): Promise<Credentials> {
  const [cert, key] = await Promise.all([tls.certFile, tls.keyFile].map((file) => readFile(file, "utf8")));
  return { cert: cert!, key: key! };
}

/** Where a listener that has been opened answers. */
export function urlOf(app: FastifyInstance, scheme: string, host: string): string {
  const { port } = app.server.address() as AddressInfo;
  return `${scheme}://${host.includes(":") ? `[${host.replace(/^\[|\]$/g, "")}]` : host}:${port}`;
}

/** Stops listening, waits for answers under way, and after `milliseconds` for none any more. */
export async function stopServer(app: FastifyInstance, milliseconds: number): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), milliseconds);
  try {
    await app.close();
  } finally {
    clearTimeout(timer);
  }
}
