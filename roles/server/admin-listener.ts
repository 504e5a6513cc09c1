/** A listener for operators, on loopback: health and metrics. The admin API is added to it. */
import { createHash, timingSafeEqual } from "node:crypto";
import { type FastifyInstance, fastify } from "fastify";
import { toHex } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import type { RandomSource } from "../../base/random.ts";
import { admissionMetrics } from "./admission.ts";
import { certificateMetrics } from "./certificate-metrics.ts";
import { IssuerStates, issuerMetrics } from "./issuer-metrics.ts";
import { type KeyEnds, keyMetrics } from "./key-metrics.ts";
import { type Credentials, guardListener, type ListenerGuard, ownGuard } from "./listener.ts";
import type { ServerLog } from "./log.ts";
import { isLoopback } from "./loopback.ts";
import { type PoolUse, poolMetrics } from "./pool-metrics.ts";
import { processMetrics } from "./process-metrics.ts";
import { answerBadTarget, answerMalformed, toWireError } from "./wire-error.ts";

/** Lists of users, members and certificates. */
const BODY_BYTES = 16 << 20;

/** Longest percent-encoded URI in a path. */
const PARAMETER_LENGTH = 3 * 1024;

export interface AdminListenerOptions {
  /** Throws unless requests can be answered. */
  readonly ready: () => Promise<void>;
  readonly metrics?: { readonly contentType: string; text(): Promise<string> };
  /** The issuers of the server that this listener is part of, whose metrics tell of them and of the next three. */
  readonly issuers?: IssuerStates | undefined;
  readonly credentials?: Credentials | undefined;
  readonly keyEnds?: KeyEnds | undefined;
  /** The connections of the server's database; absent where it has none. */
  readonly pool?: (() => PoolUse | undefined) | undefined;
  readonly log: ServerLog;
  readonly random: RandomSource;
  readonly guard?: ListenerGuard | undefined;
  /** Answers what an operation throws, and what never became one. */
  readonly answerError?: typeof answerMalformed;
}

/** Seconds to receive one whole request. */
const REQUEST_SECONDS = 30;
/** Answered without a token. */
const OPEN_PATH = /^\/(?:health|metrics)(?:\/|$)/;

export function createAdminListener(options: AdminListenerOptions): FastifyInstance {
  const { ready, metrics, log, random, guard = ownGuard(), answerError = answerMalformed } = options;
  const app: FastifyInstance = fastify({
    bodyLimit: BODY_BYTES,
    frameworkErrors: answerBadTarget,
    requestTimeout: REQUEST_SECONDS * 1000,
    http: { headersTimeout: REQUEST_SECONDS * 1000 },
    routerOptions: { maxParamLength: PARAMETER_LENGTH },
    forceCloseConnections: "idle",
    genReqId: () => toHex(random(8)),
  });
  guardListener(app, guard, { kind: "http", open: (path) => OPEN_PATH.test(path) });
  // A page whose name leads to this machine (DNS rebinding) sends its own name as Host.
  app.addHook("onRequest", async (request, reply) => {
    if (!isLoopback(request.hostname)) return reply.code(421).send({ status: "wrong host" });
  });
  app.setNotFoundHandler((_request, reply) => {
    const error = new MikeySakkeError("usage", "NOT_FOUND", "no such operation");
    return reply.code(404).send({ error: toWireError(error) });
  });
  app.setErrorHandler(answerError);
  app.get("/health/live", async () => ({ status: "ok" }));
  /** Why it was not ready when it was asked last; told when it changes. */
  let fault: string | undefined;
  app.get("/health/ready", async (_request, reply) => {
    try {
      await ready();
      if (fault !== undefined) log.info({}, "ready again");
      fault = undefined;
      return { status: "ok", ...(guard.admission.near && { waiting: "near its limit" }) };
    } catch (error) {
      const code = error instanceof MikeySakkeError ? error.code : "INTERNAL";
      if (fault !== code) log.warn({ detail: String(error) }, "not ready");
      fault = code;
      return reply.code(503).send({ status: "not ready", code });
    }
  });
  if (metrics !== undefined) {
    const parts = [
      () => metrics.text(),
      admissionMetrics(guard.admission),
      certificateMetrics(options.credentials),
      issuerMetrics(options.issuers ?? new IssuerStates()),
      ...(options.keyEnds === undefined ? [] : [keyMetrics(options.keyEnds)]),
      ...(options.pool === undefined ? [] : [poolMetrics(options.pool)]),
      processMetrics,
    ];
    app.get("/metrics", async (_request, reply) => {
      const texts = await Promise.all(parts.map((text) => text()));
      return reply.type(metrics.contentType).send(texts.join("\n"));
    });
  }
  return app;
}

/** Tells whether a header `Authorization` has the operator's token. */
export function operatorCheck(token: string): (authorization: string | undefined) => boolean {
  const expected = digestOf(`Bearer ${token}`);
  return (authorization) => timingSafeEqual(digestOf(authorization ?? ""), expected);
}

/** Equal lengths for the comparison, which then tells nothing by its time. */
function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
