/** Sealing a plan with the workers of a pool: what they are sent, and what is made of it. The work is in worker.ts. */

import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import type { KmsDomain } from "../identity/kms-domain.ts";
import type { KeySet, KmsCertificate } from "../identity/kms-material.ts";
import { type NtpTime, ntpFold, ntpSeconds, ntpUnfold } from "../identity/ntp.ts";
import type { SealedMessage, SealKeys } from "../mikey/build.ts";
import type { PlannedMember, SealPlan } from "../mikey/plan.ts";
import { DEFAULT_BATCH, type SealGroupOptions } from "../mikey/seal.ts";
import { cutChunks } from "./create.ts";
import { compact } from "./protocol.ts";
import type { JobSpec, Scheduler } from "./scheduler.ts";

/** Keys on the pool's core. Randomness is that of the workers' host. */
export type PoolSealKeys = Omit<SealKeys, "random">;

export interface PoolSealOptions extends SealGroupOptions {
  /** Called when a batch is done, also ahead of its turn: members sealed so far, of all that the plan has. */
  readonly onProgress?: (sealed: number, total: number) => void;
}

/** The values that a worker needs for any part of a plan. */
export interface SealJob {
  readonly plan: Omit<SealPlan, "members" | "time">;
  /** Signing key for the period of T; its RSK is left out. */
  readonly keySet: KeySet;
  /** The initiator's KMS first, then those of the members. */
  readonly certificates: readonly [KmsCertificate, ...KmsCertificate[]];
}

/** A part of a plan: T is that of the first of these members. */
export interface SealChunk {
  readonly members: readonly PlannedMember[];
  readonly time: NtpTime;
}

export async function* sealWith(
  scheduler: Scheduler,
  plan: SealPlan,
  keys: PoolSealKeys,
  options: PoolSealOptions,
): AsyncGenerator<SealedMessage[], void, undefined> {
  const { start = 0, batchSize = DEFAULT_BATCH, signal, onProgress } = options;
  const total = plan.members.length;
  const chunks = cutChunks(total - start, batchSize, scheduler);
  let sealed = start;
  const spec: JobSpec = {
    ...jobOf(scheduler, plan, keys),
    chunks: chunks.length,
    chunk(index) {
      const [from, to] = chunks[index]!;
      const members = plan.members.slice(start + from, start + to);
      const chunk: SealChunk = { members, time: ntpFold(ntpUnfold(plan.time) + BigInt(start + from)) };
      return { message: chunk };
    },
  };
  const onChunk = (index: number) => {
    const [from, to] = chunks[index]!;
    sealed += to - from;
    onProgress?.(sealed, total);
  };
  yield* scheduler.run<SealedMessage[]>(spec, { signal, onChunk });
}

function jobOf(scheduler: Scheduler, plan: SealPlan, keys: PoolSealKeys): Pick<JobSpec, "tables" | "open"> {
  const { initiator } = keys;
  const { uid, signer, domain: home } = initiator.keyAt(plan.time);
  const kmsUris = new Set(plan.members.map((member) => member.kmsUri));
  // A KMS that is missing here is reported by the worker, as without a pool.
  const others = [...new Set([...initiator.domains, ...keys.domains])].filter(
    (domain) => domain !== home && kmsUris.has(domain.kmsUri),
  );
  const domains = [home, ...others];
  for (const domain of domains) requireCore(scheduler, domain);
  const { members, time, ...rest } = plan;
  return {
    tables: domains.flatMap((domain) => [domain.encryption.tableName, domain.authentication.tableName]),
    open() {
      const { ssk, pvt } = signer.exportKey();
      const key = new Uint8Array(plan.key);
      const job: SealJob = {
        plan: { ...compact({ ...rest, key: undefined }), key },
        keySet: {
          kmsUri: home.kmsUri,
          ...defined({ certUri: home.certificate.certUri }),
          userUri: initiator.uri,
          uid: new Uint8Array(uid),
          keyPeriodNo: home.keyPeriodNo(ntpSeconds(plan.time)),
          rsk: new Uint8Array(0),
          ssk,
          pvt,
        },
        certificates: [compact(home.certificate), ...others.map((domain) => compact(domain.certificate))],
      };
      // Moved, so that no copy of them stays behind in the channel.
      return { message: job, transfer: [key.buffer, ssk.buffer] };
    },
  };
}

function requireCore(scheduler: Scheduler, domain: KmsDomain): void {
  if (domain.encryption.core === scheduler.core) return;
  const text = `KMS ${domain.kmsUri}: loaded on another core than the pool's (pool.core)`;
  throw new MikeySakkeError("usage", "OTHER_CORE", text);
}
