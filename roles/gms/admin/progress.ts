/** A rekey as it moves on, in lines of JSON. */

import { once } from "node:events";
import { PassThrough } from "node:stream";
import { pause } from "../../../base/deadline.ts";
import type { RekeyRecord } from "../../../store/gms/records.ts";
import type { GmsContext } from "../common/ports.ts";
import { outward } from "./outward.ts";

/** Between two lines at least, in milliseconds: each asks the database. */
const PACE_MS = 50;

export type ProgressContext = Pick<GmsContext, "admin" | "on" | "config">;

/**
 * A line when something has changed, the first one at once, the last one when the rekey has ended. What this process
 * does is told at once, what others do is looked for. Ends with the signal.
 */
export function progressLines(id: number, context: ProgressContext, signal: AbortSignal): PassThrough {
  const lines = new PassThrough();
  const write = async (line: object) => {
    if (!lines.write(`${JSON.stringify(line)}\n`)) await once(lines, "drain", { signal });
  };
  follow(id, context, signal, (rekey) => write({ rekey }))
    .catch((error) => (signal.aborted ? undefined : write({ error: outward(error) })))
    .catch(() => {})
    .finally(() => lines.end());
  return lines;
}

async function follow(
  id: number,
  { admin, on, config }: ProgressContext,
  signal: AbortSignal,
  tell: (rekey: RekeyRecord) => Promise<void>,
): Promise<void> {
  let moved = () => {};
  const off = on({
    rekeyProgress(rekey) {
      if (rekey === id) moved();
    },
  });
  const stopped = () => moved();
  signal.addEventListener("abort", stopped);
  try {
    let last = "";
    while (!signal.aborted) {
      const woken = new AbortController();
      moved = () => woken.abort();
      const rekey = await admin.rekeyStatus(id);
      const text = JSON.stringify(rekey);
      if (text !== last) await tell(rekey);
      last = text;
      if (rekey.state !== "running") return;
      await pause(PACE_MS, signal);
      await pause(config.limits.pollMs, woken.signal);
    }
  } finally {
    signal.removeEventListener("abort", stopped);
    off();
  }
}
