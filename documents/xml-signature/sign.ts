/** Signing as TS 33.180 D.1 has it: HMAC-SHA256 over one Reference by Id, inclusive C14N, SHA-256. */
import { toBase64 } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import type { XmlLimits } from "../xml/xml-events.ts";
import { escapeXml } from "../xml/xml-writer.ts";
import {
  authenticate,
  C14N,
  DS_NAMESPACE,
  digest,
  ENVELOPED,
  HMAC_SHA256,
  type NamedKey,
  SHA256,
} from "./algorithms.ts";
import { canonicalize } from "./canonical.ts";
import { elementsOf, parseNodes } from "./node-tree.ts";
import { isIdReference, signaturesOf } from "./signature-element.ts";
import { findById } from "./verify.ts";

/**
 * Signs the element with this Id, the root or a child of it, and puts the ds:Signature at the end of the root.
 *
 * @throws {MikeySakkeError} usage `XML_CANNOT_SIGN`, verification `XML_SIGNATURE_REFERENCE` for an Id that is not there
 * or not unique
 */
export function signXml(
  document: string,
  elementId: string,
  key: NamedKey,
  limits?: Partial<XmlLimits>,
): string {
  const { root, text, end } = parseNodes(document, limits);
  const target = findById(root, elementId);
  const at = text.lastIndexOf("</", end - 1);
  if (!isIdReference(`#${elementId}`)) throw cannotSign("a Reference cannot name this Id");
  if (signaturesOf(root).length > 0) throw cannotSign("the root holds a signature");
  if (target !== root && target.parent !== root) throw cannotSign("the element is too deep inside");
  if (!/^<\/[^<>]*>$/.test(text.slice(at, end))) throw cannotSign("the root is empty");

  const transforms = target === root ? [ENVELOPED, C14N] : [C14N];
  const signedInfo = signedInfoOf(elementId, transforms, digest(canonicalize(target)));
  // Inclusive C14N takes in the namespaces around, so it is read as a child of the root.
  const draft = parseNodes(signatureOf(signedInfo, "", key.id), {}, root).root;
  const value = authenticate(key, canonicalize(elementsOf(draft)[0]!));
  return text.slice(0, at) + signatureOf(signedInfo, toBase64(value), key.id) + text.slice(at);
}

function signedInfoOf(id: string, transforms: readonly string[], digestValue: Uint8Array): string {
  return [
    "<ds:SignedInfo>",
    `<ds:CanonicalizationMethod Algorithm="${C14N}"/>`,
    `<ds:SignatureMethod Algorithm="${HMAC_SHA256}"/>`,
    `<ds:Reference URI="#${escapeXml(id)}">`,
    `<ds:Transforms>${transforms.map((t) => `<ds:Transform Algorithm="${t}"/>`).join("")}</ds:Transforms>`,
    `<ds:DigestMethod Algorithm="${SHA256}"/>`,
    `<ds:DigestValue>${toBase64(digestValue)}</ds:DigestValue>`,
    "</ds:Reference>",
    "</ds:SignedInfo>",
  ].join("");
}

function signatureOf(signedInfo: string, value: string, keyId: string): string {
  return [
    `<ds:Signature xmlns:ds="${DS_NAMESPACE}">`,
    signedInfo,
    `<ds:SignatureValue>${value}</ds:SignatureValue>`,
    `<ds:KeyInfo><ds:KeyName>${escapeXml(keyId)}</ds:KeyName></ds:KeyInfo>`,
    "</ds:Signature>",
  ].join("");
}

function cannotSign(why: string): MikeySakkeError {
  return new MikeySakkeError("usage", "XML_CANNOT_SIGN", `XML signature: ${why}`);
}
