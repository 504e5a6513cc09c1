/** The content of a NOTIFY: from what a subscriber was told last to what is there now (RFC 5874, RFC 5875 4.7). */

import { utf8 } from "../../../base/bytes.ts";
import {
  type GktpPatch,
  MEDIA,
  writeMultipart,
  writeXcapDiff,
  type XcapDiffDocument,
} from "../../../documents/group-xml/index.ts";
import type { GktpRecord } from "../../../store/gms/records.ts";
import type { StateContent } from "../../../transport/sip/index.ts";
import { EMPTY_GKTP_ETAG, gktpEtag, gktpEtagOf, messageDigest, type TaggedEntry } from "../common/etags.ts";
import type { ReadableDocument } from "./documents.ts";

/** A document in the version that the subscriber was told last. */
export interface ToldDocument {
  readonly etag: string;
  /** Entries of a patched document, in the order of the patches. */
  readonly entries?: readonly TaggedEntry[];
}

export interface ComposeInput {
  readonly documents: ReadonlyMap<string, ReadableDocument>;
  /** By `sel`. */
  readonly told: ReadonlyMap<string, ToldDocument>;
  /** Patches of documents; otherwise entity tags alone. */
  readonly patching: boolean;
  /** Whether the subscriber has what it was told is not known: patches begin with the empty document. */
  readonly unsure: boolean;
  /** Rekeys whose messages this NOTIFY brings. */
  readonly chosen: ReadonlySet<number>;
}

export interface Composed {
  readonly documents: readonly XcapDiffDocument[];
  /** The documents that the subscriber has been told once it has taken the NOTIFY. */
  readonly told: ReadonlyMap<string, ToldDocument>;
}

export function compose(input: ComposeInput): Composed {
  const documents: XcapDiffDocument[] = [];
  const told = new Map<string, ToldDocument>();
  for (const [sel, document] of input.documents) {
    const before = input.told.get(sel);
    const patched = input.patching && document.kind === "gktp";
    const next = patched ? patch(sel, document.records, before, input) : tag(sel, document, before);
    if (next.document !== undefined) documents.push(next.document);
    told.set(sel, next.told);
  }
  for (const [sel, { etag }] of input.told) {
    // RFC 5874 3.3: with the previous tag alone, the document is gone.
    if (!input.documents.has(sel)) documents.push({ sel, previousEtag: etag });
  }
  return { documents, told };
}

interface Step {
  readonly document?: XcapDiffDocument;
  readonly told: ToldDocument;
}

function tag(sel: string, document: ReadableDocument, before: ToldDocument | undefined): Step {
  const etag = document.kind === "group" ? document.etag : gktpEtagOf(document.records);
  const told = { etag };
  if (before === undefined) return { document: { sel, newEtag: etag }, told };
  return before.etag === etag
    ? { told: before }
    : { document: { sel, newEtag: etag, previousEtag: before.etag }, told };
}

/**
 * The version that the subscriber gets is of what it has taken, and what this NOTIFY brings: entries that it refused are
 * not in it, nor those that are to follow.
 */
function patch(
  sel: string,
  records: readonly GktpRecord[],
  before: ToldDocument | undefined,
  { unsure, chosen }: ComposeInput,
): Step {
  const had = before?.entries ?? [];
  const kept = had.filter(({ rekey }) => records.some((record) => record.rekey === rekey));
  const added = records.filter(({ rekey }) => chosen.has(rekey) && !had.some((e) => e.rekey === rekey));
  // The order of the document is that of the rekeys: what belongs between others cannot be appended.
  const newest = Math.max(0, ...kept.map(({ rekey }) => rekey));
  const anew = before === undefined || unsure || added.some(({ rekey }) => rekey < newest);
  const version = records.filter(
    (record) => kept.some((e) => e.rekey === record.rekey) || added.includes(record),
  );
  const entries = version.map(({ rekey, octets }) => ({ rekey, digest: messageDigest(octets) }));
  const etag = gktpEtag(entries);
  const told = { etag, entries };
  if (before?.etag === etag && added.length === 0) return { told: before };
  if (anew) {
    if (version.length === 0) return { document: { sel, newEtag: etag }, told };
    const patches = version.map((record): GktpPatch => ({ add: entryOf(record) }));
    return { document: { sel, newEtag: etag, previousEtag: EMPTY_GKTP_ETAG, patches }, told };
  }
  const patches = [...removals(had, kept), ...added.map((record): GktpPatch => ({ add: entryOf(record) }))];
  return { document: { sel, newEtag: etag, previousEtag: before.etag, patches }, told };
}

/** From the end, so that the positions before stay what they are. */
function removals(had: readonly TaggedEntry[], kept: readonly TaggedEntry[]): GktpPatch[] {
  const gone = had.flatMap((entry, i) => (kept.includes(entry) ? [] : [i + 1]));
  return gone.reverse().map((position) => ({ remove: position }));
}

function entryOf({ memberUri, activation, octets }: GktpRecord) {
  return { id: memberUri, activationTime: activation, octets };
}

/** `messages` go beside the diff, for subscribers that do not take patches. */
export function contentOf(
  xcapRoot: string,
  documents: readonly XcapDiffDocument[],
  messages: readonly GktpRecord[],
): StateContent {
  const diff = utf8(writeXcapDiff({ xcapRoot, documents }));
  if (messages.length === 0) return { contentType: MEDIA.xcapDiff, body: diff };
  return writeMultipart([
    { contentType: MEDIA.xcapDiff, body: diff },
    ...messages.map(({ octets }) => ({ contentType: MEDIA.mikey, body: octets })),
  ]);
}
