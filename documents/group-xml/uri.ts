import { utf8 } from "../../base/bytes.ts";

/** Octets of the URI of a group or a user. */
export const URI_BYTES = 1024;

/** Printable, without blanks: it is hashed as it is, and stands in documents, paths, databases and logs. */
export function isUri(uri: unknown): uri is string {
  const good = typeof uri === "string" && uri !== "" && !/[\s\p{C}<>"]/u.test(uri);
  return good && utf8(uri).length <= URI_BYTES;
}

/** MC service IDs are SIP URIs or telephone numbers (TS 23.280 8.1). */
const SCHEME = /^(?:sips?|tel):./i;

/** The URI of a group or a user, as opposed to that of a KMS. */
export function isServiceId(uri: unknown): uri is string {
  return isUri(uri) && SCHEME.test(uri);
}
