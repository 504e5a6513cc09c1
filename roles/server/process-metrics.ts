/** The metrics of the process itself for Prometheus: processor time, memory, descriptors, event loop, garbage collection. */
import { collectDefaultMetrics, Registry } from "prom-client";

let registry: Registry | undefined;

/** The exposition text. All listeners of a process tell the same, so it is measured once. */
export function processMetrics(): Promise<string> {
  if (registry === undefined) {
    registry = new Registry();
    collectDefaultMetrics({ register: registry });
  }
  return registry.metrics();
}
