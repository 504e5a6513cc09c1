import type { GmsTransaction } from "../../../store/gms/gms-transaction.ts";
import type { GmkRecord } from "../../../store/gms/records.ts";
import { announce, type OperationDeps } from "../operations/deps.ts";
import { revokeGmks } from "../operations/groups.ts";
import { liveOf, lockGroups, reschedule, withdraw } from "../planner/replace.ts";

/** Retires GMKs whose successor begins to be used (TS 33.180 E.6.4). How many. */
export async function retireReplaced(deps: OperationDeps): Promise<number> {
  const { store, now } = deps;
  for (let count = 0; ; count++) {
    const done = await store.change(async (tx) => {
      const [id] = await tx.claimRetiringGmks(now(), 1);
      if (id === undefined) return undefined;
      const gmk = (await tx.gmk(id))!;
      await lockGroups(tx, gmk.groups);
      if (!(await hasSuccessor(tx, gmk, now()))) return { groups: [], rekeys: [] };
      const passedOn = await withdraw(tx, deps, [gmk], "retired");
      const revoked: GmkRecord[] = [];
      for (const other of passedOn) {
        const found = await tx.gmk(other);
        if (found !== undefined && found.state !== "revoked") revoked.push(found);
      }
      const rekeys = await revokeGmks(tx, deps, revoked, { actor: "schedule", cause: "replaced" });
      await reschedule(tx, deps, gmk.groups);
      return { groups: gmk.groups, rekeys };
    });
    if (done === undefined) return count;
    await announce(deps, done);
  }
}

/** It may have been revoked since: then the one before goes on, or nobody could speak. */
async function hasSuccessor(tx: GmsTransaction, gmk: GmkRecord, now: number): Promise<boolean> {
  for (const uri of gmk.groups) {
    const later = liveOf(await tx.gmks(uri)).filter(({ id }) => id > gmk.id);
    if (!later.some(({ activation }) => activation <= now)) return false;
  }
  return true;
}
