/** The machine on which the figures were measured. Node only. */
import { availableParallelism, cpus, loadavg } from "node:os";
import type { Report } from "./report.ts";

export function machine(): Report["machine"] {
  const [load] = loadavg();
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    ...(load === undefined ? {} : { load: Number(load.toFixed(2)) }),
  };
}

export function runtime(): Report["runtime"] {
  return { name: "node", version: process.versions.node, v8: process.versions.v8 };
}
