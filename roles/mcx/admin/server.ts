/** The listener for operators, on loopback: health, metrics, and which calls there are. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { RandomSource } from "../../../base/random.ts";
import {
  type AdminListenerOptions,
  createAdminListener,
  operatorCheck,
} from "../../server/admin-listener.ts";
import { httpChallenge } from "../../server/bearer-challenge.ts";
import type { ListenerGuard } from "../../server/listener.ts";
import type { ServerLog } from "../../server/log.ts";
import { type McxState, metricsOf } from "./metrics.ts";

export const MCX_ADMIN_ROOT = "/mcx/v1";

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

/**
 * `GET /mcx/v1/sessions`: calls with who is in them, the floor, and their counters. `GET /mcx/v1/clients`: who is bound.
 * `GET /mcx/v1/emergencies`: the latest emergency calls.
 * `POST /mcx/v1/kms/refresh`: keys and certificates are asked for now.
 */
export function createMcxAdminServer({
  state,
  token,
  refreshKms,
  ...options
}: McxAdminOptions): FastifyInstance {
  const app = createAdminListener({ ...options, metrics: metricsOf(state) });
  if (token === undefined) return app;
  const isOperator = operatorCheck(token);
  const routes = {
    sessions: () => state.sessions().map((session) => ({ ...session, counters: { ...session.counters } })),
    clients: () => state.clients(),
    emergencies: () => state.emergencies(),
  };
  const answer =
    (of: () => object | Promise<object>) => async (request: FastifyRequest, reply: FastifyReply) => {
      if (isOperator(request.headers.authorization)) return of();
      return reply
        .code(401)
        .headers(httpChallenge("ADMIN_TOKEN"))
        .send({ error: { kind: "usage", code: "ADMIN_TOKEN", message: "the operator's token is needed" } });
    };
  for (const [name, list] of Object.entries(routes)) {
    app.get(
      `${MCX_ADMIN_ROOT}/${name}`,
      answer(() => ({ [name]: list() })),
    );
  }
  app.post(
    `${MCX_ADMIN_ROOT}/kms/refresh`,
    answer(async () => ({ kmsUris: await refreshKms() })),
  );
  return app;
}
