/** The operations of a GMS, through the server that runs on its data folder. */
import { type GmsAdminClient, gmsAdminClient } from "../../roles/gms/admin/client.ts";
import { operator } from "../../roles/gms/common/caller.ts";
import { DEFAULT_ACTOR } from "../../roles/server/actor.ts";
import { runningServer } from "../server/admin-file.ts";
import type { FolderOptions } from "../server/data-folder.ts";
import { usageError } from "../terminal/usage.ts";
import { gmsAdminFileOf } from "./gms-folder.ts";

/** Anyone who can read the folder may do everything. */
export const OPERATOR = operator(DEFAULT_ACTOR);

/** Usage error GMS_NOT_RUNNING: a GMS that stands still delivers nothing, so nothing is done without one. */
export async function withGmsAdmin<T>(
  { dataDir }: FolderOptions,
  use: (admin: GmsAdminClient) => Promise<T>,
): Promise<T> {
  const running = await runningServer(gmsAdminFileOf(dataDir), fetch);
  if (running === undefined)
    throw usageError("GMS_NOT_RUNNING", `${dataDir}: no GMS runs on this data folder`);
  return use(gmsAdminClient({ url: running.url, token: running.token, fetch }));
}
