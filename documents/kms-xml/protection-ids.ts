/** TrK-ID and Signature-ID of requests and responses (TS 33.180 D.2.2, D.3.1). */

import { defined } from "../../base/defined.ts";
import type { XmlElement } from "../xml/xml-reader.ts";
import { leaf, type XmlNode } from "../xml/xml-writer.ts";
import { isOfSchema, malformed, stringOf } from "./fields.ts";

export interface ProtectionIds {
  /** The TrK that protects keys: of a request the one that the client has now, of a response the one used. */
  readonly trkId?: string;
  /** The InK, or the TrK where there is no InK, that signs. */
  readonly signatureId?: string;
}

/**
 * The tables of D.2.2 and D.3.1 name the items but not the elements, and an element that came after the first
 * schema may be an extension. So TrkId, TrK-ID, TRK_ID and the like are one name, in any namespace; one in the
 * namespace of the schema goes first.
 */
export function readProtectionIds(source: XmlElement): ProtectionIds {
  return defined({ trkId: idOf(source, "trkid"), signatureId: idOf(source, "signatureid") });
}

function idOf(source: XmlElement, name: string): string | undefined {
  const found = source.children.filter((c) => c.local.replace(/[-_.]/g, "").toLowerCase() === name);
  const ours = found.filter((c) => isOfSchema(c, source));
  const [id, ...more] = ours.length > 0 ? ours : found;
  if (more.length > 0) throw malformed(source, `more than one ${id?.local}`, "KMS_XML_DUPLICATE");
  return id && stringOf(id);
}

export function protectionIdNodes({ trkId, signatureId }: ProtectionIds): (XmlNode | undefined)[] {
  return [leaf("TrkId", trkId), leaf("SignatureId", signatureId)];
}
