/**
 * A user whose radio was lost or stolen: out of all groups, and every GMK that they hold ends for the others. It is all in
 * the database, so that a second call goes on where the first was broken off.
 */
import type { GmkRecord } from "../../../store/gms/records.ts";
import type { Caller } from "../common/caller.ts";
import { isError } from "../common/errors.ts";
import type { LostUser } from "../common/ports.ts";
import { requireUri } from "../common/uri.ts";
import { carryOut, type OperationDeps, requireOperator } from "./deps.ts";
import { endHeld, removeMembers } from "./members.ts";

/** @throws MikeySakkeError usage `BAD_MEMBER`, `FORBIDDEN` */
export async function loseUser(deps: OperationDeps, caller: Caller, userUri: string): Promise<LostUser> {
  requireOperator(caller);
  const { actor } = caller;
  requireUri(userUri, "user", "BAD_MEMBER");
  for (const { uri } of await deps.store.groupsOf(userUri)) {
    try {
      await removeMembers(deps, caller, uri, [userUri]);
    } catch (error) {
      // Somebody else was faster.
      if (!isError(error, "MEMBER_UNKNOWN") && !isError(error, "GROUP_UNKNOWN")) throw error;
    }
  }
  // GMKs of groups that the user left earlier may have no end yet.
  const open = (await heldGmks(deps, userUri)).filter(
    ({ state, revokeAt }) => state !== "revoked" && revokeAt === undefined,
  );
  if (open.length > 0) {
    await carryOut(deps, async (tx) => {
      await endHeld(tx, deps, open, [userUri], { actor, cause: "user lost" });
      const detail = { user: userUri, gmks: open.length };
      return { groups: [], rekeys: [], audit: { actor, action: "user-lost", detail } };
    });
  }
  return lostUser(deps, userUri);
}

/** Returns what is still to happen. @throws MikeySakkeError usage `BAD_MEMBER` */
export async function lostUser(deps: OperationDeps, userUri: string): Promise<LostUser> {
  requireUri(userUri, "user", "BAD_MEMBER");
  const { store } = deps;
  const groups = (await store.groupsOf(userUri)).map(({ uri }) => uri);
  const gmks = await heldGmks(deps, userUri);
  const [withoutKey, unaware] = [new Set<string>(), new Set<string>()];
  for (const group of new Set(gmks.flatMap((gmk) => gmk.groups))) {
    for (const { id, state } of await store.gmks(group)) {
      if (state !== "live") continue;
      for (const { uri } of await store.withoutGmk(id)) withoutKey.add(uri);
    }
  }
  for (const { id, state } of gmks) {
    if (state === "revoked") for (const uri of await store.unawareOfRevocation(id)) unaware.add(uri);
  }
  // The lost radio need not know.
  for (const set of [withoutKey, unaware]) set.delete(userUri);
  const isOver = groups.length === 0 && gmks.every(({ state }) => state === "revoked");
  return {
    user: userUri,
    groups,
    gmks,
    withoutKey: [...withoutKey].sort(),
    unaware: [...unaware].sort(),
    done: isOver && withoutKey.size + unaware.size === 0,
  };
}

/** GMKs that the user holds: not expired, and of no group that the user is still in. */
async function heldGmks({ store, now }: OperationDeps, userUri: string): Promise<GmkRecord[]> {
  const gmks = [];
  const present = new Set((await store.groupsOf(userUri)).map(({ uri }) => uri));
  for (const id of await store.gmksHeldBy(userUri)) {
    const gmk = await store.gmk(id);
    if (gmk === undefined || (gmk.expiry !== undefined && gmk.expiry <= now())) continue;
    if (!gmk.groups.some((uri) => present.has(uri))) gmks.push(gmk);
  }
  return gmks;
}
