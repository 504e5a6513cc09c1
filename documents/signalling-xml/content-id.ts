/** Content-IDs, and the URIs that name parts by them (RFC 2392). */
import { toHex } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import type { RandomSource } from "../../base/random.ts";
import type { Part } from "../group-xml/multipart.ts";

const SCHEME = "cid:";
const RANDOM_BYTES = 16;

/** A Content-ID that no other message has. RFC 2606: nobody owns a name below `invalid`. */
export function drawContentId(random: RandomSource): string {
  return `${toHex(random(RANDOM_BYTES))}@mikey-sakke.invalid`;
}

export function cidUri(contentId: string): string {
  return `${SCHEME}${encodeURIComponent(contentId).replaceAll("%40", "@")}`;
}

export function isCidUri(uri: string): boolean {
  return contentIdOf(uri) !== undefined;
}

/** The Content-ID that a URI names. */
export function contentIdOf(uri: string): string | undefined {
  if (uri.slice(0, SCHEME.length).toLowerCase() !== SCHEME) return undefined;
  const rest = uri.slice(SCHEME.length);
  if (rest === "" || /[\s<>#?]/.test(rest)) return undefined;
  try {
    return decodeURIComponent(rest);
  } catch {
    return undefined;
  }
}

/** @throws {MikeySakkeError} usage `BAD_PART` when two parts have one Content-ID */
export function requireOwnContentIds(parts: readonly Part[]): void {
  const ids = parts.flatMap(({ contentId }) => contentId ?? []);
  if (new Set(ids).size === ids.length && !ids.includes("")) return;
  throw new MikeySakkeError(
    "usage",
    "BAD_PART",
    "signalling XML: two parts with one Content-ID, or an empty one",
  );
}
