/** The GMS without its listeners: operations, sealing, schedule, and what the listeners are given. */
import type { Pool } from "../../bindings/pool/index.ts";
import { type RandomSource, systemRandom } from "../../bindings/random.ts";
import type { GmsStore } from "../../store/gms/gms-store.ts";
import type { GmsConfig } from "./config.ts";
import { createEvents } from "./events.ts";
import { type GmsLog, noLog } from "./log.ts";
import { type GmsMetrics, noMetrics } from "./metrics.ts";
import { createOperations, type OperationDeps } from "./operations/index.ts";
import type { GmsContext, GmsKeys } from "./ports.ts";
import { createSchedule, type Schedule } from "./schedule/index.ts";
import { createSealer, type Sealer } from "./sealer.ts";
import { type GmsTimers, systemTimers } from "./timers.ts";

export interface ContextOptions {
  readonly config: GmsConfig;
  readonly store: GmsStore;
  readonly keys: GmsKeys;
  readonly pool?: Pool;
  readonly instance: string;
  readonly now?: () => number;
  readonly random?: RandomSource;
  readonly log?: GmsLog;
  readonly metrics?: GmsMetrics;
  readonly timers?: GmsTimers;
}

export interface GmsCore {
  readonly context: GmsContext;
  readonly sealer: Sealer;
  readonly schedule: Schedule;
  /** Begins to seal and to do what is due; takes over what a process of this name left behind. */
  start(): Promise<void>;
  /** Finishes what is at work. */
  stop(): Promise<void>;
}

export function createCore(options: ContextOptions): GmsCore {
  const { config, store, keys, pool, instance } = options;
  const { now = Date.now, random = systemRandom, log = noLog, metrics = noMetrics } = options;
  const { timers = systemTimers } = options;
  const { tell, on } = createEvents(log);
  const shared = { config, store, keys, now, random, log, metrics };
  const sealer = createSealer({ ...shared, instance, tell, timers, ...(pool !== undefined && { pool }) });
  const deps: OperationDeps = { ...shared, tell, planned: () => sealer.wake() };
  const schedule = createSchedule({ ...deps, log, timers });
  const context = { ...shared, instance, on, admin: createOperations(deps) };
  return {
    context,
    sealer,
    schedule,
    async start() {
      await store.recover(instance);
      sealer.start();
      schedule.start();
    },
    async stop() {
      await Promise.all([schedule.stop(), sealer.stop()]);
    },
  };
}
