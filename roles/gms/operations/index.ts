/** The operations of a GMS on its store. */
import type { ClockReset } from "../../../store/gms/clock.ts";
import type { Caller } from "../common/caller.ts";
import { refused } from "../common/errors.ts";
import type { GmsAdmin, KmsRefresh } from "../common/ports.ts";
import { isUri, requireUri } from "../common/uri.ts";
import { type OperationDeps, requireOperator } from "./deps.ts";
import { changeGroup, createGroup, deleteGroup, replaceGroup } from "./groups.ts";
import { loseUser, lostUser } from "./lost.ts";
import { addMembers, removeMembers, setPriority } from "./members.ts";
import { rekey, rekeyStatus, revokeGmk } from "./rekeys.ts";

export type { OperationDeps } from "./deps.ts";

export function createOperations(deps: OperationDeps): GmsAdmin {
  const { store } = deps;

  /** Returns the list of a group that exists. */
  async function ofGroup<T>(uri: string, list: () => Promise<T[]>): Promise<T[]> {
    requireUri(uri, "group", "GROUP_UNKNOWN");
    const found = await list();
    if (found.length > 0 || (await store.group(uri)) !== undefined) return found;
    throw refused("GROUP_UNKNOWN", `${uri}: no such group`);
  }

  return {
    traced: (traceparent) => createOperations({ ...deps, traceparent }),
    createGroup: (caller, group) => createGroup(deps, caller, group),
    group: async (uri) => (isUri(uri) ? store.group(uri) : undefined),
    groups: (page) => store.groups(bounded(page)),
    members: (uri, page) => ofGroup(uri, () => store.members(uri, bounded(page))),
    changeGroup: (...asked) => changeGroup(deps, ...asked),
    replaceGroup: (...asked) => replaceGroup(deps, ...asked),
    deleteGroup: (...asked) => deleteGroup(deps, ...asked),
    addMembers: (...asked) => addMembers(deps, ...asked),
    removeMembers: (...asked) => removeMembers(deps, ...asked),
    setPriority: (...asked) => setPriority(deps, ...asked),
    loseUser: (...asked) => loseUser(deps, ...asked),
    lostUser: (uri) => lostUser(deps, uri),
    gmks: (uri) => ofGroup(uri, () => store.gmks(uri)),
    rekey: (...asked) => rekey(deps, ...asked),
    revokeGmk: (...asked) => revokeGmk(deps, ...asked),
    rekeys: (query) => store.rekeys(bounded(query)),
    rekeyStatus: (id) => rekeyStatus(deps, id),
    async deliveries(id, query) {
      await rekeyStatus(deps, id);
      return store.deliveries(id, bounded(query));
    },
    auditLog: (query) => store.auditLog(bounded(query)),
    resetClock: (caller) => resetClock(deps, caller),
    refreshKms: (caller) => refreshKms(deps, caller),
  };
}

const MOST = 1000;

function bounded<Q extends { readonly limit: number }>(query: Q): Q {
  return { ...query, limit: Math.min(Math.max(Math.trunc(query.limit), 1), MOST) };
}

/**
 * Lets T continue from the database's clock. This needs the host's clock and the database's to agree: otherwise the
 * database's may be the wrong one now, and T right.
 *
 * @throws MikeySakkeError transport `CLOCK_OFF`; usage `FORBIDDEN`
 */
async function resetClock(
  { store, keys, clock, now }: Pick<OperationDeps, "store" | "keys" | "clock" | "now">,
  caller: Caller,
): Promise<ClockReset> {
  requireOperator(caller);
  clock.requireRight();
  const reset = await store.resetClock(keys.current().initiator.uri);
  const detail = { ahead: reset.ahead, groups: reset.groups.slice(0, 100) };
  await store.audit([{ at: now(), actor: caller.actor, action: "clock-reset", outcome: "ok", detail }]);
  return reset;
}

/** Asks the KMS at once, so that a change of the permitted partner KMSs takes effect (TS 33.180 5.3.1). */
async function refreshKms(
  { store, keys, now }: Pick<OperationDeps, "store" | "keys" | "now">,
  caller: Caller,
): Promise<KmsRefresh> {
  requireOperator(caller);
  await keys.refresh();
  const kmsUris = [...new Set(keys.current().domains.map(({ kmsUri }) => kmsUri))].sort();
  await store.audit([
    { at: now(), actor: caller.actor, action: "kms-refresh", outcome: "ok", detail: { kmsUris } },
  ]);
  return { kmsUris };
}
