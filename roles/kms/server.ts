/** The listener of the KMS: HTTP in, service calls out. What is allowed on a socket is settled here, nothing else. */
import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
  fastify,
} from "fastify";
import { toHex } from "../../bindings/bytes.ts";
import type { RandomSource } from "../../bindings/random.ts";
import type { KmsConfig } from "./config.ts";
import { KmsRefusal } from "./errors.ts";
import type { KmsHttpRequest, KmsHttpResponse } from "./exchange.ts";
import type { KmsService } from "./service.ts";

/** What browsers may ask for across origins. */
const CORS_METHODS = "POST";
const CORS_HEADERS = "authorization, content-type";
/** How often node looks for connections that are too slow; its default is 30 seconds. */
const CHECK_MS = 1000;

export interface KmsServerOptions {
  readonly config: KmsConfig;
  readonly service: KmsService;
  /** PEM. Without it the listener is plain HTTP. */
  readonly credentials?: { readonly cert: string; readonly key: string };
  readonly random: RandomSource;
}

export function createKmsServer({ config, service, credentials, random }: KmsServerOptions): FastifyInstance {
  const { limits } = config;
  const milliseconds = limits.requestTimeout * 1000;
  // Node takes the greater of the two for the whole request.
  const slow = { connectionsCheckingInterval: CHECK_MS, headersTimeout: milliseconds };
  const options = {
    bodyLimit: limits.bodyBytes,
    requestTimeout: milliseconds,
    forceCloseConnections: "idle" as const,
    genReqId: () => toHex(random(8)),
    // The path is read by us: the router would decode it, and a plain URI in it is no route.
    rewriteUrl: () => "/",
    ...(credentials === undefined
      ? { http: slow }
      : { https: { ...credentials, minVersion: "TLSv1.2", ...slow } }),
  };
  const app: FastifyInstance = fastify(options as FastifyServerOptions);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  allowBrowsers(app, config.browserOrigins);

  app.all("/", async (request, reply) => {
    if (request.method !== "POST") return refuse(request, reply, new KmsRefusal("METHOD", request.method));
    const encoding = request.headers["content-encoding"] ?? "identity";
    if (encoding !== "identity") return refuse(request, reply, new KmsRefusal("ENCODING"));
    return send(reply, await service.handle(httpRequest(request)));
  });
  app.setNotFoundHandler((request, reply) =>
    refuse(request, reply, new KmsRefusal("METHOD", request.method)),
  );
  app.setErrorHandler((error: FastifyError, request, reply) => refuse(request, reply, refusalOfHttp(error)));

  async function refuse(request: FastifyRequest, reply: FastifyReply, refusal: KmsRefusal) {
    return send(reply, await service.refuse(httpRequest(request), refusal));
  }
  return app;
}

function httpRequest(request: FastifyRequest): KmsHttpRequest {
  return {
    path: request.originalUrl,
    rawBody: request.body instanceof Uint8Array ? request.body : new Uint8Array(),
    authorization: request.headers.authorization,
    requestId: request.id,
    remote: request.ip,
  };
}

function send(reply: FastifyReply, { status, headers, body }: KmsHttpResponse): FastifyReply {
  return reply.code(status).headers(headers).send(body);
}

function refusalOfHttp(error: FastifyError): KmsRefusal {
  if (error.code === "FST_ERR_CTP_BODY_TOO_LARGE") return new KmsRefusal("TOO_LARGE");
  const theirs = error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500;
  return new KmsRefusal(theirs ? "BAD_REQUEST" : "INTERNAL", `${error.code}: ${error.message}`, error);
}

/** Pages of these origins only; without any, browsers keep every page away. */
function allowBrowsers(app: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  app.addHook("onRequest", async (request, reply) => {
    const { origin } = request.headers;
    reply.header("vary", "origin");
    if (origin === undefined || !origins.includes(origin)) return;
    reply.header("access-control-allow-origin", origin);
    if (request.method !== "OPTIONS") return;
    reply
      .code(204)
      .header("access-control-allow-methods", CORS_METHODS)
      .header("access-control-allow-headers", CORS_HEADERS)
      .header("access-control-max-age", "600");
    return reply.send();
  });
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
