/** Rekeys and revocations that somebody asks for, and what became of them. */
import type { RekeyRecord } from "../../../store/gms/records.ts";
import type { Caller } from "../common/caller.ts";
import { refused } from "../common/errors.ts";
import type { RekeyOptions } from "../common/ports.ts";
import { requireUri } from "../common/uri.ts";
import { lockGroups, replaceGmks } from "../planner/replace.ts";
import { requireGmkOptions } from "./checks.ts";
import { carryOut, type OperationDeps, requireManager } from "./deps.ts";
import { revokeGmks } from "./groups.ts";

/** Where the certificate of some members' KMS is missing, their messages are another rekey; this is the first. */
export async function rekey(
  deps: OperationDeps,
  caller: Caller,
  groupUri: string,
  options: RekeyOptions = {},
): Promise<RekeyRecord> {
  const { actor } = caller;
  requireUri(groupUri, "group", "BAD_GROUP");
  requireGmkOptions(deps, groupUri, options);
  const { sharedWith = [], ...rest } = options;
  const set = [...new Set([groupUri, ...sharedWith])].sort();
  const { rekeys } = await carryOut(deps, async (tx) => {
    const locked = await lockGroups(tx, set);
    for (const uri of set) {
      if (!locked.has(uri)) throw refused("GROUP_UNKNOWN", `${uri}: no such group`);
    }
    await requireManager(tx, caller, set);
    const ids = await replaceGmks(tx, deps, [set], rest, { actor, cause: "on demand" });
    if (ids.length === 0) throw refused("BAD_GROUP", `${set.join(", ")}: no members to give a key to`);
    return { groups: [], rekeys: ids, audit: { actor, action: "rekey", groupUri, detail: { ...options } } };
  });
  return rekeys[0]!;
}

export async function revokeGmk(deps: OperationDeps, caller: Caller, gmkId: number): Promise<RekeyRecord> {
  const { actor } = caller;
  const known = await deps.store.gmkByGmkId(gmkId);
  if (known === undefined) throw refused("GMK_UNKNOWN", `${gmkId}: no GMK with this GMK-ID`);
  const { rekeys } = await carryOut(deps, async (tx) => {
    await lockGroups(tx, known.groups);
    const gmk = (await tx.gmk(known.id))!;
    await requireManager(tx, caller, gmk.groups);
    if (gmk.state === "revoked") throw refused("GMK_REVOKED", `${gmkId}: revoked already`);
    const ids = await revokeGmks(tx, deps, [gmk], { actor, cause: "on demand" });
    const audit = { actor, action: "gmk-revoke", groupUri: gmk.groups[0]!, detail: { gmkId } };
    return { groups: [], rekeys: ids, audit };
  });
  return rekeys[0]!;
}

export async function rekeyStatus({ store }: OperationDeps, id: number): Promise<RekeyRecord> {
  const found = Number.isSafeInteger(id) && id > 0 ? await store.rekey(id) : undefined;
  if (found === undefined) throw refused("REKEY_UNKNOWN", `${id}: no such rekey`);
  return found;
}
