import { defined } from "../../../base/defined.ts";
import { announce, type OperationDeps } from "../operations/deps.ts";
import { revokeGmks } from "../operations/groups.ts";
import { lockGroups } from "../planner/replace.ts";

/** Revokes GMKs whose time has come since somebody who holds them was removed. How many. */
export async function revokeEnding(deps: OperationDeps): Promise<number> {
  const { store, now } = deps;
  for (let count = 0; ; count++) {
    const done = await store.change(async (tx) => {
      const [due] = await tx.claimEndingGmks(now(), 1);
      if (due === undefined) return undefined;
      const gmk = (await tx.gmk(due.gmk))!;
      await lockGroups(tx, gmk.groups);
      const { actor, traceparent } = due;
      const rekeys = await revokeGmks(tx, { ...deps, traceparent }, [gmk], {
        actor,
        cause: "holder removed",
      });
      const [groupUri] = gmk.groups;
      const detail = { gmkId: gmk.gmkId, cause: "holder removed" };
      await tx.audit([
        {
          at: now(),
          actor,
          action: "gmk-revoke",
          ...defined({ groupUri }),
          outcome: "ok",
          detail,
        },
      ]);
      return { groups: [], rekeys };
    });
    if (done === undefined) return count;
    await announce(deps, done);
  }
}
