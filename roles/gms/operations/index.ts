/** The operations of a GMS on its store. */
import { refused } from "../common/errors.ts";
import type { GmsAdmin } from "../common/ports.ts";
import { isUri, requireUri } from "../common/uri.ts";
import { resetClock } from "./clock.ts";
import type { OperationDeps } from "./deps.ts";
import { changeGroup, createGroup, deleteGroup, replaceGroup } from "./groups.ts";
import { refreshKms } from "./kms.ts";
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
