/** Asks the servers of a data folder that are clients of a KMS to refresh their keys and certificates now. */
import { MikeySakkeError } from "../../base/errors.ts";
import { MCX_ADMIN_ROOT } from "../../roles/mcx/admin/operations.ts";
import { gmsAdminFileOf } from "../gms/gms-folder.ts";
import { OPERATOR, withGmsAdmin } from "../gms/with-admin.ts";
import { mcxAdminFileOf } from "../mcx/mcx-folder.ts";
import { runningServer } from "../server/admin-file.ts";
import { usageError } from "../terminal/usage.ts";

/** KMSs that each server knows then. Usage error GMS_NOT_RUNNING when none runs. */
export async function refreshServers(dataDir: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const servers: Record<string, readonly string[]> = {};
  if ((await runningServer(gmsAdminFileOf(dataDir), fetch)) !== undefined) {
    const { kmsUris } = await withGmsAdmin({ dataDir }, (admin) => admin.refreshKms(OPERATOR));
    servers.GMS = kmsUris;
  }
  const mcx = await runningServer(mcxAdminFileOf(dataDir), fetch);
  if (mcx !== undefined) {
    const target = new URL(`${MCX_ADMIN_ROOT}/kms/refresh`, mcx.url);
    const headers = { authorization: `Bearer ${mcx.token}` };
    const response = await fetch(target, { method: "POST", headers, redirect: "error" });
    if (!response.ok) {
      throw new MikeySakkeError("transport", "ADMIN_FAILED", `${mcx.url}: HTTP status ${response.status}`);
    }
    servers.MCX = ((await response.json()) as { kmsUris: string[] }).kmsUris;
  }
  if (Object.keys(servers).length === 0) {
    throw usageError(
      "GMS_NOT_RUNNING",
      `${dataDir}: neither a GMS nor an MCX server runs on this data folder`,
    );
  }
  return servers;
}
