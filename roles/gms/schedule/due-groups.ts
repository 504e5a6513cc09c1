/** New GMKs where time demands them: the group's schedule, an expiry, the end of a key period. */
import type { GmsTransaction } from "../../../store/gms/gms-transaction.ts";
import type { GmkRecord, GroupRecord } from "../../../store/gms/records.ts";
import { loggable } from "../common/errors.ts";
import type { GmsLog } from "../common/log.ts";
import { announce, type OperationDeps } from "../operations/deps.ts";
import { beforeExpiry, replaceAt } from "../planner/due.ts";
import {
  dueRules,
  liveOf,
  lockGroups,
  newestOf,
  replaceGmks,
  reschedule,
  withdraw,
} from "../planner/replace.ts";

/** Most groups examined at a time. The rest wait for the next time. */
const MOST_GROUPS = 100;
/** Until a group whose rekey failed is tried again. */
const RETRY_MS = 60_000;

const SCHEDULER = "schedule";

/** Each group in a transaction of its own. How many were due. */
export async function rekeyDueGroups(deps: OperationDeps & { readonly log: GmsLog }): Promise<number> {
  const { store, now, log } = deps;
  for (let count = 0; count < MOST_GROUPS; count++) {
    let due: string | undefined;
    try {
      const done = await store.change(async (tx) => {
        due = undefined;
        const [group] = await tx.claimDueGroups(1);
        if (group === undefined) return undefined;
        due = group.uri;
        return { groups: [], rekeys: await rekeyDue(tx, deps, group) };
      });
      if (done === undefined) return count;
      await announce(deps, done);
    } catch (error) {
      if (due === undefined) throw error;
      log.error({ group: due, ...loggable(error) }, "a rekey that was due failed");
      const uri = due;
      await store.change((tx) => tx.setNextRekey(uri, now() + RETRY_MS));
    }
  }
  return MOST_GROUPS;
}

async function rekeyDue(tx: GmsTransaction, deps: OperationDeps, group: GroupRecord): Promise<number[]> {
  const { uri, settings } = group;
  const now = deps.now();
  await lockGroups(tx, [uri]);
  const live = liveOf(await tx.gmks(uri));
  const isOver = ({ expiry }: GmkRecord) => expiry !== undefined && expiry <= now;
  const dueAt = (gmk: GmkRecord) => replaceAt(gmk, settings, dueRules(deps)) ?? Number.POSITIVE_INFINITY;
  const stale = newestOf(live).filter((gmk) => dueAt(gmk) <= now);
  await withdraw(tx, deps, live.filter(isOver), "retired");
  const sets = stale.map(({ groups }) => groups);
  if (sets.length === 0) {
    await reschedule(tx, deps, [uri]);
    return [];
  }
  const rekeys = await replaceGmks(
    tx,
    deps,
    sets,
    {},
    { actor: SCHEDULER, cause: causeOf(stale, group, deps) },
  );
  await tx.audit([
    { at: now, actor: SCHEDULER, action: "rekey", groupUri: uri, outcome: "ok", detail: { rekeys } },
  ]);
  return rekeys;
}

function causeOf(stale: readonly GmkRecord[], { settings }: GroupRecord, deps: OperationDeps): string {
  if (stale.some(({ restored }) => restored)) return "restored from a backup";
  const now = deps.now();
  const every = settings.rekeyEveryMs ?? Number.POSITIVE_INFINITY;
  if (stale.some(({ createdAt }) => createdAt + every <= now)) return "schedule";
  const rules = dueRules(deps);
  const expires = stale.some((gmk) => (beforeExpiry(gmk, rules) ?? Number.POSITIVE_INFINITY) <= now);
  return expires ? "expiry" : "key period";
}
