/** The documents that a subscription is about, as its member may read them now (RFC 5875 4.7). */
import type { GktpRecord } from "../../../store/gms/records.ts";
import { groupEtag } from "../common/etags.ts";
import { documentSel, type Entry } from "./subscribed.ts";

/** The documents that one member may read. */
export interface MemberView {
  /** Revisions of the groups that it is a member of. */
  readonly groups: ReadonlyMap<string, number>;
  /** Its messages, in order of the rekeys. */
  readonly gktp: readonly GktpRecord[];
}

export type ReadableDocument =
  | { readonly kind: "group"; readonly etag: string }
  | { readonly kind: "gktp"; readonly records: readonly GktpRecord[] };

/**
 * By `sel`. What does not exist or may not be read is not there. A former member may still read that a key is
 * revoked, which is all that is left of its messages (5.7.2.x).
 */
export function readableDocuments(
  entries: readonly Entry[],
  { groups, gktp }: MemberView,
): Map<string, ReadableDocument> {
  const documents = new Map<string, ReadableDocument>();
  const named = new Set<string>();
  const add = (entry: Entry, group: string) => {
    // Once, also where both a document and its collection are listed.
    const name = `${isOfGroup(entry)} ${group}`;
    if (named.has(name)) return;
    named.add(name);
    const revision = groups.get(group);
    const sel = documentSel(entry, group);
    if (isOfGroup(entry)) {
      if (revision !== undefined) documents.set(sel, { kind: "group", etag: groupEtag(revision) });
      return;
    }
    const records = gktp.filter((record) => record.groups.includes(group));
    if (revision !== undefined || records.length > 0) documents.set(sel, { kind: "gktp", records });
  };
  const all = new Set([...groups.keys(), ...gktp.flatMap((record) => record.groups)]);
  // As it was spelled comes before as this server would write it.
  for (const entry of entries) if ("group" in entry) add(entry, entry.group);
  for (const entry of entries) {
    if ("group" in entry) continue;
    if (entry.kind !== "gktp") for (const group of all) add(entry, group);
    else if (mayRead({ groups, gktp })) documents.set(entry.sel, { kind: "gktp", records: gktp });
  }
  return documents;
}

function isOfGroup({ kind }: Entry): boolean {
  return kind === "group" || kind === "groups";
}

/** Returns whether there is anything for the member: a group, or a message. */
export function mayRead({ groups, gktp }: MemberView): boolean {
  return groups.size > 0 || gktp.length > 0;
}

/** Returns whether a document is one of those that the entries name. */
export function covers(entries: readonly Entry[], sel: string): boolean {
  const isCollection = ({ kind }: Entry) => kind === "groups" || kind === "gktp-groups";
  return entries.some((entry) => (isCollection(entry) ? sel.startsWith(entry.sel) : sel === entry.sel));
}
