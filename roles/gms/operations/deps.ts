import { defined } from "../../../base/defined.ts";
import { traceIdOf } from "../../../base/traceparent.ts";
import type { GmsStore } from "../../../store/gms/gms-store.ts";
import type { GmsTransaction } from "../../../store/gms/gms-transaction.ts";
import type { GmsAuditEntry, GroupRecord, RekeyRecord } from "../../../store/gms/records.ts";
import type { Caller } from "../common/caller.ts";
import { refused } from "../common/errors.ts";
import type { GmsLog } from "../common/log.ts";
import type { GmsMetrics } from "../common/metrics.ts";
import type { GmsEvents } from "../common/ports.ts";
import { logPlanned } from "../common/rekey-log.ts";
import { requireUri } from "../common/uri.ts";
import type { PlanDeps } from "../planner/deps.ts";
import { liveOf, lockGroups } from "../planner/replace.ts";

export interface OperationDeps extends PlanDeps {
  readonly store: GmsStore;
  readonly log: GmsLog;
  readonly metrics: GmsMetrics;
  readonly tell: GmsEvents;
  /** Messages were planned: there is something to seal. */
  readonly planned: () => void;
}

/** The effects of a transaction, told to the rest of the process after the commit. */
export interface Done {
  /** Groups whose documents, or whose members, are others now. */
  readonly groups: readonly string[];
  readonly rekeys: readonly number[];
  readonly audit: Omit<GmsAuditEntry, "at" | "outcome">;
}

/** One change with the rekeys that it causes and its entry in the audit log: all of it, or nothing. */
export async function carryOut<T extends Done>(
  deps: OperationDeps,
  work: (tx: GmsTransaction) => Promise<T>,
): Promise<{ done: T; rekeys: RekeyRecord[] }> {
  const { store, now } = deps;
  const traceId = traceIdOf(deps.traceparent);
  const done = await store.change(async (tx) => {
    const result = await work(tx);
    const { detail, ...audit } = result.audit;
    const facts = traceId === undefined ? detail : { ...detail, traceId };
    await tx.audit([{ at: now(), outcome: "ok", ...audit, ...defined({ detail: facts }) }]);
    return result;
  });
  return { done, rekeys: await announce(deps, done) };
}

export async function announce(
  { store, log, metrics, tell, planned }: OperationDeps,
  { groups, rekeys }: Pick<Done, "groups" | "rekeys">,
): Promise<RekeyRecord[]> {
  if (rekeys.length > 0) planned();
  if (groups.length > 0) tell.groupsChanged(groups);
  const records: RekeyRecord[] = [];
  for (const id of rekeys) {
    const record = await store.rekey(id);
    if (record === undefined) continue;
    metrics.rekeyed(record.kind, record.total);
    logPlanned(log, record);
    tell.rekeyProgress(id);
    records.push(record);
  }
  return records;
}

/**
 * Locks a group and those that share GMKs with it.
 *
 * @throws MikeySakkeError usage `GROUP_UNKNOWN`, `GROUP_CHANGED`, `FORBIDDEN`
 */
export async function lockGroup(
  tx: GmsTransaction,
  caller: Caller,
  uri: string,
  ifRevision?: number,
): Promise<GroupRecord> {
  requireUri(uri, "group", "GROUP_UNKNOWN");
  const group = (await lockGroups(tx, [uri])).get(uri);
  if (group === undefined) throw refused("GROUP_UNKNOWN", `${uri}: no such group`);
  if (ifRevision !== undefined && ifRevision !== group.revision) {
    throw refused("GROUP_CHANGED", `${uri}: revision ${group.revision}, not ${ifRevision}`);
  }
  await requireManager(tx, caller, [uri]);
  return group;
}

/**
 * Requires of a manager that one of their identities manages each of these groups, which are locked.
 *
 * @throws MikeySakkeError usage `FORBIDDEN`, which does not tell what exists
 */
export async function requireManager(
  tx: GmsTransaction,
  caller: Caller,
  uris: readonly string[],
): Promise<void> {
  if (caller.kind === "operator") return;
  const { identities } = caller;
  for (const uri of uris) {
    const group = await tx.lockGroup(uri);
    if (group?.settings.managers.some((manager) => identities.includes(manager))) continue;
    throw refused("FORBIDDEN", "for managers of the groups concerned");
  }
}

/** @throws MikeySakkeError usage `FORBIDDEN` */
export function requireOperator(caller: Caller): void {
  if (caller.kind !== "operator") throw refused("FORBIDDEN", "for the operator");
}

/**
 * Requires an operator, or a user who may make groups.
 *
 * @throws MikeySakkeError usage `FORBIDDEN`
 */
export function requireCreator({ config }: Pick<OperationDeps, "config">, caller: Caller): void {
  if (caller.kind === "operator") return;
  if (caller.identities.some((identity) => config.groupCreators.includes(identity))) return;
  throw refused("FORBIDDEN", "for the operator and those who may make groups");
}

/** Other groups that hold a live GMK of this one. */
export async function sharingWith(tx: GmsTransaction, uri: string): Promise<string[]> {
  const others = new Set(liveOf(await tx.gmks(uri)).flatMap(({ groups }) => groups));
  others.delete(uri);
  return [...others].sort();
}
