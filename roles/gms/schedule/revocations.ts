import type { GmkRecord } from "../../../store/gms/records.ts";
import { announce, type OperationDeps } from "../operations/deps.ts";
import { revokeGmks } from "../operations/groups.ts";
import { lockGroups } from "../planner/replace.ts";

/** Revokes what finished rekeys have taken the place of, where that was asked for. How many rekeys. */
export async function revokeReplaced(deps: OperationDeps): Promise<number> {
  const { store, now } = deps;
  for (let count = 0; ; count++) {
    const done = await store.change(async (tx) => {
      const [due] = await tx.claimDueRevocations(1);
      if (due === undefined) return undefined;
      const gmks: GmkRecord[] = [];
      for (const id of due.gmks) {
        const gmk = await tx.gmk(id);
        if (gmk !== undefined && gmk.state !== "revoked") gmks.push(gmk);
      }
      await lockGroups(
        tx,
        gmks.flatMap(({ groups }) => groups),
      );
      const { actor, traceparent } = due;
      const rekeys = await revokeGmks(tx, { ...deps, traceparent }, gmks, { actor, cause: "replaced" });
      const entry = (gmk: GmkRecord) => ({
        at: now(),
        actor,
        action: "gmk-revoke",
        groupUri: gmk.groups[0]!,
        outcome: "ok" as const,
        detail: { gmkId: gmk.gmkId, after: due.rekey },
      });
      await tx.audit(gmks.map(entry));
      return { groups: [], rekeys };
    });
    if (done === undefined) return count;
    await announce(deps, done);
  }
}
