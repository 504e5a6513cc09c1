/** Groups as wholes: made, changed, put, deleted. */

import { defined } from "../../../base/defined.ts";
import { lookAlikeWarnings } from "../../../documents/group-xml/index.ts";
import type { GmsTransaction } from "../../../store/gms/gms-transaction.ts";
import type { GmkRecord, GroupSettings } from "../../../store/gms/records.ts";
import type { Caller } from "../common/caller.ts";
import type { Changed, NewGroup, SettingsChange } from "../common/ports.ts";
import { requireServiceId } from "../common/uri.ts";
import type { PlanDeps, Why } from "../planner/deps.ts";
import { distributeAgain } from "../planner/messages.ts";
import { liveOf, replaceGmks, reschedule, withdraw, worthRevoking } from "../planner/replace.ts";
import { membersOf, requireRoom, settingsOf } from "./checks.ts";
import {
  carryOut,
  lockGroup,
  type OperationDeps,
  requireCreator,
  requireManager,
  sharingWith,
} from "./deps.ts";
import { changeMembers, endHeld, forget, warned } from "./members.ts";

export async function createGroup(deps: OperationDeps, caller: Caller, group: NewGroup): Promise<Changed> {
  requireCreator(deps, caller);
  const { actor } = caller;
  const { uri } = group;
  requireServiceId(uri, "group", "BAD_GROUP");
  const settings = settingsOf(uri, group.settings);
  const members = await membersOf(deps, group.members);
  requireRoom(deps, uri, members.length);
  const why = { actor, cause: "group created" };
  const { done, rekeys } = await carryOut(deps, async (tx) => {
    const made = await tx.insertGroup(uri, settings, deps.now());
    await tx.insertMembers(uri, members, deps.now());
    const ids = await replaceGmks(tx, deps, [[uri]], {}, why);
    const audit = { actor, action: "group-create", groupUri: uri, detail: { members: members.length } };
    return { group: made, groups: [uri], rekeys: ids, audit };
  });
  const uris = members.map((member) => member.uri);
  const warnings = [...(await likeOtherGroups(deps, uri)), ...lookAlikeWarnings(uris, [])];
  return { group: done.group, rekeys, ...warned(warnings) };
}

const PAGE = 1000;

async function likeOtherGroups({ store }: OperationDeps, uri: string): Promise<string[]> {
  for (let after: string | undefined; ; ) {
    const page = await store.groups({ limit: PAGE, ...defined({ after }) });
    const others = page.map((group) => group.uri).filter((other) => other !== uri);
    const warnings = lookAlikeWarnings([uri], others);
    if (warnings.length > 0 || page.length < PAGE) return warnings;
    after = page.at(-1)!.uri;
  }
}

export async function changeGroup(
  deps: OperationDeps,
  caller: Caller,
  uri: string,
  changes: Partial<GroupSettings>,
  ifRevision?: number,
): Promise<Changed> {
  const { done, rekeys } = await carryOut(deps, async (tx) => {
    const present = await lockGroup(tx, caller, uri, ifRevision);
    await requireScheduler(tx, caller, uri, changes);
    const group = await tx.updateGroup(uri, { settings: settingsOf(uri, changes, present.settings) });
    await reschedule(tx, deps, [uri]);
    const detail = { changed: Object.keys(changes) };
    const audit = { actor: caller.actor, action: "group-change", groupUri: uri, detail };
    return { group, groups: [uri], rekeys: [], audit };
  });
  return { group: done.group, rekeys };
}

/**
 * Requires a manager of all groups that share a GMK where its times change: the times of a group are those of its GMKs.
 */
async function requireScheduler(
  tx: GmsTransaction,
  caller: Caller,
  uri: string,
  { rekeyEveryMs, gmkLifetimeMs }: SettingsChange,
): Promise<void> {
  if (rekeyEveryMs === undefined && gmkLifetimeMs === undefined) return;
  await requireManager(tx, caller, await sharingWith(tx, uri));
}

/** Servers among the members stay unless they are named: a group document does not list them. */
export async function replaceGroup(
  deps: OperationDeps,
  caller: Caller,
  { uri, members, settings = {} }: NewGroup,
  ifRevision?: number,
): Promise<Changed> {
  const wanted = await membersOf(deps, members);
  const { done, rekeys } = await carryOut(deps, async (tx) => {
    const present = await lockGroup(tx, caller, uri, ifRevision);
    await requireScheduler(tx, caller, uri, settings);
    const names = new Set(wanted.map((member) => member.uri));
    const before = await tx.members([uri]);
    const there = new Set(before.map((member) => member.uri));
    const gone = before.filter((member) => member.kind === "user" && !names.has(member.uri));
    const added = wanted.filter((member) => !there.has(member.uri));
    await tx.describeMembers(
      uri,
      wanted.filter((member) => there.has(member.uri)),
    );
    const group = await tx.updateGroup(uri, { settings: settingsOf(uri, settings, present.settings) });
    const change = { group, added, removed: gone.map((member) => member.uri) };
    const ids = await changeMembers(tx, deps, caller, change, "group replaced");
    await reschedule(tx, deps, [uri]);
    const detail = { added: added.length, removed: gone.length };
    return {
      group,
      groups: [uri],
      rekeys: ids,
      audit: { actor: caller.actor, action: "group-replace", groupUri: uri, detail },
      warnings: lookAlikeWarnings(
        added.map((member) => member.uri),
        before.map((member) => member.uri),
      ),
    };
  });
  return { group: done.group, rekeys, ...warned(done.warnings) };
}

/**
 * GMKs that are the group's alone are revoked. Groups that shared one with it get another, and members of none of them
 * loses what was not delivered.
 */
export async function deleteGroup(
  deps: OperationDeps,
  caller: Caller,
  uri: string,
  ifRevision?: number,
): Promise<void> {
  const { actor } = caller;
  const why = { actor, cause: "group deleted" };
  await carryOut(deps, async (tx) => {
    await lockGroup(tx, caller, uri, ifRevision);
    const gmks = await tx.gmks(uri);
    const members = (await tx.members([uri])).map((member) => member.uri);
    const isOwn = ({ groups }: GmkRecord) => groups.length === 1;
    const own = worthRevoking(gmks.filter(isOwn), deps.now());
    const rekeys = await revokeGmks(tx, deps, own, why);
    const shared = gmks.filter((gmk) => !isOwn(gmk) && gmk.state !== "revoked");
    const sets = new Map(
      liveOf(shared).map(({ groups }) => [JSON.stringify(groups), groups.filter((group) => group !== uri)]),
    );
    await withdraw(tx, deps, liveOf(shared), "retired");
    await tx.deleteGroup(uri);
    await forget(tx, shared, members);
    await endHeld(tx, deps, shared, members, why);
    // One message for each member and GMK: what is not among the newest is revoked in transactions of its own.
    const older = gmks.filter((gmk) => isOwn(gmk) && gmk.state !== "revoked" && !own.includes(gmk));
    await tx.revokeAt(
      older.filter(({ expiry }) => expiry === undefined || expiry > deps.now()).map(({ id }) => id),
      deps.now(),
      { actor, traceparent: deps.traceparent },
    );
    if (sets.size > 0) rekeys.push(...(await replaceGmks(tx, deps, [...sets.values()], {}, why)));
    return { groups: [uri], rekeys, audit: { actor, action: "group-delete", groupUri: uri } };
  });
}

/**
 * Status "revoked" for all who may have the GMK, members or not: a removed member who holds it must know. The message
 * carries the GMK like any other (5.7.2.x), so who never was handed one gets none.
 */
export async function revokeGmks(
  tx: GmsTransaction,
  deps: PlanDeps,
  gmks: readonly GmkRecord[],
  why: Why,
): Promise<number[]> {
  await withdraw(tx, deps, gmks, "revoked");
  const rekeys: number[] = [];
  for (const gmk of gmks) {
    const present = new Map((await tx.members(gmk.groups)).map((member) => [member.uri, member]));
    const recipients = await tx.recipients(gmk.id);
    // Its receivers are unknown once its rekeys were purged: then every member may have it.
    const served = recipients.length === 0 ? [...present.values()] : await tx.served(gmk.id);
    // Whose KMS has changed since gets it for the keys of now.
    const members = served.map((then) => present.get(then.uri) ?? then);
    if (members.length > 0) rekeys.push(...(await distributeAgain(tx, deps, "revoke", gmk, members, why)));
  }
  return rekeys;
}
