/** A listener for operators, on loopback: health and metrics. The admin API is added to it. */
import { createHash, timingSafeEqual } from "node:crypto";
import { type FastifyInstance, fastify } from "fastify";
import { toHex } from "../../bindings/bytes.ts";
import type { RandomSource } from "../../bindings/random.ts";
import type { ServerLog } from "./log.ts";
import { isLoopback } from "./loopback.ts";

/** Lists of users, members and certificates. */
const BODY_BYTES = 16 << 20;

/** Of a URI in a path, percent-encoded. */
const PARAMETER_LENGTH = 3 * 1024;

export interface AdminListenerOptions {
  /** Throws unless requests can be answered. */
  readonly ready: () => Promise<void>;
  readonly metrics?: { readonly contentType: string; text(): Promise<string> };
  readonly log: ServerLog;
  readonly random: RandomSource;
}

export function createAdminListener({ ready, metrics, log, random }: AdminListenerOptions): FastifyInstance {
  const app = fastify({
    bodyLimit: BODY_BYTES,
    routerOptions: { maxParamLength: PARAMETER_LENGTH },
    forceCloseConnections: "idle",
    genReqId: () => toHex(random(8)),
  });
  // A page whose name leads to this machine (DNS rebinding) sends its own name as Host.
  app.addHook("onRequest", async (request, reply) => {
    if (!isLoopback(request.hostname)) return reply.code(421).send({ status: "wrong host" });
  });
  app.get("/health/live", async () => ({ status: "ok" }));
  app.get("/health/ready", async (_request, reply) => {
    try {
      await ready();
      return { status: "ok" };
    } catch (error) {
      log.warn({ detail: String(error) }, "not ready");
      return reply.code(503).send({ status: "not ready" });
    }
  });
  if (metrics !== undefined) {
    app.get("/metrics", async (_request, reply) =>
      reply.type(metrics.contentType).send(await metrics.text()),
    );
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
