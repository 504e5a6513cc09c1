/** Conditional requests (RFC 9110 13). Entity tags are here without their quotes, all of them strong. */
import { defined, ifDefined } from "../../../base/defined.ts";
import { XcapRefusal } from "./xcap-refusal.ts";

/** More of them in one header is no honest request. */
const MAX_TAGS = 64;
const TAGS = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/g;
const LIST = /^\s*(?:(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"\s*(?:,\s*|$))+$/;

interface Tags {
  readonly any: boolean;
  readonly strong: readonly string[];
  readonly weak: readonly string[];
}

export interface Conditions {
  readonly ifMatch?: Tags;
  readonly ifNoneMatch?: Tags;
}

/** @throws {XcapRefusal} BAD_REQUEST */
export function readConditions(ifMatch: string | undefined, ifNoneMatch: string | undefined): Conditions {
  return {
    ...defined({
      ifMatch: ifDefined(ifMatch, readTags, "If-Match"),
      ifNoneMatch: ifDefined(ifNoneMatch, readTags, "If-None-Match"),
    }),
  };
}

function readTags(text: string, header: string): Tags {
  if (text.trim() === "*") return { any: true, strong: [], weak: [] };
  const tags = LIST.test(text) ? [...text.matchAll(TAGS)] : [];
  if (tags.length === 0 || tags.length > MAX_TAGS) throw new XcapRefusal("BAD_REQUEST", { detail: header });
  const of = (weak: boolean) => tags.filter(([, w]) => (w !== undefined) === weak).map(([, , tag]) => tag!);
  return { any: false, strong: of(false), weak: of(true) };
}

/**
 * Returns whether a reading is answered with 304. `etag` is that of the document that is there.
 *
 * @throws {XcapRefusal} PRECONDITION
 */
export function isNotModified({ ifMatch, ifNoneMatch }: Conditions, etag: string): boolean {
  if (ifMatch !== undefined && !matchesStrongly(ifMatch, etag)) throw new XcapRefusal("PRECONDITION");
  return ifNoneMatch !== undefined && matchesWeakly(ifNoneMatch, etag);
}

/**
 * For what changes a document. `etag` is undefined when there is none.
 *
 * @throws {XcapRefusal} PRECONDITION
 */
export function requireConditions({ ifMatch, ifNoneMatch }: Conditions, etag: string | undefined): void {
  const matches = ifMatch === undefined || (etag !== undefined && matchesStrongly(ifMatch, etag));
  const differs = ifNoneMatch === undefined || etag === undefined || !matchesWeakly(ifNoneMatch, etag);
  if (!matches || !differs) throw new XcapRefusal("PRECONDITION");
}

function matchesStrongly({ any, strong }: Tags, etag: string): boolean {
  return any || strong.includes(etag);
}

function matchesWeakly({ any, strong, weak }: Tags, etag: string): boolean {
  return any || strong.includes(etag) || weak.includes(etag);
}
