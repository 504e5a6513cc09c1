/** The listener for operators, on loopback: health, metrics, and the admin API. */
import type { FastifyInstance } from "fastify";
import type { RandomSource } from "../../../base/random.ts";
import {
  type AdminListenerOptions,
  createAdminListener,
  operatorCheck,
} from "../../server/admin-listener.ts";
import { httpChallenge } from "../../server/bearer-challenge.ts";
import type { ListenerGuard } from "../../server/listener.ts";
import type { ServerLog } from "../../server/log.ts";
import { addOpenApiRoute } from "../../server/openapi.ts";
import { type McxState, metricsOf } from "./metrics.ts";
import { openApiDocument } from "./openapi.ts";
import { MCX_ADMIN_ROOT, OPERATIONS, type OperationId } from "./operations.ts";

export interface McxAdminOptions
  extends Pick<AdminListenerOptions, "issuers" | "credentials" | "keyEnds" | "pool"> {
  readonly state: McxState;
  /** Token of the operator; without it there are only health and metrics. */
  readonly token?: string;
  /** Throws unless clients can be served. */
  readonly ready: () => Promise<void>;
  /** Asks the KMS now; gives the KMSs whose certificates are there. */
  readonly refreshKms: () => Promise<readonly string[]>;
  readonly log: ServerLog;
  readonly random: RandomSource;
  readonly guard?: ListenerGuard;
}

export function createMcxAdminServer({
  state,
  token,
  refreshKms,
  ...options
}: McxAdminOptions): FastifyInstance {
  const app = createAdminListener({ ...options, metrics: metricsOf(state) });
  if (token === undefined) return app;
  const isOperator = operatorCheck(token);
  const handlers: Record<OperationId, () => object | Promise<object>> = {
    listSessions: () => ({
      sessions: state.sessions().map((session) => ({ ...session, counters: { ...session.counters } })),
    }),
    listClients: () => ({ clients: state.clients() }),
    listEmergencies: () => ({ emergencies: state.emergencies() }),
    listCalls: () => ({ calls: state.calls() }),
    refreshKms: async () => ({ kmsUris: await refreshKms() }),
  };
  for (const [id, { method, path }] of Object.entries(OPERATIONS)) {
    app.route({
      method,
      url: `${MCX_ADMIN_ROOT}${path}`,
      handler: async (request, reply) => {
        if (isOperator(request.headers.authorization)) return handlers[id as OperationId]();
        return reply
          .code(401)
          .headers(httpChallenge("ADMIN_TOKEN"))
          .send({ error: { kind: "usage", code: "ADMIN_TOKEN", message: "the operator's token is needed" } });
      },
    });
  }
  addOpenApiRoute(app, MCX_ADMIN_ROOT, openApiDocument);
  return app;
}
