/** The listener for operators, on loopback: health, metrics, and which calls there are. */
import type { FastifyInstance } from "fastify";
import type { RandomSource } from "../../../base/random.ts";
import { createAdminListener, operatorCheck } from "../../server/admin-listener.ts";
import type { ListenerGuard } from "../../server/listener.ts";
import type { ServerLog } from "../../server/log.ts";
import { type McxState, metricsOf } from "./metrics.ts";

export const MCX_ADMIN_ROOT = "/mcx/v1";

export interface McxAdminOptions {
  readonly state: McxState;
  /** Token of the operator; without it there are only health and metrics. */
  readonly token?: string;
  /** Throws unless clients can be served. */
  readonly ready: () => Promise<void>;
  readonly log: ServerLog;
  readonly random: RandomSource;
  readonly guard?: ListenerGuard;
}

/** `GET /mcx/v1/sessions`: calls with who is in them, the floor, and their counters. `GET /mcx/v1/clients`: who is bound. */
export function createMcxAdminServer({ state, token, ...options }: McxAdminOptions): FastifyInstance {
  const app = createAdminListener({ ...options, metrics: metricsOf(state) });
  if (token === undefined) return app;
  const isOperator = operatorCheck(token);
  const routes = {
    sessions: () => state.sessions().map((session) => ({ ...session, counters: { ...session.counters } })),
    clients: () => state.clients(),
  };
  for (const [name, list] of Object.entries(routes)) {
    app.get(`${MCX_ADMIN_ROOT}/${name}`, async (request, reply) => {
      if (isOperator(request.headers.authorization)) return { [name]: list() };
      return reply
        .code(401)
        .send({ error: { kind: "usage", code: "ADMIN_TOKEN", message: "the operator's token is needed" } });
    });
  }
  return app;
}
