/** Entity tags of XCAP documents (RFC 4825 7.11), without their quotes, as xcap-diff documents have them (RFC 5874 3.3). */
import { createHash } from "node:crypto";
import type { RekeyKind } from "../../store/gms/records.ts";

/** Of a GKTP document without entries. */
export const EMPTY_GKTP_ETAG = "0";

/** The first 32 hex digits of SHA-256 over the entries, in order of the rekeys, as "rekey kind" with "," between them. */
export function gktpEtag(entries: readonly { readonly rekey: number; readonly kind: RekeyKind }[]): string {
  if (entries.length === 0) return EMPTY_GKTP_ETAG;
  const sorted = [...entries].sort((a, b) => a.rekey - b.rekey);
  const text = sorted.map(({ rekey, kind }) => `${rekey} ${kind}`).join(",");
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

/** The revision of the group. */
export function groupEtag(revision: number): string {
  return String(revision);
}
