import { isServiceId, isUri, URI_BYTES } from "../../../documents/group-xml/index.ts";
import { type GmsErrorCode, refused } from "./errors.ts";

export { isUri } from "../../../documents/group-xml/index.ts";

/** @param what names it in the error */
export function requireUri(uri: unknown, what: string, code: GmsErrorCode): asserts uri is string {
  if (isUri(uri)) return;
  throw refused(code, `${what}: not a URI of 1 to ${URI_BYTES} octets without blanks and control characters`);
}

/** Checks the URI of a new group or user: a scheme is required, so that one name has one spelling. */
export function requireServiceId(uri: unknown, what: string, code: GmsErrorCode): asserts uri is string {
  requireUri(uri, what, code);
  if (isServiceId(uri)) return;
  throw refused(code, `${what}: "${uri}" is no URI of an MC service: it must begin with sip:, sips: or tel:`);
}
