/**
 * The binding of an info document to the request that it came in: an element of this package beside those of the
 * standard, which are passed over where it is not known (TS 24.379 F.1.2 has ##other there). It is signed with the
 * document.
 */
import type { XmlElement } from "../xml/xml-reader.ts";
import { element, type XmlNode } from "../xml/xml-writer.ts";
import { malformed, optionalChild, requireAtMost, requiredAttribute } from "./fields.ts";

export interface RequestBinding {
  readonly method: string;
  readonly callId: string;
  /** The tag of From. */
  readonly fromTag: string;
  /** Milliseconds since the Unix epoch when it was made. */
  readonly time: number;
  /** Base64 of the SHA-256 of the other parts of the body. */
  readonly digest: string;
}

const NAMESPACE = "urn:mikey-sakke:request-binding:1";
const ELEMENT = "request-binding";
const MAX_CHARACTERS = 256;

export function bindingNode(binding: RequestBinding | undefined): XmlNode | undefined {
  if (binding === undefined) return undefined;
  const { method, callId, fromTag, time, digest } = binding;
  const attributes = { method, "call-id": callId, "from-tag": fromTag, time: String(time), digest };
  return element(ELEMENT, { xmlns: NAMESPACE, ...attributes }, []);
}

export function readBinding(root: XmlElement): RequestBinding | undefined {
  const found = optionalChild(root, ELEMENT, NAMESPACE);
  if (found === undefined) return undefined;
  const text = (name: string) => {
    const value = requiredAttribute(found, name);
    requireAtMost(found, value.length, MAX_CHARACTERS, `characters in ${name}`);
    return value;
  };
  const time = Number(text("time"));
  if (!Number.isSafeInteger(time) || time < 0) throw malformed(found, "time is no number of milliseconds");
  return {
    method: text("method"),
    callId: text("call-id"),
    fromTag: text("from-tag"),
    time,
    digest: text("digest"),
  };
}
