/** One look at a KMS, in the order init, certificates, key sets, new TrK and InK (TS 33.180 5.3.2 to 5.3.6). */

import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import type { KmsInit } from "../../documents/kms-xml/index.ts";
import { KeyRing, mayBeTheKeys } from "./key-ring.ts";
import type { KmsAnswer } from "./kms-answer.ts";
import { loadDomains } from "./load-keys.ts";
import type { ProvisionResult } from "./provision-event.ts";
import { note, type RunTools, refreshCertificates, refreshKeySets, type Session } from "./provision-steps.ts";
import { firstRefresh, longestWait, nextRefresh, type RefreshNeeds } from "./refresh-plan.ts";
import { requireOwn } from "./take-certificates.ts";
import { heldKeySets, missingIn, type WantedPeriod, wantedPeriods, wipeKeySets } from "./take-keys.ts";

/** When to look first, by what is stored. */
export async function firstRun(
  tools: RunTools,
): Promise<Pick<ProvisionResult, "refreshAt" | "longestWaitMs">> {
  const { client, core, store, trust, random, kmsUri, identities } = tools;
  const now = tools.now();
  await dropDamaged(tools);
  const atOnce = { refreshAt: now, longestWaitMs: Number.POSITIVE_INFINITY };
  const state = await store.state(client.userUri, kmsUri);
  if (state === undefined) return atOnce;
  const domains = await loadDomains(core, store, trust);
  try {
    const wanted = wantedPeriods(domains, kmsUri, now);
    const missing: WantedPeriod[] = [];
    for (const uri of identities) {
      const held = await heldKeySets(uri, kmsUri, domains, store);
      missing.push(...missingIn(held, wanted, domains));
      wipeKeySets(held);
    }
    if (missing.includes(wanted[0])) return atOnce;
    const needs = needsOf(tools, now, wanted, missing);
    return { refreshAt: firstRefresh(needs, state.refreshedAt, random), longestWaitMs: longestWait(needs) };
  } catch (error) {
    if (error instanceof MikeySakkeError) return atOnce;
    throw error;
  } finally {
    for (const domain of domains) domain.destroy();
  }
}

/** One damaged record must not stop provisioning for ever. */
async function dropDamaged({ store, tell }: RunTools): Promise<void> {
  for (const name of await store.dropDamaged()) tell({ type: "record-damaged", name });
}

/** Looks at the KMS, and stores what it sends. */
export async function run(tools: RunTools, signal?: AbortSignal): Promise<ProvisionResult> {
  const { client, store, kmsUri } = tools;
  const owner = { userUri: client.userUri, kmsUri };
  await dropDamaged(tools);
  const base = await client.protection();
  for (let first = true; ; first = false) {
    const ring = await KeyRing.open(store, owner, base);
    try {
      return await runWith(tools, ring, signal);
    } catch (error) {
      if (first && error instanceof PeriodEnded) continue;
      if (!first || !mayBeTheKeys(error)) throw error;
      // Another process on the storage may have replaced the keys meanwhile.
      const fresh = await KeyRing.open(store, owner, base);
      fresh.destroy();
      if (fresh.ids === ring.ids) throw error;
    } finally {
      ring.destroy();
    }
  }
}

/** The KMS was asked for the keys of a period that was over when it answered. */
class PeriodEnded extends MikeySakkeError {
  constructor({ kind, code, message }: MikeySakkeError) {
    super(kind, code, message);
  }
}

async function runWith(tools: RunTools, ring: KeyRing, signal?: AbortSignal): Promise<ProvisionResult> {
  const { client, core, store, trust, kmsUri, tell, random } = tools;
  const now = tools.now();
  const { session, certificate } = await begin(tools, ring, now, signal);
  const cacheNum = await refreshCertificates(tools, session, certificate);
  const domains = (await loadDomains(core, store, trust)).filter((domain) => {
    if (domain.kmsUri !== kmsUri) domain.destroy();
    return domain.kmsUri === kmsUri;
  });
  try {
    const wanted = wantedPeriods(domains, kmsUri, now);
    const ended = (error: unknown) => {
      const isMissing = error instanceof MikeySakkeError && error.code === "KMS_KEYS_MISSING";
      const [{ periodNo }] = wantedPeriods(domains, kmsUri, tools.now());
      throw isMissing && periodNo !== wanted[0].periodNo ? new PeriodEnded(error) : error;
    };
    const periods = new Map<string, readonly number[]>();
    const missing: WantedPeriod[] = [];
    for (const uri of tools.identities) {
      const held = await refreshKeySets(tools, session, uri, wanted, domains).catch(ended);
      missing.push(...missingIn(held, wanted, domains));
      periods.set(
        uri,
        [...new Set(held.map(({ keyPeriodNo }) => keyPeriodNo))].sort((a, b) => a - b),
      );
      wipeKeySets(held);
    }
    for (const added of await ring.settle(session.keys)) tell({ type: "transport-key", ...added });
    await store.putState(client.userUri, kmsUri, {
      refreshedAt: now,
      ...defined({ cacheNum }),
    });
    const needs = needsOf(tools, tools.now(), wanted, missing);
    return { kmsUri, periods, refreshAt: nextRefresh(needs, random), longestWaitMs: longestWait(needs) };
  } finally {
    for (const domain of domains) domain.destroy();
  }
}

/** The init request, under the newest keys that the KMS takes. */
async function begin(
  { client, kmsUri }: RunTools,
  ring: KeyRing,
  now: number,
  signal?: AbortSignal,
): Promise<{ session: Session; certificate: KmsInit["certificate"] }> {
  const { candidates } = ring;
  for (const [i, keys] of candidates.entries()) {
    const call = { keys, sign: ring.hasNew(keys), ...defined({ signal }) };
    const session: Session = { ring, keys, call };
    let answer: KmsAnswer<KmsInit>;
    try {
      answer = await client.init(call);
    } catch (error) {
      if (i + 1 < candidates.length && mayBeTheKeys(error)) continue;
      throw error;
    }
    note(session, answer);
    // At once: whatever fails later, the way back to the keys before is closed.
    await ring.confirm(keys);
    requireOwn(answer.message.certificate, kmsUri, now);
    return { session, certificate: answer.message.certificate };
  }
  throw new Error("unreachable: there is always a candidate");
}

/** Returns how far the keys reach, for the plan. */
function needsOf(
  { maxAgeMs }: RunTools,
  now: number,
  wanted: readonly [WantedPeriod, ...WantedPeriod[]],
  missing: readonly WantedPeriod[],
): RefreshNeeds {
  const { end, start } = wanted[0];
  const reachesNext = wanted.some(({ from }) => from === end);
  const missingFrom = Math.min(
    ...missing.map(({ from }) => from),
    reachesNext ? Number.POSITIVE_INFINITY : end,
  );
  const needs = { now, periodMs: end - start, maxAgeMs };
  return Number.isFinite(missingFrom) ? { ...needs, missingFrom } : needs;
}
