/** Sealing as callers want it: a whole group in batches, or one message. */
import { type SealedMessage, type SealKeys, sealSlice } from "./build.ts";
import { destroyPlan, planSeal, type SealPlan, type SealRequest } from "./plan.ts";

/** Members a batch: enough for the shared inversions to pay, few enough to yield to the event loop often. */
export const DEFAULT_BATCH = 64;

export interface SealGroupOptions {
  readonly batchSize?: number;
  /** Checked before each batch; its reason is thrown. */
  readonly signal?: AbortSignal;
  /** Index of the first member to seal, to go on after an interruption. */
  readonly start?: number;
}

/**
 * Seals a plan for all its members, a batch at a time and in order. `plan.members.length` is the total.
 *
 * @example for await (const batch of sealGroup(plan, keys)) for (const m of batch) send(m.uri, m.octets);
 */
export async function* sealGroup(
  plan: SealPlan,
  keys: SealKeys,
  options: SealGroupOptions = {},
): AsyncGenerator<SealedMessage[], void, undefined> {
  const size = options.batchSize ?? DEFAULT_BATCH;
  for (let at = options.start ?? 0; at < plan.members.length; at += size) {
    options.signal?.throwIfAborted();
    yield await sealSlice(plan, keys, at, Math.min(at + size, plan.members.length));
  }
}

/** Plans and seals in one go, for few receivers. The caller uses `plan.key` and calls `destroyPlan`. */
export async function sealMessage(
  request: SealRequest,
  keys: SealKeys,
  now: number,
): Promise<{ plan: SealPlan; messages: SealedMessage[] }> {
  const plan = planSeal(request, { initiator: keys.initiator, random: keys.random, now });
  try {
    return { plan, messages: await sealSlice(plan, keys) };
  } catch (error) {
    destroyPlan(plan);
    throw error;
  }
}
