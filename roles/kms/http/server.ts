/** The listener of the KMS: HTTP in, service calls out. What is allowed on a socket is settled here, nothing else. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { RandomSource } from "../../../base/random.ts";
import {
  allowBrowsers,
  type Credentials,
  createListener,
  type ListenerGuard,
} from "../../server/listener.ts";
import type { KmsConfig } from "../common/config.ts";
import { KmsRefusal } from "../common/errors.ts";
import type { KmsHttpRequest, KmsHttpResponse } from "../common/exchange.ts";
import type { KmsService } from "./service.ts";

/** The requests that browsers may make across origins. */
const BROWSERS = { methods: "POST", headers: "authorization, content-type" };

export interface KmsServerOptions {
  readonly config: KmsConfig;
  readonly service: KmsService;
  /** Without it the listener is plain HTTP. */
  readonly credentials?: Credentials;
  readonly random: RandomSource;
  readonly guard?: ListenerGuard;
}

export function createKmsServer(options: KmsServerOptions): FastifyInstance {
  const { config, service, credentials, random, guard } = options;
  const { bodyBytes, requestTimeout } = config.limits;
  const tls = credentials && { credentials };
  const app = createListener({ bodyBytes, requestTimeout, random, guard, ...tls });
  allowBrowsers(app, { ...BROWSERS, origins: config.browserOrigins });

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
