/** The work that a GMS does by itself. Every process looks for it; the database gives each task to one of them. */

import { Timer, type TimerPort } from "../../../base/clock.ts";
import { purgeAudit } from "../../server/audit-retention.ts";
import type { DatabaseClock } from "../../server/database-clock.ts";
import type { LastingFaults } from "../../server/lasting-faults.ts";
import type { GmsLog } from "../common/log.ts";
import type { OperationDeps } from "../operations/deps.ts";
import { rekeyDueGroups } from "./due-groups.ts";
import { revokeEnding } from "./endings.ts";
import { lastBorder, renewUndelivered } from "./renew.ts";
import { retireReplaced } from "./retirements.ts";
import { revokeReplaced } from "./revocations.ts";

export interface ScheduleDeps extends OperationDeps {
  readonly clock: DatabaseClock;
  readonly log: GmsLog;
  readonly faults: LastingFaults;
  readonly timers: TimerPort;
}

export interface Schedule {
  start(): void;
  /** Does what is due now. Calls at the same time are one. */
  tick(): Promise<void>;
  /** Finishes what it is at. */
  stop(): Promise<void>;
}

const TICK_MS = 1000;
const CLOCK_MS = 5000;
const GIVE_UP_MS = 5000;
const COUNT_MS = 60_000;
const PURGE_MS = 600_000;
/** Rekeys that are dropped at a time. */
const PURGE_LIMIT = 100;

export function createSchedule(deps: ScheduleDeps): Schedule {
  const { config, store, keys, metrics, clock, faults, timers, now } = deps;
  let renewedAt: number | undefined;
  let running = false;
  let ticking: Promise<void> | undefined;
  const timer = new Timer(timers);

  const steps: { name: string; every: number; last: number; work: () => Promise<unknown> }[] = [
    { name: "clock", every: CLOCK_MS, work: lookAtClocks },
    { name: "due rekeys", every: 0, work: () => rekeyDueGroups(deps) },
    { name: "renewal", every: 0, work: renewOnce },
    { name: "retirement of GMKs", every: 0, work: () => retireReplaced(deps) },
    { name: "revocation of replaced GMKs", every: 0, work: () => revokeReplaced(deps) },
    { name: "revocation of GMKs of removed members", every: 0, work: () => revokeEnding(deps) },
    { name: "unreachable members", every: GIVE_UP_MS, work: giveUp },
    { name: "counts", every: COUNT_MS, work: count },
    { name: "purge", every: PURGE_MS, work: purge },
  ].map((step) => ({ ...step, last: Number.NEGATIVE_INFINITY }));

  async function count(): Promise<void> {
    const { oldestAt, ...counts } = await store.counts(COUNT_MS / 2);
    metrics.store({ ...counts, oldestAge: oldestAt === undefined ? 0 : Math.max(0, now() - oldestAt) });
  }

  async function renewOnce(): Promise<void> {
    const border = lastBorder(deps);
    if (border !== renewedAt && (await renewUndelivered(deps))) renewedAt = border;
  }

  async function lookAtClocks(): Promise<void> {
    await clock.measure();
    const { uri } = keys.current().initiator;
    metrics.clocks({ hostAhead: clock.ahead / 1000, messagesAhead: await store.secondsAhead(uri) });
    await store.requireClock(uri);
  }

  async function giveUp(): Promise<void> {
    const olderThanMs = config.limits.offlineAfterSeconds * 1000;
    const members = await store.giveUp({ olderThanMs, everyMs: GIVE_UP_MS / 2 });
    if (members > 0) metrics.delivered("unreachable", members);
  }

  async function purge(): Promise<void> {
    if (!(await store.takeStep("purge", PURGE_MS / 2))) return;
    await purgeAudit(store, config.policy, now());
    const retentionMs = config.policy.retention * 1000;
    if (retentionMs > 0) await store.purge({ olderThanMs: retentionMs, limit: PURGE_LIMIT });
  }

  async function runSteps(): Promise<void> {
    for (const step of steps) {
      // A clock that went back does not stop them.
      if (Math.abs(now() - step.last) < step.every) continue;
      // Whose clock is wrong does nothing but look whether it still is.
      if (step.work !== lookAtClocks && !clock.isRight()) continue;
      try {
        await step.work();
        step.last = now();
        faults.succeeded(step.name);
      } catch (error) {
        faults.failed(step.name, error, "a step of the schedule failed", { step: step.name });
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
    if (running) timer.set(TICK_MS, () => void tick().finally(wait));
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
      timer.clear();
      await ticking;
    },
  };
}
