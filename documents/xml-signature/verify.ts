/** Verification of signatures. Callers must read its result, never the document. */
import { equal } from "../../base/bytes.ts";
import type { XmlLimits } from "../xml/xml-events.ts";
import { authenticate, digest, fault, type NamedKey } from "./algorithms.ts";
import { canonicalize } from "./canonical.ts";
import { type DocumentNode, type ElementNode, elementsOf, parseNodes } from "./node-tree.ts";
import { readSignature, type SignatureElement, signaturesOf } from "./signature-element.ts";

export interface VerifiedXml {
  /** The canonical octets that were signed: an XML document without comments. */
  readonly content: Uint8Array;
  /** Name of the key that `keyOf` returned. */
  readonly keyId: string;
  readonly signatureValue: Uint8Array;
}

/**
 * Verifies the one ds:Signature directly below the root. Its Reference names the root, the document or a child of the
 * root.
 *
 * @throws {MikeySakkeError} verification `XML_SIGNATURE_MISSING`, `_MALFORMED`, `_ALGORITHM`, `_REFERENCE`, `_KEY` (no
 * key of that name), `_VALUE` (another key, or SignedInfo altered), `_DIGEST` (content altered); codec: as `parseXml`
 */
export function verifyXml(
  document: Uint8Array | string,
  keyOf: (keyName: string | undefined) => NamedKey | undefined,
  limits?: Partial<XmlLimits>,
): VerifiedXml {
  const nodes = parseNodes(document, limits);
  const [element, ...more] = signaturesOf(nodes.root);
  if (element === undefined) throw fault("MISSING", "there is none");
  if (more.length > 0) throw fault("MALFORMED", "more than one");
  const signature = readSignature(element);
  const target = targetOf(nodes, signature);

  const key = keyOf(signature.keyName);
  if (key === undefined) throw fault("KEY", "no such key");
  const value = authenticate(key, canonicalize(signature.signedInfo, signature.signedInfoForm));
  if (!equal(value, signature.signatureValue)) throw fault("VALUE", "another key, or altered");

  const content = canonicalize(target, { ...signature.contentForm, without: element });
  if (!equal(digest(content), signature.digestValue)) throw fault("DIGEST", "the content was altered");
  return { content, keyId: key.id, signatureValue: signature.signatureValue };
}

function targetOf(nodes: DocumentNode, signature: SignatureElement): DocumentNode | ElementNode {
  const { root } = nodes;
  const { referencedId, enveloped, element } = signature;
  const target = referencedId === undefined ? nodes : findById(root, referencedId);
  if (target.type === "document" || target === root) {
    if (enveloped) return target;
    throw fault("REFERENCE", "the Reference covers its own Signature without enveloped-signature");
  }
  if (target.parent === root && target !== element) return target;
  throw fault("REFERENCE", "the referenced element is not the root nor a child of the root");
}

/**
 * The element with this attribute Id. Other readers take other attributes for ids, so the value must not occur in any
 * of them.
 */
export function findById(root: ElementNode, id: string): ElementNode {
  const holders: ElementNode[] = [];
  const visit = (element: ElementNode): void => {
    for (const a of element.attributes) {
      if (a.local.toLowerCase() === "id" && a.value.trim() === id) holders.push(element);
    }
    for (const child of elementsOf(element)) visit(child);
  };
  visit(root);
  const [found] = holders;
  if (holders.length > 1) throw fault("REFERENCE", "the referenced Id occurs more than once");
  if (!found?.attributes.some((a) => a.name === "Id" && a.value === id)) {
    throw fault("REFERENCE", "no element has the referenced Id");
  }
  return found;
}
