/** Time on a processor, which other work on the machine does not lengthen. Linux only. */
import { readFileSync } from "node:fs";

/** Milliseconds that the main thread of a process has been on a processor; undefined where the system does not tell. */
export function onProcessor(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8").split(" ")[0]) / 1e6;
  } catch {
    return undefined;
  }
}
