/** Entity tags of XCAP documents (RFC 4825 7.11), without their quotes, as xcap-diff documents have them (RFC 5874 3.3). */
import { hash } from "node:crypto";

/** Entity tag of a GKTP document without entries. */
export const EMPTY_GKTP_ETAG = "0";

const DIGITS = 32;

/** Returns what a message adds to an entity tag. */
export function messageDigest(octets: Uint8Array): string {
  return hash("sha256", octets, "hex").slice(0, DIGITS);
}

export interface TaggedEntry {
  readonly rekey: number;
  /** `messageDigest` of the message. */
  readonly digest: string;
}

/**
 * The first 32 hex digits of SHA-256 over the digests of the messages, in order of the rekeys. Of content, not of numbers:
 * these go back with a database that is restored from a backup.
 */
export function gktpEtag(entries: readonly TaggedEntry[]): string {
  if (entries.length === 0) return EMPTY_GKTP_ETAG;
  const sorted = [...entries].sort((a, b) => a.rekey - b.rekey);
  const text = sorted.map(({ digest }) => digest).join(",");
  return hash("sha256", text, "hex").slice(0, DIGITS);
}

/** Entity tag of a GKTP document with these messages. */
export function gktpEtagOf(
  records: readonly { readonly rekey: number; readonly octets: Uint8Array }[],
): string {
  return gktpEtag(records.map(({ rekey, octets }) => ({ rekey, digest: messageDigest(octets) })));
}

/** The revision of the group. */
export function groupEtag(revision: number): string {
  return String(revision);
}
