/** The health that the servers of a data folder report on their operators' listeners. */
import { withTimeout } from "../../base/deadline.ts";
import { gmsAdminFileOf } from "../gms/gms-folder.ts";
import { mcxAdminFileOf } from "../mcx/mcx-folder.ts";
import { runningServer } from "../server/admin-file.ts";
import { kmsAdminFileOf } from "../server/data-folder.ts";

export interface ServerHealth {
  readonly server: "kms" | "gms" | "mcx";
  readonly url: string;
  readonly ready: boolean;
  /** Why it is not. */
  readonly reason?: string;
}

/** Longer than the servers wait for their database. */
const ANSWER_MS = 15_000;

/** One entry for each server that runs on the folder. A server that died without a word counts as not running. */
export async function askHealth(dataDir: string): Promise<ServerHealth[]> {
  const files = {
    kms: kmsAdminFileOf(dataDir),
    gms: gmsAdminFileOf(dataDir),
    mcx: mcxAdminFileOf(dataDir),
  };
  const found = await Promise.all(
    Object.entries(files).map(async ([server, file]) => {
      const running = await runningServer(file, fetch);
      return running && readiness(server as ServerHealth["server"], running.url);
    }),
  );
  return found.filter((health) => health !== undefined);
}

async function readiness(server: ServerHealth["server"], url: string): Promise<ServerHealth> {
  try {
    return await withTimeout(ANSWER_MS, async (signal) => {
      const answer = await fetch(new URL("/health/ready", url), { signal });
      const text = await answer.text();
      return answer.ok
        ? { server, url, ready: true }
        : { server, url, ready: false, reason: text.slice(0, 500) };
    });
  } catch (error) {
    return { server, url, ready: false, reason: error instanceof Error ? error.message : String(error) };
  }
}
