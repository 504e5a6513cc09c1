/** The listener for operators, on loopback: health, metrics, admin API. */
import { type FastifyInstance, fastify } from "fastify";
import { toHex } from "../../bindings/bytes.ts";
import type { RandomSource } from "../../bindings/random.ts";
import type { KmsAdmin } from "./admin/admin.ts";
import { addAdminRoutes } from "./admin/routes.ts";
import type { KmsLog } from "./log.ts";
import { isLoopback } from "./loopback.ts";
import type { PrometheusMetrics } from "./metrics-prom.ts";

/** Lists of users and certificates. */
const BODY_BYTES = 16 << 20;

export interface AdminServerOptions {
  readonly admin: KmsAdmin;
  /** Without it there is no admin API. */
  readonly token?: string;
  /** Throws unless requests can be answered. */
  readonly ready: () => Promise<void>;
  readonly metrics?: Pick<PrometheusMetrics, "contentType" | "text">;
  readonly log: KmsLog;
  readonly random: RandomSource;
}

export function createAdminServer(options: AdminServerOptions): FastifyInstance {
  const { admin, token, ready, metrics, log, random } = options;
  const app = fastify({
    bodyLimit: BODY_BYTES,
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
  if (token !== undefined) addAdminRoutes(app, { admin, token, log });
  return app;
}
