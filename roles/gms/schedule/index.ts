/** What a GMS does by itself. Every process does it; the database gives each thing to one of them. */
import { describe } from "../errors.ts";
import type { GmsLog } from "../log.ts";
import type { OperationDeps } from "../operations/deps.ts";
import type { GmsTimers } from "../timers.ts";
import { rekeyDueGroups } from "./due-groups.ts";
import { lastBorder, renewUndelivered } from "./renew.ts";
import { revokeReplaced } from "./revocations.ts";

export interface ScheduleDeps extends OperationDeps {
  readonly log: GmsLog;
  readonly timers: GmsTimers;
}

export interface Schedule {
  start(): void;
  /** Does what is due now. Calls at the same time are one. */
  tick(): Promise<void>;
  /** Finishes what it is at. */
  stop(): Promise<void>;
}

const TICK_MS = 1000;
const GIVE_UP_MS = 5000;
const COUNT_MS = 15_000;
const PURGE_MS = 600_000;
/** Rekeys that are dropped at a time. */
const PURGE_LIMIT = 100;

export function createSchedule(deps: ScheduleDeps): Schedule {
  const { config, store, metrics, log, timers, now } = deps;
  const { offlineAfterSeconds } = config.limits;
  const retentionMs = config.policy.retention * 1000;
  let renewedAt: number | undefined;
  let running = false;
  let ticking: Promise<void> | undefined;
  let timer: unknown;

  const steps: { name: string; every: number; last: number; work: () => Promise<unknown> }[] = [
    { name: "due rekeys", every: 0, work: () => rekeyDueGroups(deps) },
    { name: "renewal", every: 0, work: renewOnce },
    { name: "revocation of replaced GMKs", every: 0, work: () => revokeReplaced(deps) },
    { name: "unreachable members", every: GIVE_UP_MS, work: giveUp },
    { name: "counts", every: COUNT_MS, work: async () => metrics.store(await store.counts()) },
    { name: "purge", every: PURGE_MS, work: purge },
  ].map((step) => ({ ...step, last: Number.NEGATIVE_INFINITY }));

  async function renewOnce(): Promise<void> {
    const border = lastBorder(deps);
    if (border !== renewedAt && (await renewUndelivered(deps))) renewedAt = border;
  }

  async function giveUp(): Promise<void> {
    const members = await store.giveUp({ now: now(), olderThanMs: offlineAfterSeconds * 1000 });
    if (members > 0) metrics.delivered("unreachable", members);
  }

  async function purge(): Promise<void> {
    if (retentionMs > 0) await store.purge({ before: now() - retentionMs, limit: PURGE_LIMIT });
  }

  async function runSteps(): Promise<void> {
    for (const step of steps) {
      // A clock that went back does not stop them.
      if (Math.abs(now() - step.last) < step.every) continue;
      try {
        await step.work();
        step.last = now();
      } catch (error) {
        log.error({ step: step.name, ...describe(error) }, "a step of the schedule failed");
      }
    }
  }

  function tick(): Promise<void> {
    ticking ??= runSteps().finally(() => {
      ticking = undefined;
    });
    return ticking;
  }

  function wait(): void {
    if (running) timer = timers.set(() => void tick().finally(wait), TICK_MS);
  }

  return {
    start() {
      if (running) return;
      running = true;
      void tick().finally(wait);
    },
    tick,
    async stop() {
      running = false;
      timers.clear(timer);
      await ticking;
    },
  };
}
