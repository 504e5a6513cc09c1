/** The GKTP documents as the GMS last told of them, to which the patches of a NOTIFY apply (RFC 5874, RFC 5875). */
import { MikeySakkeError } from "../../base/errors.ts";
import {
  applyPatches,
  type GktpEntry,
  gktpUserCollection,
  parseXcapPath,
  type XcapDiffDocument,
} from "../../documents/group-xml/index.ts";

/** ETag of a document without entries, which every document begins with. */
const EMPTY = "0";

interface Version {
  readonly etag: string;
  readonly entries: readonly GktpEntry[];
}

/** The content of a NOTIFY for one document. */
export interface DocumentUpdate {
  /** Entries that are new. */
  readonly added: readonly GktpEntry[];
  /** The version it has now; undefined when that cannot be worked out, so that the document must be fetched. */
  readonly version: Version | undefined;
}

export class HeldDocuments {
  /** By `sel`, the last one first. The GMS may go on from a version that was refused, or from the one before. */
  readonly #versions = new Map<string, readonly Version[]>();

  /** Reads what a NOTIFY says of a document that still exists. Nothing is kept until `keep`. */
  updateOf({
    sel,
    newEtag = EMPTY,
    previousEtag,
    bodyNotChanged,
    patches,
  }: XcapDiffDocument): DocumentUpdate {
    const held = this.#versions.get(sel) ?? [];
    const added = patches?.flatMap((patch) => ("add" in patch ? [patch.add] : [])) ?? [];
    if (newEtag === EMPTY) return { added, version: { etag: EMPTY, entries: [] } };
    if (patches === undefined) {
      const same = held.find(({ etag }) => etag === newEtag || (bodyNotChanged && etag === previousEtag));
      return { added, version: same && { etag: newEtag, entries: same.entries } };
    }
    const isAnew = previousEtag === undefined || previousEtag === EMPTY;
    const base = isAnew ? [] : held.find(({ etag }) => etag === previousEtag)?.entries;
    if (base === undefined) return { added, version: undefined };
    try {
      return { added, version: { etag: newEtag, entries: applyPatches(base, patches) } };
    } catch (error) {
      if (!(error instanceof MikeySakkeError)) throw error;
      return { added, version: undefined };
    }
  }

  /** `taken`: whether the NOTIFY was answered with 200, so that the GMS goes on from there. */
  keep(sel: string, version: Version | undefined, taken: boolean): void {
    const before = this.#versions.get(sel)?.[0];
    if (version === undefined) this.#versions.delete(sel);
    else if (taken || before === undefined) this.#versions.set(sel, [version]);
    else this.#versions.set(sel, [before, version]);
  }

  forget(sel: string): void {
    this.#versions.delete(sel);
  }

  /** A new subscription begins with everything. */
  clear(): void {
    this.#versions.clear();
  }
}

export type Located =
  | { readonly kind: "group"; readonly groupUri: string }
  | { readonly kind: "gktp"; readonly path: string };

/** Returns what a `sel` means to this user; undefined for a document to which they have not subscribed. */
export function locate(sel: string, userUri: string): Located | undefined {
  const path = sel.replace(/^\//, "");
  const collection = gktpUserCollection(userUri);
  if (path.startsWith(collection) && /^[^/?#]+$/.test(path.slice(collection.length))) {
    return { kind: "gktp", path };
  }
  try {
    const parsed = parseXcapPath(path);
    if (parsed === undefined || ("node" in parsed && parsed.node !== undefined)) return undefined;
    if (parsed.kind === "group") return { kind: "group", groupUri: parsed.group };
    const isOwn = parsed.kind === "gktp-group" || (parsed.kind === "gktp-user" && parsed.xui === userUri);
    return isOwn ? { kind: "gktp", path } : undefined;
  } catch (error) {
    if (error instanceof MikeySakkeError) return undefined;
    throw error;
  }
}
