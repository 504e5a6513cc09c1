/**
 * A message is encrypted for the key period of its T (TS 33.180 5.2.2). Who has not taken it when the period is over may
 * lack that period's keys when he is back, so he gets the same GMK anew (RFC 6509 2.5).
 */
import type { GmsTransaction } from "../../../store/gms/gms-transaction.ts";
import type { GmkRecord, RekeyRecord } from "../../../store/gms/records.ts";
import { describe } from "../errors.ts";
import type { GmsLog } from "../log.ts";
import { announce, type OperationDeps } from "../operations/deps.ts";
import { periodStartMs } from "../planner/due.ts";
import { distributeAgain } from "../planner/messages.ts";
import { liveOf, lockGroups } from "../planner/replace.ts";

const PAGE = 200;
/** Of one group, to find the last renewal of a GMK among. */
const REKEYS = 1000;

const SCHEDULER = "schedule";

/** The last border between key periods of any KMS that has a certificate here. */
export function lastBorder({ keys, now }: Pick<OperationDeps, "keys" | "now">): number {
  return Math.max(...[...periodStarts({ keys, now }).values()]);
}

/** Looks at all groups. False: something failed, and it is worth another look. */
export async function renewUndelivered(deps: OperationDeps & { readonly log: GmsLog }): Promise<boolean> {
  const { store, log } = deps;
  const seen = new Set<number>();
  let after: string | undefined;
  let complete = true;
  do {
    const groups = await store.groups({ limit: PAGE, ...(after !== undefined && { after }) });
    after = groups.length < PAGE ? undefined : groups.at(-1)!.uri;
    for (const { uri } of groups) {
      for (const gmk of liveOf(await store.gmks(uri))) {
        if (seen.has(gmk.id)) continue;
        seen.add(gmk.id);
        try {
          await renew(deps, gmk);
        } catch (error) {
          complete = false;
          log.error({ group: uri, gmk: gmk.id, ...describe(error) }, "a GMK was not renewed");
        }
      }
    }
  } while (after !== undefined);
  return complete;
}

async function renew(deps: OperationDeps, gmk: GmkRecord): Promise<void> {
  const { store, now } = deps;
  if (gmk.createdAt >= lastBorder(deps)) return;
  const rekeys = await store.rekeys({ groupUri: gmk.groups[0]!, limit: REKEYS });
  const before = rekeys.filter((rekey) => rekey.gmk === gmk.id && rekey.kind !== "revoke");
  const done = await store.change(async (tx) => {
    await lockGroups(tx, gmk.groups);
    const present = await tx.gmk(gmk.id);
    if (present?.state !== "live") return undefined;
    const rekeys = await renewWithin(tx, deps, present, before);
    if (rekeys.length === 0) return undefined;
    const audit = { actor: SCHEDULER, action: "renew", groupUri: gmk.groups[0]!, outcome: "ok" } as const;
    await tx.audit([{ at: now(), ...audit, detail: { gmkId: gmk.gmkId } }]);
    return { groups: [], rekeys };
  });
  if (done !== undefined) await announce(deps, done);
}

async function renewWithin(
  tx: GmsTransaction,
  deps: OperationDeps,
  gmk: GmkRecord,
  before: readonly RekeyRecord[],
): Promise<number[]> {
  const starts = periodStarts(deps);
  const isMember = new Set((await tx.members(gmk.groups)).map(({ uri }) => uri));
  const waiting = (await tx.undelivered(gmk.id)).filter(({ uri }) => isMember.has(uri));
  const running = (await tx.runningRekeys(gmk.groups[0]!)).filter(
    ({ gmk: id, kind }) => id === gmk.id && kind !== "revoke",
  );
  const border = lastBorder(deps);
  // Another process was faster.
  if (running.some(({ kind, createdAt }) => kind === "renew" && createdAt >= border)) return [];
  const renewals = before.filter(({ kind }) => kind === "renew");
  const last = Math.max(gmk.createdAt, ...renewals.map(({ createdAt }) => createdAt));
  if (!waiting.some(({ kmsUri }) => (starts.get(kmsUri) ?? 0) > last)) return [];
  // Those that are done may still have messages for who was unreachable.
  const old = [...running, ...before].filter((rekey) => rekey.createdAt < border && isOpen(rekey));
  const revokeAfter = await tx.supersede([...new Set(old.map(({ id }) => id))], deps.now());
  const why = { actor: SCHEDULER, cause: "key period", revokeAfter };
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
