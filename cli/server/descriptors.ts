/** Checks whether the operating system lets a server have as many connections as its configuration does. */
import { readFileSync } from "node:fs";
import type { ServerLog } from "../../roles/server/log.ts";

/** Descriptors for all but connections of peers: listeners, database, files, what Node.js has open. */
const OTHERS = 256;

/** Linux only: the most descriptors that this process may have open; undefined where nobody tells. */
function descriptorLimit(): number | undefined {
  try {
    const soft = /^Max open files +(\d+|unlimited)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return soft === undefined || soft === "unlimited" ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

/** Warns where peers could take the last descriptor: then neither health nor operators are answered any more. */
export function warnOfFewDescriptors(connections: number, log: ServerLog, limit = descriptorLimit()): void {
  const needed = connections + OTHERS;
  if (limit === undefined || limit >= needed) return;
  log.warn(
    { limit, connections, needed },
    "fewer descriptors than limits.connections needs: raise the limit (ulimit -n, LimitNOFILE) or lower that key",
  );
}
