/** The listener for operators, on loopback: health, metrics, admin API. */
import type { FastifyInstance } from "fastify";
import { type AdminListenerOptions, createAdminListener } from "../server/admin-listener.ts";
import type { KmsAdmin } from "./admin/admin.ts";
import { addAdminRoutes } from "./admin/routes.ts";

export interface AdminServerOptions extends AdminListenerOptions {
  readonly admin: KmsAdmin;
  /** Without it there is no admin API. */
  readonly token?: string;
}

export function createAdminServer({ admin, token, ...options }: AdminServerOptions): FastifyInstance {
  const app = createAdminListener(options);
  if (token !== undefined) addAdminRoutes(app, { admin, token, log: options.log });
  return app;
}
