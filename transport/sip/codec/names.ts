/** Names of header fields: compact forms, and the fields this package reads. */
import * as addresses from "./addresses.ts";
import * as authorisation from "./authorisation.ts";
import type { HeaderField } from "./field.ts";
import * as scalars from "./scalars.ts";

/** RFC 3261 20, RFC 6665 8.2.1, RFC 3515, 3841, 3892, 4028, 4474. */
const COMPACT: ReadonlyMap<string, string> = new Map([
  ["a", "Accept-Contact"],
  ["b", "Referred-By"],
  ["c", "Content-Type"],
  ["d", "Request-Disposition"],
  ["e", "Content-Encoding"],
  ["f", "From"],
  ["i", "Call-ID"],
  ["j", "Reject-Contact"],
  ["k", "Supported"],
  ["l", "Content-Length"],
  ["m", "Contact"],
  ["n", "Identity-Info"],
  ["o", "Event"],
  ["r", "Refer-To"],
  ["s", "Subject"],
  ["t", "To"],
  ["u", "Allow-Events"],
  ["v", "Via"],
  ["x", "Session-Expires"],
  ["y", "Identity"],
]);

type AnyField = HeaderField<unknown>;

const isField = (value: unknown): value is AnyField =>
  typeof value === "object" && value !== null && "form" in value;

const FIELDS: ReadonlyMap<string, AnyField> = new Map(
  [addresses, authorisation, scalars]
    .flatMap((module) => Object.values(module) as unknown[])
    .filter(isField)
    .map((f) => [f.name.toLowerCase(), f]),
);

/**
 * Fields that nothing here depends on. A line of theirs that is malformed is left out (8.2.2), as nobody needs it: in a request
 * they ask for nothing, and in an answer the status says enough.
 */
const DISPENSABLE: ReadonlySet<string> = new Set(
  [
    addresses.ASSERTED_IDENTITY,
    addresses.PATH,
    addresses.SERVICE_ROUTE,
    scalars.ALLOW,
    scalars.ALLOW_EVENTS,
    scalars.CONTENT_DISPOSITION,
    scalars.DATE,
    scalars.MIN_EXPIRES,
    scalars.RETRY_AFTER,
    scalars.SIP_ETAG,
    scalars.SUPPORTED,
    scalars.UNSUPPORTED,
    scalars.WARNING,
  ].map(({ name }) => name.toLowerCase()),
);

export function isDispensable(key: string): boolean {
  return DISPENSABLE.has(key);
}

/** The name by which a field is kept: lower case, never compact. */
export function keyOf(name: string): string {
  const key = name.toLowerCase();
  return COMPACT.get(key)?.toLowerCase() ?? key;
}

/** The name in full, as it came otherwise. */
export function fullName(name: string): string {
  return COMPACT.get(name.toLowerCase()) ?? name;
}

/** Returns how a field of that key is read; undefined for those that are kept as text. */
export function fieldOf(key: string): AnyField | undefined {
  return FIELDS.get(key);
}
