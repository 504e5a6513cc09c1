/** The GMS without its listeners: operations, sealing, schedule, and what the listeners are given. */

import { systemClock, type TimerPort } from "../../base/clock.ts";
import { defined } from "../../base/defined.ts";
import { type RandomSource, systemRandom } from "../../base/random.ts";
import type { Pool } from "../../bindings/pool/index.ts";
import type { GmsStore } from "../../store/gms/gms-store.ts";
import { DatabaseClock } from "../server/database-clock.ts";
import { LastingFaults } from "../server/lasting-faults.ts";
import { idTracing, type Tracing } from "../server/tracing.ts";
import type { GmsConfig } from "./common/config.ts";
import { createEvents } from "./common/events.ts";
import { type GmsLog, noLog } from "./common/log.ts";
import { type GmsMetrics, noMetrics } from "./common/metrics.ts";
import { createNotices } from "./common/notices.ts";
import type { GmsContext, GmsKeys } from "./common/ports.ts";
import { createOperations, type OperationDeps } from "./operations/index.ts";
import { createSchedule, type Schedule } from "./schedule/index.ts";
import { createSealer, type Sealer } from "./sealer.ts";

export interface ContextOptions {
  readonly config: GmsConfig;
  readonly store: GmsStore;
  readonly keys: GmsKeys;
  readonly pool?: Pool;
  readonly instance: string;
  /** The host's clock, with which that of the database is compared; the system's when absent. */
  readonly now?: () => number;
  readonly random?: RandomSource;
  readonly log?: GmsLog;
  readonly metrics?: GmsMetrics;
  readonly timers?: TimerPort;
  /** IDs without spans when absent. */
  readonly tracing?: Tracing;
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
  const { random = systemRandom, log = noLog, metrics = noMetrics } = options;
  const { timers = systemClock, tracing = idTracing(random) } = options;
  const { tell, on } = createEvents(log);
  const clock = new DatabaseClock({
    read: () => store.now(),
    host: options.now ?? Date.now,
    ...defined({ steady: options.now }),
    tolerance: config.limits.clockDifference * 1000,
    log,
  });
  const { now } = clock;
  const faults = new LastingFaults(log, now);
  const notices = createNotices(store);
  const shared = { config, store, keys, now, clock, random, log, faults, metrics, tracing };
  const sealer = createSealer({ ...shared, instance, tell, timers, ...defined({ pool }) });
  const deps: OperationDeps = { ...shared, tell, planned: () => sealer.wake() };
  const schedule = createSchedule({ ...deps, clock, log, faults, timers });
  const context = { ...shared, instance, on, notices, planned: deps.planned, admin: createOperations(deps) };
  notices.on({
    notice: ({ what }) => {
      if (what === "planned") sealer.wake();
    },
    state: (listening) => sealer.told(listening),
  });
  return {
    context,
    sealer,
    schedule,
    async start() {
      await clock.measure();
      await store.requireClock(keys.current().initiator.uri).catch((error: unknown) => {
        faults.failed("clock", error, "T is ahead of the database's clock");
      });
      await tellRestored(store, log);
      await store.recover(instance);
      notices.start();
      sealer.start();
      schedule.start();
    },
    async stop() {
      await Promise.all([schedule.stop(), sealer.stop()]);
      await notices.stop();
    },
  };
}

async function tellRestored(store: GmsStore, log: GmsLog): Promise<void> {
  const restored = await store.restored();
  if (restored === undefined) return;
  const [restoredAt, madeAt] = [restored.restoredAt, restored.madeAt].map((at) => new Date(at).toISOString());
  log.warn(
    { restoredAt, madeAt },
    "the database was restored from a backup: each group gets a new GMK in place of those that came out of it",
  );
}
