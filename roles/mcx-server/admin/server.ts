/** The listener for operators, on loopback: health, metrics, and which calls there are. */
import type { FastifyInstance } from "fastify";
import type { RandomSource } from "../../../bindings/random.ts";
import { createAdminListener, operatorCheck } from "../../server/admin-listener.ts";
import type { ServerLog } from "../../server/log.ts";
import { type McxState, metricsOf } from "./metrics.ts";

export const MCX_ADMIN_ROOT = "/mcx/v1";

export interface McxAdminOptions {
  readonly state: McxState;
  /** Of the operator; without it there is health and metrics only. */
  readonly token?: string;
  /** Throws unless clients can be served. */
  readonly ready: () => Promise<void>;
  readonly log: ServerLog;
  readonly random: RandomSource;
}

/** `GET /mcx/v1/sessions`: calls with who is in them, the floor, and their counters. `GET /mcx/v1/clients`: who is bound. */
export function createMcxAdminServer({ state, token, ready, log, random }: McxAdminOptions): FastifyInstance {
  const app = createAdminListener({ ready, metrics: metricsOf(state), log, random });
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
