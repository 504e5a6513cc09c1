/**
 * Seals what is planned. Any number of processes do so on one database: each chunk is claimed by one of them for a while,
 * and its messages are stored in one transaction with the end of the claim, so that no member gets two.
 */
import { wipe } from "../../bindings/bytes.ts";
import { ntpToUnixMs } from "../../bindings/identity/ntp.ts";
import type { SealPlan } from "../../bindings/mikey/plan.ts";
import { sealGroup } from "../../bindings/mikey/seal.ts";
import type { Pool } from "../../bindings/pool/index.ts";
import type { RandomSource } from "../../bindings/random.ts";
import type { GmsStore } from "../../store/gms/gms-store.ts";
import type { ClaimedChunk, SealedRow } from "../../store/gms/records.ts";
import type { ClientKeys } from "../client/load-keys.ts";
import { backOff } from "./back-off.ts";
import type { GmsConfig } from "./config.ts";
import { describe } from "./errors.ts";
import type { GmsLog } from "./log.ts";
import type { GmsMetrics } from "./metrics.ts";
import type { GmsEvents, GmsKeys } from "./ports.ts";
import type { GmsTimers } from "./timers.ts";

export interface SealerDeps {
  readonly config: GmsConfig;
  readonly store: GmsStore;
  readonly keys: GmsKeys;
  /** Without it chunks are sealed in this thread. */
  readonly pool?: Pool;
  readonly instance: string;
  readonly now: () => number;
  readonly random: RandomSource;
  readonly log: GmsLog;
  readonly metrics: GmsMetrics;
  readonly tell: GmsEvents;
  readonly timers: GmsTimers;
}

export interface Sealer {
  /** Looks for work now, and from time to time for that of other processes. */
  start(): void;
  /** There is work. */
  wake(): void;
  /** Finishes the chunks at work. */
  stop(): Promise<void>;
}

export function createSealer(deps: SealerDeps): Sealer {
  const { config, store, instance, now, random, log, metrics, tell, timers } = deps;
  const { chunksInFlight, leaseSeconds, pollMs, retrySeconds } = config.limits;
  const atWork = new Set<Promise<void>>();
  let running = false;
  let claiming: Promise<void> | undefined;
  /** Something was planned while a claim was under way, which may have missed it. */
  let again = false;
  let timer: unknown;
  /** Failures of the store in a row. */
  let failures = 0;

  function wake(): void {
    again = true;
    if (!running || claiming !== undefined) return;
    timers.clear(timer);
    claiming = claimAll().finally(() => {
      claiming = undefined;
      if (!running) return;
      if (again && failures === 0 && atWork.size < chunksInFlight) wake();
      else timer = timers.set(wake, failures === 0 ? pollMs : backOff(failures, retrySeconds, random));
    });
  }

  /** As many chunks as may be at work; one claim at a time. */
  async function claimAll(): Promise<void> {
    while (running && atWork.size < chunksInFlight) {
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
    try {
      const chunk = await store.claimChunk({ instance, now: now(), leaseMs: leaseSeconds * 1000 });
      failures = 0;
      return chunk;
    } catch (error) {
      failures++;
      log.error(describe(error), "the store gives no work");
      return undefined;
    }
  }

  /** Never throws. */
  async function seal(chunk: ClaimedChunk): Promise<void> {
    const { rekey, members } = chunk;
    const began = now();
    try {
      const rows = await sealChunk(deps, chunk);
      if (!(await store.saveChunk(chunk, rows, now()))) {
        metrics.sealFailed("CLAIM_LOST");
        log.info({ rekey, chunk: chunk.chunk }, "a claim was lost");
        return;
      }
      metrics.sealed(rows.length, now() - began);
      tell.sealed(rows.map(({ uri }) => uri));
      tell.rekeyProgress(rekey);
    } catch (error) {
      await giveBack(chunk, error);
    } finally {
      wipe(chunk.key, chunk.rand);
    }
    log.debug({ rekey, chunk: chunk.chunk, members: members.length }, "chunk");
  }

  async function giveBack(chunk: ClaimedChunk, cause: unknown): Promise<void> {
    const { code, message } = describe(cause);
    metrics.sealFailed(code);
    const nextAt = now() + backOff(chunk.attempts, retrySeconds, random);
    const facts = { rekey: chunk.rekey, chunk: chunk.chunk, attempts: chunk.attempts, code, message };
    log.warn(facts, "a chunk was not sealed");
    try {
      await store.releaseChunk(chunk, { now: now(), nextAt, error: `${code}: ${message}` });
    } catch (error) {
      // Its lease ends by itself.
      log.error(describe(error), "a claim was not given back");
    }
  }

  return {
    start() {
      running = true;
      wake();
    },
    wake,
    async stop() {
      running = false;
      timers.clear(timer);
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
