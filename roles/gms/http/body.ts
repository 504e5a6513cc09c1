import { mediaTypeOf } from "../../../documents/group-xml/index.ts";
import type { XcapRequest } from "./exchange.ts";
import { XcapRefusal } from "./xcap-refusal.ts";

/**
 * The body, which must be of this type.
 *
 * @throws {XcapRefusal} BODY_TYPE
 */
export function requireBody({ contentType, body }: XcapRequest, type: string): Uint8Array {
  if (contentType === undefined || mediaTypeOf(contentType) !== type.toLowerCase()) {
    throw new XcapRefusal("BODY_TYPE", { detail: contentType ?? "none" });
  }
  return body;
}
