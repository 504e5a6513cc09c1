/** Rights to read and change documents. A group that a user may not see does not exist for them. */

import type { GktpRecord, GroupRecord } from "../../../store/gms/records.ts";
import { isSameUri } from "../../../transport/sip/index.ts";
import type { Exchange, XcapContext } from "./exchange.ts";
import { XcapRefusal } from "./xcap-refusal.ts";

export interface GroupAccess {
  readonly group: GroupRecord;
  /** Identities of the asking that are members. */
  readonly members: readonly string[];
  /** The identity that may manage the group. */
  readonly manager: string | undefined;
}

/** Undefined when there is no such group. */
export async function groupAccess(
  { identities }: Exchange,
  uri: string,
  { store }: XcapContext,
): Promise<GroupAccess | undefined> {
  const group = await store.group(uri);
  if (group === undefined) return undefined;
  const members: string[] = [];
  for (const identity of identities) {
    if ((await store.isMember(uri, identity)) !== undefined) members.push(identity);
  }
  const manager = identities.find((identity) => group.settings.managers.includes(identity));
  return { group, members, manager };
}

/**
 * Access of a member, of a manager, or of an MCX server that may read all groups: its clients' calls need to know the
 * members, of groups too whose key it does not get.
 *
 * @throws {XcapRefusal} NOT_FOUND
 */
export async function visibleGroup(
  exchange: Exchange,
  uri: string,
  context: XcapContext,
): Promise<GroupAccess> {
  const access = await groupAccess(exchange, uri, context);
  const { groupReaders } = context.config;
  const isReader = exchange.identities.some((identity) => groupReaders.includes(identity));
  if (access === undefined || (access.members.length === 0 && access.manager === undefined && !isReader)) {
    throw new XcapRefusal("NOT_FOUND", { detail: access === undefined ? "no such group" : "not a member" });
  }
  return access;
}

/** Keys of one of the asking's own identities, or of all of them for one group. */
export type KeyPath =
  | { readonly kind: "gktp-user"; readonly xui: string }
  | { readonly kind: "gktp-group"; readonly group: string };

/**
 * The messages of a GKTP document, in order of the rekeys: never those of anybody else.
 *
 * @throws {XcapRefusal} WRONG_IDENTITY for another's document, NOT_FOUND
 */
export async function ownMessages(
  exchange: Exchange,
  path: KeyPath,
  context: XcapContext,
): Promise<GktpRecord[]> {
  const { store } = context;
  if (path.kind === "gktp-user") {
    const own = requireOwn(exchange, path.xui);
    const records = await store.gktpOf(own);
    if (records.length === 0 && (await store.groupsOf(own)).length === 0) {
      throw new XcapRefusal("NOT_FOUND", { detail: "not a member of any group" });
    }
    return records;
  }
  const access = await groupAccess(exchange, path.group, context);
  if (access === undefined || access.members.length === 0) {
    throw new XcapRefusal("NOT_FOUND", { detail: access === undefined ? "no such group" : "not a member" });
  }
  const records: GktpRecord[] = [];
  for (const member of access.members) records.push(...(await store.gktpOf(member, path.group)));
  return records.sort((a, b) => a.rekey - b.rekey);
}

/**
 * The identity of the asking that the XUI is.
 *
 * @throws {XcapRefusal} WRONG_IDENTITY
 */
export function requireOwn({ identities }: Exchange, xui: string): string {
  const own = identities.find((identity) => isSameUri(identity, xui));
  if (own === undefined) throw new XcapRefusal("WRONG_IDENTITY", { detail: `XUI ${xui}` });
  return own;
}
