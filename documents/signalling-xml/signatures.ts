/** The part with the signatures of the others (TS 33.180 9.3.5): one ds:Signature for each, by its Content-ID. */
import { equal, toBase64, utf8 } from "../../base/bytes.ts";
import type { KeyId } from "../../bindings/identity/purpose-tag.ts";
import type { Part } from "../group-xml/multipart.ts";
import type { XmlLimits } from "../xml/xml-events.ts";
import { escapeXml } from "../xml/xml-writer.ts";
import {
  authenticate,
  C14N,
  DS_NAMESPACE,
  digest,
  fault,
  HMAC_SHA256,
  SHA256,
} from "../xml-signature/algorithms.ts";
import { canonicalize } from "../xml-signature/canonical.ts";
import { elementsOf, parseNodes } from "../xml-signature/node-tree.ts";
import { readSignature, type SignatureElement, signaturesOf } from "../xml-signature/signature-element.ts";
import { cidUri, contentIdOf, isCidUri } from "./content-id.ts";
import { SIGNALLING_XML_LIMITS, SIGNATURES_LIMITS, SIGNATURES_NAMESPACE } from "./names.ts";
import { keyIdOfName, type XmlKey } from "./xml-key.ts";

export interface SignablePart {
  readonly contentId: string;
  readonly body: Uint8Array;
}

/** @throws {MikeySakkeError} codec: as `parseXml`, for a part that is not XML */
export function writeSignatures(parts: readonly SignablePart[], key: XmlKey): Uint8Array {
  const infos = parts.map(signedInfoOf);
  const draft = parseNodes(documentOf(infos, [], key.keyName), SIGNATURES_LIMITS).root;
  const values = elementsOf(draft).map((signature) => {
    const octets = canonicalize(elementsOf(signature)[0]!);
    return toBase64(authenticate({ id: key.keyName, key: key.integrity }, octets));
  });
  return utf8(documentOf(infos, values, key.keyName));
}

function signedInfoOf({ contentId, body }: SignablePart): string {
  const content = canonicalize(parseNodes(body, SIGNALLING_XML_LIMITS));
  return [
    "<ds:SignedInfo>",
    `<ds:CanonicalizationMethod Algorithm="${C14N}"/>`,
    `<ds:SignatureMethod Algorithm="${HMAC_SHA256}"/>`,
    `<ds:Reference URI="${escapeXml(cidUri(contentId))}">`,
    `<ds:Transforms><ds:Transform Algorithm="${C14N}"/></ds:Transforms>`,
    `<ds:DigestMethod Algorithm="${SHA256}"/>`,
    `<ds:DigestValue>${toBase64(digest(content))}</ds:DigestValue>`,
    "</ds:Reference>",
    "</ds:SignedInfo>",
  ].join("");
}

function documentOf(infos: readonly string[], values: readonly string[], keyName: string): string {
  const signatures = infos.map((info, i) =>
    [
      `<ds:Signature>${info}`,
      `<ds:SignatureValue>${values[i] ?? ""}</ds:SignatureValue>`,
      `<ds:KeyInfo><ds:KeyName>${keyName}</ds:KeyName></ds:KeyInfo></ds:Signature>`,
    ].join(""),
  );
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    `<signatures xmlns="${SIGNATURES_NAMESPACE}" xmlns:ds="${DS_NAMESPACE}">`,
    ...signatures,
    "</signatures>",
  ].join("");
}

export interface VerifyOptions {
  /** The key that may have signed, or the error that there is none. */
  readonly keyOf: (keyId: KeyId) => XmlKey;
  readonly limits: Partial<XmlLimits>;
}

export interface VerifiedParts {
  /** The octets that were signed of each part. */
  readonly contents: ReadonlyMap<Part, Uint8Array>;
  /** Base64 of the signatures: no two messages of one key have the same, as each has IVs of its own. */
  readonly values: readonly string[];
}

/**
 * Returns what was signed of each part: the octets that its digest is over, which alone are to be read. `parts` are all
 * others of the body.
 *
 * @throws {MikeySakkeError} verification `XML_SIGNATURE_MISSING`, `_MALFORMED`, `_ALGORITHM`, `_REFERENCE` (to no part,
 * or to several), `_KEY`, `_VALUE`, `_DIGEST`; codec: as `parseXml`
 */
export function verifySignatures(
  document: Uint8Array,
  parts: readonly Part[],
  options: VerifyOptions,
): VerifiedParts {
  const { root } = parseNodes(document, SIGNATURES_LIMITS);
  if (root.local !== "signatures" || root.namespace !== SIGNATURES_NAMESPACE) {
    throw fault("MALFORMED", "the root is not that of a signatures document");
  }
  const signatures = signaturesOf(root).map((element) => readSignature(element, isCidUri));
  if (signatures.length === 0) throw fault("MISSING", "there is none");
  const verified = new Map<Part, Uint8Array>();
  for (const signature of signatures) {
    const part = partOf(signature, parts);
    if (verified.has(part)) throw fault("MALFORMED", "more than one of one part");
    requireValue(signature, options);
    verified.set(part, signedContent(signature, part, options));
  }
  return { contents: verified, values: signatures.map(({ signatureValue }) => toBase64(signatureValue)) };
}

function partOf({ uri }: SignatureElement, parts: readonly Part[]): Part {
  const wanted = contentIdOf(uri);
  const [found, ...more] = parts.filter(({ contentId }) => contentId === wanted);
  if (found === undefined) throw fault("REFERENCE", "no part has the referenced Content-ID");
  if (more.length > 0) throw fault("REFERENCE", "several parts have the referenced Content-ID");
  return found;
}

function requireValue(signature: SignatureElement, { keyOf }: VerifyOptions): void {
  const keyId = signature.keyName === undefined ? undefined : keyIdOfName(signature.keyName);
  if (keyId === undefined) throw fault("KEY", "KeyName is missing, or not the ID of an XPK");
  const key = keyOf(keyId);
  const octets = canonicalize(signature.signedInfo, signature.signedInfoForm);
  const value = authenticate({ id: key.keyName, key: key.integrity }, octets);
  if (!equal(value, signature.signatureValue)) throw fault("VALUE", "another key, or altered");
}

function signedContent(
  { enveloped, hasTransforms, contentForm, digestValue }: SignatureElement,
  { body }: Part,
  { limits }: VerifyOptions,
): Uint8Array {
  if (enveloped) throw fault("ALGORITHM", "enveloped-signature for another part");
  const content = hasTransforms ? canonicalize(parseNodes(body, limits), contentForm) : body;
  if (!equal(digest(content), digestValue)) throw fault("DIGEST", "the part was altered");
  return content;
}
