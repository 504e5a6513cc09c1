/**
 * Seals what is planned. Any number of processes do so on one database: each chunk is claimed by one of them for a while,
 * and its messages are stored in one transaction with the end of the claim, so that no member gets two.
 */

import { backOff } from "../../base/back-off.ts";
import { wipe } from "../../base/bytes.ts";
import { Timer, type TimerPort } from "../../base/clock.ts";
import type { RandomSource } from "../../base/random.ts";
import { ntpToUnixMs } from "../../bindings/identity/ntp.ts";
import type { SealPlan } from "../../bindings/mikey/plan.ts";
import { sealGroup } from "../../bindings/mikey/seal.ts";
import type { Pool } from "../../bindings/pool/index.ts";
import type { GmsStore } from "../../store/gms/gms-store.ts";
import type { ClaimedChunk, SealedRow } from "../../store/gms/records.ts";
import type { ClientKeys } from "../identity/load-keys.ts";
import type { DatabaseClock } from "../server/database-clock.ts";
import type { LastingFaults } from "../server/lasting-faults.ts";
import type { Tracing } from "../server/tracing.ts";
import type { GmsConfig } from "./common/config.ts";
import { loggable } from "./common/errors.ts";
import type { GmsLog } from "./common/log.ts";
import type { GmsMetrics } from "./common/metrics.ts";
import type { GmsEvents, GmsKeys } from "./common/ports.ts";
import { ofRekey } from "./common/rekey-log.ts";
import { FIRST_RETRY_MS, SAFETY_MS } from "./common/timers.ts";

export interface SealerDeps {
  readonly config: GmsConfig;
  readonly store: GmsStore;
  readonly keys: GmsKeys;
  /** Without it chunks are sealed in this thread. */
  readonly pool?: Pool;
  readonly instance: string;
  readonly now: () => number;
  readonly clock: Pick<DatabaseClock, "isRight">;
  readonly random: RandomSource;
  readonly log: GmsLog;
  readonly faults: LastingFaults;
  readonly metrics: GmsMetrics;
  readonly tell: GmsEvents;
  readonly timers: TimerPort;
  readonly tracing: Tracing;
}

export interface Sealer {
  /** Looks for work now, and from time to time for that of other processes. */
  start(): void;
  /** There is work. */
  wake(): void;
  /** Whether the database tells of work, so that looking is for what it missed. */
  told(listening: boolean): void;
  /** Finishes the chunks at work. */
  stop(): Promise<void>;
}

/** Milliseconds between two tries of a store that fails, at most. */
const LONGEST_PAUSE_MS = 5000;

export function createSealer(deps: SealerDeps): Sealer {
  const { config, store, instance, now, clock, random, log, faults, metrics, tell, timers, tracing } = deps;
  const { limits } = config;
  const { leaseSeconds, pollMs } = limits;
  const atWork = new Set<Promise<void>>();
  let running = false;
  let claiming: Promise<void> | undefined;
  /** Something was planned while a claim was under way, which may have missed it. */
  let again = false;
  const timer = new Timer(timers);
  /** Failures of the store in a row. */
  let failures = 0;
  let lookEvery = pollMs;

  function wake(): void {
    again = true;
    if (!running || claiming !== undefined) return;
    timer.clear();
    claiming = claimAll().finally(() => {
      claiming = undefined;
      if (!running) return;
      if (again && failures === 0 && atWork.size < limits.chunksInFlight) wake();
      else
        timer.set(
          failures === 0
            ? lookEvery
            : backOff({ failures, firstMs: FIRST_RETRY_MS, longestMs: LONGEST_PAUSE_MS }, random),
          wake,
        );
    });
  }

  /** As many chunks as may be at work; one claim at a time. */
  async function claimAll(): Promise<void> {
    while (running && atWork.size < limits.chunksInFlight) {
      again = false;
      const chunk = await claim();
      if (chunk === undefined) return;
      const work: Promise<void> = seal(chunk).finally(() => {
        atWork.delete(work);
        wake();
      });
      atWork.add(work);
    }
  }

  async function claim(): Promise<ClaimedChunk | undefined> {
    if (!clock.isRight()) return undefined;
    try {
      const chunk = await store.claimChunk({ instance, leaseMs: leaseSeconds * 1000 });
      failures = 0;
      faults.succeeded("claims of chunks");
      return chunk;
    } catch (error) {
      failures++;
      faults.failed("claims of chunks", error, "the store gives no work");
      return undefined;
    }
  }

  /** Never throws. */
  async function seal(chunk: ClaimedChunk): Promise<void> {
    const { rekey, members, traceparent } = chunk;
    const began = now();
    const facts = { ...ofRekey(rekey, traceparent), chunk: chunk.chunk };
    const span = tracing.begin("gms.seal", {
      parent: traceparent,
      attributes: { "mikey_sakke.rekey": rekey, "mikey_sakke.members": members.length },
    });
    try {
      const rows = await sealChunk(deps, chunk);
      if (!(await store.saveChunk(chunk, rows))) {
        metrics.sealFailed("CLAIM_LOST");
        log.info(facts, "a claim was lost");
        span.end("CLAIM_LOST");
        return;
      }
      const milliseconds = now() - began;
      metrics.sealed(rows.length, milliseconds);
      log.debug({ ...facts, members: rows.length, milliseconds }, "messages sealed");
      span.end();
      tell.sealed(rows.map(({ uri }) => uri));
      tell.rekeyProgress(rekey);
    } catch (error) {
      span.end(error);
      await giveBack(chunk, error);
    } finally {
      wipe(chunk.key, chunk.rand);
    }
  }

  async function giveBack(chunk: ClaimedChunk, cause: unknown): Promise<void> {
    const { code, message } = loggable(cause);
    metrics.sealFailed(code);
    const { rekey, traceparent, chunk: number, attempts } = chunk;
    const waitMs = backOff(
      { failures: attempts, firstMs: FIRST_RETRY_MS, longestMs: limits.retrySeconds * 1000 },
      random,
    );
    log.warn(
      { ...ofRekey(rekey, traceparent), chunk: number, attempts, code, message },
      "a chunk was not sealed",
    );
    try {
      await store.releaseChunk(chunk, { waitMs, error: `${code}: ${message}` });
      faults.succeeded("return of claims");
    } catch (error) {
      // Its lease ends by itself.
      faults.failed("return of claims", error, "a claim was not given back");
    }
    // Nobody else tells of it.
    if (waitMs < lookEvery) timers.after(waitMs, wake);
  }

  return {
    start() {
      running = true;
      wake();
    },
    wake,
    told(listening) {
      lookEvery = listening ? Math.max(pollMs, SAFETY_MS) : pollMs;
      wake();
    },
    async stop() {
      running = false;
      timer.clear();
      await claiming;
      await Promise.all(atWork);
    },
  };
}

async function sealChunk(
  { config, keys, pool, random }: SealerDeps,
  chunk: ClaimedChunk,
): Promise<SealedRow[]> {
  const { initiator, domains } = keys.current();
  const plan = planOf(chunk, initiator, config);
  const sealing =
    pool === undefined
      ? sealGroup(plan, { initiator, domains, random })
      : pool.sealGroup(plan, { initiator, domains });
  const rows: SealedRow[] = [];
  for await (const batch of sealing) for (const { uri, octets } of batch) rows.push({ uri, octets });
  return rows;
}

function planOf(chunk: ClaimedChunk, initiator: ClientKeys["initiator"], { policy }: GmsConfig): SealPlan {
  const { key, rand, gmkId: keyId, time, members, parameters } = chunk;
  return {
    kind: "GMK",
    key,
    keyId,
    rand,
    time,
    initiatorUri: initiator.uri,
    initiatorKmsUri: initiator.kmsUri,
    members: members.map(({ uri, kmsUri, csbId }) => ({ uri, kmsUri, csbId })),
    parameters,
    parametersDate: Math.floor(ntpToUnixMs(time) / 1000),
    srtp: undefined,
    hideInitiator: policy.hideInitiator,
    hideResponder: policy.hideResponder,
    toSelf: policy.toSelf,
  };
}
