/**
 * A message is encrypted for the key period of its T (TS 33.180 5.2.2). A member who has not taken it when the period
 * ends may lack that period's keys on return, so they get the same GMK in a new message (RFC 6509 2.5).
 */
import type { GmsTransaction } from "../../../store/gms/gms-transaction.ts";
import type { GmkRecord, RekeyRecord } from "../../../store/gms/records.ts";
import { loggable } from "../common/errors.ts";
import type { GmsLog } from "../common/log.ts";
import { announce, type OperationDeps } from "../operations/deps.ts";
import { periodStartMs } from "../planner/due.ts";
import { distributeAgain } from "../planner/messages.ts";
import { lockGroups } from "../planner/replace.ts";

/** GMKs of one look: that many take a fraction of a second, and other things are due as well. */
const MOST_GMKS = 200;
/** Milliseconds; between two looks, of whatever process. */
const LOOK_MS = 500;

const SCHEDULER = "schedule";
const CAUSE = "key period";

/** The last border between key periods of any KMS that has a certificate here. */
export function lastBorder({ keys, now }: Pick<OperationDeps, "keys" | "now">): number {
  return Math.max(...[...periodStarts({ keys, now }).values()]);
}

/**
 * Looks at some of the GMKs that none of the processes has looked at for the last border. One process at a time does: a
 * step that is taken once in a while, so that what a dead process left is gone on with. True: all have been looked at.
 */
export async function renewUndelivered(deps: OperationDeps & { readonly log: GmsLog }): Promise<boolean> {
  const { store, log } = deps;
  const border = lastBorder(deps);
  if (!(await store.takeStep("renewal", LOOK_MS))) return false;
  const gmks = await store.gmksToRenew(border, MOST_GMKS);
  for (const gmk of gmks) {
    try {
      await renew(deps, gmk, border);
    } catch (error) {
      log.error({ group: gmk.groups[0], gmk: gmk.id, ...loggable(error) }, "a GMK was not renewed");
    }
  }
  return gmks.length === 0;
}

async function renew(deps: OperationDeps, { id, groups, gmkId }: GmkRecord, border: number): Promise<void> {
  const { store, now } = deps;
  const groupUri = groups[0]!;
  const done = await store.change(async (tx) => {
    await lockGroups(tx, groups);
    if (!(await tx.claimRenewal(id, border))) return undefined;
    const gmk = (await tx.gmk(id))!;
    const rekeys = await renewWithin(tx, deps, gmk, border);
    if (rekeys.length === 0) return undefined;
    const audit = { actor: SCHEDULER, action: "renew", groupUri, outcome: "ok" } as const;
    await tx.audit([{ at: now(), ...audit, detail: { gmkId } }]);
    return { groups: [], rekeys };
  });
  if (done !== undefined) await announce(deps, done);
}

async function renewWithin(
  tx: GmsTransaction,
  deps: OperationDeps,
  gmk: GmkRecord,
  border: number,
): Promise<number[]> {
  const undelivered = await tx.undelivered(gmk.id);
  if (undelivered.length === 0) return [];
  const isMember = new Set((await tx.members(gmk.groups)).map(({ uri }) => uri));
  const waiting = undelivered.filter(({ uri }) => isMember.has(uri));
  const giving = (await tx.rekeysOf(gmk.id)).filter(({ kind }) => kind !== "revoke");
  // Not those for a client that has lost its keys, which are of that one member.
  const renewals = giving.filter(({ kind, cause }) => kind === "renew" && cause === CAUSE);
  const last = Math.max(gmk.createdAt, ...renewals.map(({ createdAt }) => createdAt));
  const starts = periodStarts(deps);
  if (!waiting.some(({ kmsUri }) => (starts.get(kmsUri) ?? 0) > last)) return [];
  // Rekeys that are done may still have messages for members who were unreachable.
  const old = giving.filter((rekey) => rekey.createdAt < border && isOpen(rekey));
  const revokeAfter = await tx.supersede(
    old.map(({ id }) => id),
    deps.now(),
  );
  const why = { actor: SCHEDULER, cause: CAUSE, revokeAfter };
  return distributeAgain(tx, deps, "renew", gmk, waiting, why);
}

function isOpen({ state, counts }: RekeyRecord): boolean {
  return state === "running" || (state === "done" && counts.unreachable + counts.delivered > 0);
}

/** KmsUri to the beginning of its present key period. */
function periodStarts({ keys, now }: Pick<OperationDeps, "keys" | "now">): Map<string, number> {
  const { domains, initiator } = keys.current();
  return new Map(
    [...domains, ...initiator.domains].map(({ kmsUri, rule }) => [kmsUri, periodStartMs(now(), rule)]),
  );
}
