/** The content of a ds:Signature, with everything refused that TS 33.180 D.1 does not use. */
import { fromBase64 } from "../../base/bytes.ts";
import {
  C14N,
  C14N_WITH_COMMENTS,
  DIGEST_BYTES,
  DS_NAMESPACE,
  ENVELOPED,
  EXCLUSIVE_C14N,
  EXCLUSIVE_C14N_WITH_COMMENTS,
  fault,
  HMAC_SHA256,
  SHA256,
} from "./algorithms.ts";
import type { CanonicalForm } from "./canonical.ts";
import { type ElementNode, elementsOf, textOf } from "./node-tree.ts";

export interface SignatureElement {
  readonly element: ElementNode;
  readonly signedInfo: ElementNode;
  readonly signedInfoForm: CanonicalForm;
  readonly uri: string;
  /** The id that the Reference names, or undefined for the whole document. */
  readonly referencedId: string | undefined;
  readonly enveloped: boolean;
  /** Without any, what the Reference names outside the document is digested as it is (XML Signature 4.4.3.2). */
  readonly hasTransforms: boolean;
  readonly contentForm: CanonicalForm;
  readonly digestValue: Uint8Array;
  readonly signatureValue: Uint8Array;
  readonly keyName: string | undefined;
}

/** The ds:Signature elements directly below the root; those further inside sign parts of the content. */
export function signaturesOf(root: ElementNode): ElementNode[] {
  return elementsOf(root).filter((child) => isDs(child, "Signature"));
}

/** `accepts` says which URIs a Reference may have. */
export function readSignature(
  element: ElementNode,
  accepts: (uri: string) => boolean = isSameDocument,
): SignatureElement {
  const [signedInfo, value, keyInfo] = sequence(element, ["SignedInfo", "SignatureValue"], ["KeyInfo"]);
  const [canonicalization, method, reference] = sequence(signedInfo!, [
    "CanonicalizationMethod",
    "SignatureMethod",
    "Reference",
  ]);
  requireAlgorithm(method!, HMAC_SHA256);
  for (const child of elementsOf(method!)) {
    // XML Signature 4.4.2 and 6.3.1: the only other value allowed here, and a short one lets guesses through.
    const whole = isDs(child, "HMACOutputLength") && textOf(child).trim() === String(8 * DIGEST_BYTES);
    if (!whole) throw fault("ALGORITHM", "shortened HMAC or unknown parameter");
  }
  return {
    element,
    signedInfo: signedInfo!,
    signedInfoForm: canonicalForm(canonicalization!, true),
    ...readReference(reference!, accepts),
    signatureValue: octetsOf(value!),
    keyName: keyInfo && keyNameOf(keyInfo),
  };
}

function readReference(reference: ElementNode, accepts: (uri: string) => boolean) {
  const optional = elementsOf(reference).some((child) => isDs(child, "Transforms"));
  const parts = sequence(reference, [...(optional ? ["Transforms"] : []), "DigestMethod", "DigestValue"]);
  const [method, value] = parts.slice(-2);
  requireAlgorithm(method!, SHA256);
  sequence(method!, []);
  const uri = attribute(reference, "URI");
  if (uri === undefined || !accepts(uri)) {
    throw fault("REFERENCE", "the Reference has no URI, or one of a form that is not accepted here");
  }
  return {
    uri,
    referencedId: isIdReference(uri) ? uri.slice(1) : undefined,
    hasTransforms: optional && elementsOf(parts[0]!).length > 0,
    ...readTransforms(optional ? parts[0]! : undefined),
    digestValue: octetsOf(value!),
  };
}

/** An Id, or the document by an empty URI. */
function isSameDocument(uri: string): boolean {
  return uri === "" || isIdReference(uri);
}

/** No XPointer, no escapes, nothing outside the document. */
export function isIdReference(uri: string): boolean {
  return /^#[^#%()\s]+$/.test(uri);
}

/** At most enveloped-signature and then a canonicalisation, which is C14N where none is given. */
function readTransforms(transforms: ElementNode | undefined) {
  const list = transforms === undefined ? [] : elementsOf(transforms);
  if (list.some((child) => !isDs(child, "Transform"))) throw unexpected(transforms!);
  const enveloped = list[0] !== undefined && attribute(list[0], "Algorithm") === ENVELOPED;
  if (enveloped) sequence(list[0]!, []);
  const [canonicalization, ...more] = list.slice(enveloped ? 1 : 0);
  if (more.length > 0) throw fault("ALGORITHM", "too many transforms");
  // XML Signature 4.4.3.3: a URI without XPointer selects no comments, whatever comes after.
  return { enveloped, contentForm: canonicalization ? canonicalForm(canonicalization, false) : {} };
}

function canonicalForm(element: ElementNode, mayHaveComments: boolean): CanonicalForm {
  const algorithm = attribute(element, "Algorithm");
  switch (algorithm) {
    case C14N:
    case C14N_WITH_COMMENTS:
      sequence(element, []);
      return { comments: mayHaveComments && algorithm === C14N_WITH_COMMENTS };
    case EXCLUSIVE_C14N:
    case EXCLUSIVE_C14N_WITH_COMMENTS:
      return {
        comments: mayHaveComments && algorithm === EXCLUSIVE_C14N_WITH_COMMENTS,
        exclusive: { inclusivePrefixes: inclusivePrefixes(element) },
      };
    default:
      throw notAccepted(element);
  }
}

/** Exclusive XML Canonicalization 3: `#default` is the default namespace. */
function inclusivePrefixes(element: ElementNode): ReadonlySet<string> {
  const [list, ...more] = elementsOf(element);
  if (list === undefined) return new Set();
  const known = list.local === "InclusiveNamespaces" && list.namespace === EXCLUSIVE_C14N;
  if (!known || more.length > 0) throw unexpected(element);
  const prefixes = (attribute(list, "PrefixList") ?? "").split(/\s+/).filter((prefix) => prefix !== "");
  return new Set(prefixes.map((prefix) => (prefix === "#default" ? "" : prefix)));
}

function keyNameOf(keyInfo: ElementNode): string | undefined {
  const names = elementsOf(keyInfo).filter((child) => isDs(child, "KeyName"));
  if (names.length > 1) throw fault("MALFORMED", "more than one KeyName");
  return names[0] && textOf(names[0]).trim();
}

/** The children when they are exactly these ds: elements in this order, the optional ones at the end. */
function sequence(parent: ElementNode, names: readonly string[], optional: readonly string[] = []) {
  const children = elementsOf(parent);
  const all = [...names, ...optional];
  const known = children.every((child, i) => i < all.length && isDs(child, all[i]!));
  if (!known || children.length < names.length) throw unexpected(parent);
  return children;
}

function unexpected(parent: ElementNode) {
  return fault("MALFORMED", `unexpected or missing elements in ${parent.local}`);
}

function requireAlgorithm(element: ElementNode, expected: string): void {
  if (attribute(element, "Algorithm") !== expected) throw notAccepted(element);
}

function notAccepted(element: ElementNode) {
  const algorithm = attribute(element, "Algorithm") ?? "without Algorithm";
  return fault("ALGORITHM", `${element.local} ${algorithm.slice(0, 100)} is not accepted`);
}

function octetsOf(element: ElementNode): Uint8Array {
  try {
    return fromBase64(textOf(element).replace(/[\t\n\r ]+/g, ""));
  } catch {
    throw fault("MALFORMED", `${element.local} is not base64`);
  }
}

function isDs(element: ElementNode, local: string): boolean {
  return element.local === local && element.namespace === DS_NAMESPACE;
}

function attribute(element: ElementNode, local: string): string | undefined {
  return element.attributes.find((a) => a.name === local)?.value;
}
