/** The XCAP listener: HTTP in, service calls out. What is allowed on a socket is settled here, nothing else. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import {
  allowBrowsers,
  type Credentials,
  createListener,
  type ListenerGuard,
  ownGuard,
} from "../../server/listener.ts";
import type { TokenVerifier } from "../../server/tokens.ts";
import type { GmsContext } from "../common/ports.ts";
import type { XcapContext, XcapRequest, XcapResponse } from "./exchange.ts";
import { createXcapService } from "./service.ts";
import { XcapRefusal } from "./xcap-refusal.ts";

/** The requests that browsers may make across origins, and the fields that they may read of the answers. */
const BROWSERS = {
  methods: "GET, HEAD, POST, PUT, DELETE",
  headers: "authorization, content-type, if-match, if-none-match",
  exposed: "etag, www-authenticate, retry-after",
};
/** Seconds for which a client may leave an answer lying, or the store may be at work on one. */
const IDLE_SECONDS = 120;

export interface XcapServerOptions {
  readonly context: XcapContext & Pick<GmsContext, "random">;
  readonly tokens: TokenVerifier;
  /** Without it the listener is plain HTTP. */
  readonly credentials?: Credentials;
  readonly guard?: ListenerGuard;
}

export function createXcapServer(options: XcapServerOptions): FastifyInstance {
  const { context, tokens, credentials, guard = ownGuard() } = options;
  const { config, random, metrics } = context;
  const { bodyBytes, requestTimeout } = config.limits;
  const service = createXcapService(context, tokens, guard.refused);
  const scheme = credentials === undefined ? "http" : "https";
  const tls = credentials === undefined ? {} : { credentials };
  const app = createListener({
    bodyBytes,
    requestTimeout,
    idleTimeout: IDLE_SECONDS,
    random,
    guard,
    ...tls,
  });
  allowBrowsers(app, { ...BROWSERS, origins: config.browserOrigins });

  // Node itself answers 408 to whoever takes too long.
  app.server.on("clientError", ({ code }: NodeJS.ErrnoException) => {
    if (code === "ERR_HTTP_REQUEST_TIMEOUT") metrics.answered("other", "TIMEOUT", requestTimeout * 1000);
  });

  app.all("/", async (request, reply) => send(reply, await service.handle(xcapRequest(request))));
  app.setNotFoundHandler(async (request, reply) => send(reply, await service.handle(xcapRequest(request))));
  app.setErrorHandler(async (error: FastifyError, request, reply) =>
    send(reply, await service.refuse(xcapRequest(request), refusalOfHttp(error))),
  );

  function xcapRequest(request: FastifyRequest): XcapRequest {
    const { headers } = request;
    return {
      method: request.method,
      path: request.originalUrl,
      authorization: headers.authorization,
      contentType: headers["content-type"],
      contentEncoding: headers["content-encoding"],
      ifMatch: headers["if-match"],
      ifNoneMatch: headers["if-none-match"],
      body: request.body instanceof Uint8Array ? request.body : new Uint8Array(),
      requestId: request.id,
      remote: request.ip,
      origin: `${scheme}://${request.host}`,
    };
  }
  return app;
}

function send(reply: FastifyReply, { status, headers, body }: XcapResponse): FastifyReply {
  return reply.code(status).headers(headers).send(body);
}

function refusalOfHttp(error: FastifyError): XcapRefusal {
  if (error.code === "FST_ERR_CTP_BODY_TOO_LARGE") return new XcapRefusal("TOO_LARGE");
  const theirs = error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500;
  const detail = `${error.code}: ${error.message}`;
  return new XcapRefusal(theirs ? "BAD_REQUEST" : "INTERNAL", { detail, cause: error });
}
