/** Members of a group, and what a change of members does to the GMKs. */

import { defined } from "../../../base/defined.ts";
import { lookAlikeWarnings } from "../../../documents/group-xml/index.ts";
import type { GmsTransaction } from "../../../store/gms/gms-transaction.ts";
import type { GmkRecord, GroupRecord, MemberRecord } from "../../../store/gms/records.ts";
import type { Caller } from "../common/caller.ts";
import { isError, refused } from "../common/errors.ts";
import type { Changed, NewMember } from "../common/ports.ts";
import { requireUri } from "../common/uri.ts";
import type { PlanDeps, Why } from "../planner/deps.ts";
import { distributeAgain } from "../planner/messages.ts";
import { liveOf, replaceGmks, sharingOf } from "../planner/replace.ts";
import { membersOf, requireRoom } from "./checks.ts";
import { carryOut, lockGroup, type OperationDeps, requireManager, sharingWith } from "./deps.ts";

export async function addMembers(
  deps: OperationDeps,
  caller: Caller,
  groupUri: string,
  members: readonly NewMember[],
): Promise<Changed> {
  const added = await membersOf(deps, members);
  if (added.length === 0) throw refused("BAD_MEMBER", `${groupUri}: no members to add`);
  const { done, rekeys } = await carryOut(deps, async (tx) => {
    await lockGroup(tx, caller, groupUri);
    const before = await tx.members([groupUri]);
    const group = await tx.updateGroup(groupUri, {});
    const ids = await changeMembers(tx, deps, caller, { group, added, removed: [] }, "member added");
    const audit = { actor: caller.actor, action: "member-add", groupUri, detail: urisOf(added) };
    const warnings = lookAlikeWarnings(
      added.map(({ uri }) => uri),
      before.map(({ uri }) => uri),
    );
    return { group, groups: [groupUri], rekeys: ids, audit, warnings };
  });
  return { group: done.group, rekeys, ...warned(done.warnings) };
}

export async function removeMembers(
  deps: OperationDeps,
  caller: Caller,
  groupUri: string,
  uris: readonly string[],
): Promise<Changed> {
  const removed = [...new Set(uris)];
  if (removed.length === 0) throw refused("BAD_MEMBER", `${groupUri}: no members to remove`);
  for (const uri of removed) requireUri(uri, "member", "MEMBER_UNKNOWN");
  const { done, rekeys } = await carryOut(deps, async (tx) => {
    await lockGroup(tx, caller, groupUri);
    const group = await tx.updateGroup(groupUri, {});
    const ids = await changeMembers(tx, deps, caller, { group, added: [], removed }, "member removed");
    const audit = {
      actor: caller.actor,
      action: "member-remove",
      groupUri,
      detail: urisOf(removed.map((uri) => ({ uri }))),
    };
    return { group, groups: [groupUri], rekeys: ids, audit };
  });
  return { group: done.group, rekeys };
}

/** Changes what group documents say of a member. No member gets a message. */
export async function setPriority(
  deps: OperationDeps,
  caller: Caller,
  groupUri: string,
  uri: string,
  priority: number | undefined,
): Promise<Changed> {
  requireUri(uri, "member", "MEMBER_UNKNOWN");
  const { done, rekeys } = await carryOut(deps, async (tx) => {
    await lockGroup(tx, caller, groupUri);
    const member = await tx.member(groupUri, uri);
    if (member === undefined) throw refused("MEMBER_UNKNOWN", `${groupUri}: ${uri} is no member`);
    const { priority: _, ...rest } = member;
    await tx.describeMembers(groupUri, [{ ...rest, ...defined({ priority }) }]);
    const group = await tx.updateGroup(groupUri, {});
    const detail = { member: uri, ...defined({ priority }) };
    return {
      group,
      groups: [groupUri],
      rekeys: [],
      audit: { actor: caller.actor, action: "member-priority", groupUri, detail },
    };
  });
  return { group: done.group, rekeys };
}

interface MemberChange {
  readonly group: GroupRecord;
  readonly added: readonly MemberRecord[];
  readonly removed: readonly string[];
}

/**
 * If nobody is removed, new members get the live GMKs, unless the group wants a new one, or a GUK-ID is taken. A
 * removal makes new GMKs for the sets of groups that shared one, and members who are no longer in any of these groups lose
 * at once what was not delivered.
 *
 * A new member also gets GMKs that other groups use, so the caller must manage these too. Removing a member takes
 * nothing from the other groups: they get a new GMK, as after any removal.
 *
 * @throws MikeySakkeError usage `MEMBER_EXISTS`, `MEMBER_UNKNOWN`, `FORBIDDEN`, `BAD_GROUP`: too many members
 */
export async function changeMembers(
  tx: GmsTransaction,
  deps: OperationDeps,
  caller: Caller,
  { group, added, removed }: MemberChange,
  cause: string,
): Promise<number[]> {
  const why = { actor: caller.actor, cause };
  const { uri, settings } = group;
  if (added.length > 0) await requireManager(tx, caller, await sharingWith(tx, uri));
  const gone = await tx.deleteMembers(uri, removed);
  if (gone !== removed.length) {
    throw refused("MEMBER_UNKNOWN", `${uri}: ${removed.length - gone} of those to be removed are no members`);
  }
  await tx.insertMembers(uri, added, deps.now());
  requireRoom(deps, uri, (await tx.members([uri])).length);
  const gmks = await tx.gmks(uri);
  if (removed.length > 0) {
    await forget(tx, gmks, removed);
    await endHeld(tx, deps, gmks, removed, why);
  }
  if (removed.length === 0 && added.length === 0) return [];
  const live = liveOf(gmks).filter(({ expiry }) => expiry === undefined || expiry > deps.now());
  if (removed.length === 0 && live.length > 0 && !settings.rekeyOnAdd) {
    const rekeys = await giveLive(tx, deps, live, added, why);
    if (rekeys !== undefined) return rekeys;
  }
  return replaceGmks(tx, deps, sharingOf(uri, live), {}, why);
}

/** The live GMKs for members who have none of them yet; undefined when a GUK-ID is taken. */
async function giveLive(
  tx: GmsTransaction,
  deps: PlanDeps,
  live: readonly GmkRecord[],
  added: readonly MemberRecord[],
  why: Why,
): Promise<number[] | undefined> {
  const rekeys: number[] = [];
  for (const gmk of live) {
    const has = new Set((await tx.recipients(gmk.id)).map(({ uri }) => uri));
    const members = added.filter(({ uri }) => !has.has(uri));
    if (members.length === 0) continue;
    try {
      rekeys.push(...(await distributeAgain(tx, deps, "distribute", gmk, members, why)));
    } catch (error) {
      // What was planned before is superseded by the rekey that follows.
      if (isError(error, "GUK_ID_COLLISION")) return undefined;
      throw error;
    }
  }
  return rekeys;
}

/** Ends the delivery of a GMK to those of `uris` who are in none of its groups any more. */
export async function forget(
  tx: GmsTransaction,
  gmks: readonly GmkRecord[],
  uris: readonly string[],
): Promise<void> {
  for (const { ids, gone } of await leavers(tx, gmks, uris)) await tx.forget(gone, ids);
}

/**
 * Every GMK that leavers hold is revoked for all others, once what was sent under it has had time to arrive: whoever
 * holds it could go on speaking in the group. The time is kept in the database, so that no restart forgets it.
 */
export async function endHeld(
  tx: GmsTransaction,
  { config, now, traceparent }: PlanDeps,
  gmks: readonly GmkRecord[],
  uris: readonly string[],
  { actor }: Why,
): Promise<void> {
  const { activationDelay, revokeGrace } = config.policy;
  // Not before the GMK in its place may be used.
  const at = now() + (activationDelay + revokeGrace) * 1000;
  const usable = gmks.filter(
    ({ state, expiry }) => state !== "revoked" && !(expiry !== undefined && expiry <= now()),
  );
  for (const { ids, gone } of await leavers(tx, usable, uris)) {
    const held = await tx.held(gone, ids);
    if (held.length > 0) await tx.revokeAt(held, at, { actor, traceparent });
  }
}

/** GMKs by the set of their groups, with those of `uris` who are in none of these groups. */
async function leavers(
  tx: GmsTransaction,
  gmks: readonly GmkRecord[],
  uris: readonly string[],
): Promise<{ readonly ids: readonly number[]; readonly gone: readonly string[] }[]> {
  const sets = new Map<string, GmkRecord[]>();
  for (const gmk of gmks) {
    const set = JSON.stringify(gmk.groups);
    sets.set(set, [...(sets.get(set) ?? []), gmk]);
  }
  const found = [];
  for (const some of sets.values()) {
    const staying = new Set((await tx.members(some[0]!.groups)).map(({ uri }) => uri));
    const gone = uris.filter((uri) => !staying.has(uri));
    if (gone.length > 0) found.push({ ids: some.map(({ id }) => id), gone });
  }
  return found;
}

/** The warnings of an answer, if there are any. */
export function warned(warnings: readonly string[]): { warnings?: readonly string[] } {
  return warnings.length === 0 ? {} : { warnings: warnings.slice(0, NAMED) };
}

const NAMED = 20;

/** For the audit log: their number, and the first of them. */
function urisOf(members: readonly { readonly uri: string }[]): Record<string, unknown> {
  return { members: members.length, uris: members.slice(0, NAMED).map(({ uri }) => uri) };
}
