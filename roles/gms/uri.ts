import { isUri, URI_BYTES } from "../../transport/group-xml/index.ts";
import { type GmsErrorCode, refused } from "./errors.ts";

export { isUri } from "../../transport/group-xml/index.ts";

/** @param what names it in the error */
export function requireUri(uri: unknown, what: string, code: GmsErrorCode): asserts uri is string {
  if (isUri(uri)) return;
  throw refused(code, `${what}: not a URI of 1 to ${URI_BYTES} octets without blanks and control characters`);
}
