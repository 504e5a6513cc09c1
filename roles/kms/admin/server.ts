/** The listener for operators, on loopback: health, metrics, admin API. */
import type { FastifyInstance } from "fastify";
import { type AdminListenerOptions, createAdminListener } from "../../server/admin-listener.ts";
import { addBackupRoute, type BackupRouteOptions } from "../../server/backup-route.ts";
import type { KmsAdmin } from "./admin.ts";
import { addAdminRoutes } from "./routes.ts";

export interface AdminServerOptions extends AdminListenerOptions {
  readonly admin: KmsAdmin;
  /** Without it there is no admin API. */
  readonly token?: string;
  /** Writes a snapshot of the database, for backups. */
  readonly snapshot?: BackupRouteOptions["snapshot"];
}

export function createKmsAdminServer({
  admin,
  token,
  snapshot,
  ...options
}: AdminServerOptions): FastifyInstance {
  const app = createAdminListener(options);
  if (token !== undefined) {
    addAdminRoutes(app, { admin, token, log: options.log });
    if (snapshot !== undefined) addBackupRoute(app, { token, snapshot, log: options.log });
  }
  return app;
}
