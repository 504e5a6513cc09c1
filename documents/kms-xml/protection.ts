/**
 * Requests and responses with the protection of TS 33.180 annex D: HMAC signatures with an InK, or a TrK where there
 * is none (D.2.2), and keys wrapped with a TrK (9.3.4.2).
 */
import { wipe } from "../../base/bytes.ts";
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";
import { parseXml, type XmlElement, type XmlLimits } from "../xml/xml-reader.ts";
import { element, writeXml, type XmlAttributes, type XmlNode } from "../xml/xml-writer.ts";
import { type NamedKey, signXml, verifyXml } from "../xml-signature/index.ts";
import {
  DSIG_NAMESPACE,
  KMS_NAMESPACE,
  malformed,
  optionalChild,
  XENC_NAMESPACE,
  XSI_NAMESPACE,
} from "./fields.ts";
import { readProtectionIds } from "./protection-ids.ts";
import { type KmsRequest, readRequestElement, requestNode } from "./request.ts";
import { type KmsResponse, readResponseElement, responseElementOf, responseNode } from "./response.ts";
import { keysOf, keyWrapper, unwrapKeys, type WrapForm } from "./wrapped-keys.ts";

export interface KmsProtection {
  /** TrK under which keys are wrapped. */
  readonly wrapWith?: NamedKey;
  readonly wrapForm?: WrapForm;
  /** InK, or the TrK where there is no InK. */
  readonly signWith?: NamedKey;
}

/** The keys of a reader, by the ids that a document names; `undefined` where it names none. */
export interface KmsKeys {
  transportKey(id: string | undefined): NamedKey | undefined;
  signatureKey(id: string | undefined): NamedKey | undefined;
}

export interface OpenedKmsRequest {
  readonly request: KmsRequest;
  /** Id of the key whose signature was verified; absent when the document has none, or no keys were given. */
  readonly signedWith?: string;
  readonly signatureValue?: Uint8Array;
}

export interface OpenedKmsResponse {
  readonly response: KmsResponse;
  /** As of a request. */
  readonly signedWith?: string;
  /** TrK-ID, when no RSK, SSK or new key stood in clear. Absent without any. */
  readonly wrappedWith?: string;
}

/** Id of the signed element where the document has none, as in the samples of annex D. */
const SIGNED_ID = "xmldoc";

/** Writes a KmsRequest, or a SignedKmsRequest with its SignatureId. */
export function sealKmsRequest(
  request: KmsRequest,
  { signWith }: Pick<KmsProtection, "signWith"> = {},
): string {
  const xmlns = { xmlns: KMS_NAMESPACE };
  if (signWith === undefined) return writeXml(requestNode(request, xmlns));
  const id = request.id ?? SIGNED_ID;
  return signed(requestNode({ ...request, id, signatureId: signWith.id }), xmlns, id, signWith);
}

/**
 * Writes a KmsResponse, or a SignedKmsResponse with its SignatureId. Keys are wrapped when there is a TrK.
 *
 * @throws {MikeySakkeError} usage `KMS_NEW_KEY_IN_CLEAR` for new keys without a TrK
 */
export async function sealKmsResponse(
  response: KmsResponse,
  protection: KmsProtection = {},
): Promise<string> {
  const { wrapWith, wrapForm, signWith } = protection;
  const trk = keysOf(response).length > 0 ? wrapWith : undefined;
  const xmlns = {
    xmlns: KMS_NAMESPACE,
    "xmlns:xsi": XSI_NAMESPACE,
    ...(trk && { "xmlns:xenc": XENC_NAMESPACE, "xmlns:ds": DSIG_NAMESPACE }),
  };
  const keyNode = trk && (await keyWrapper(response, trk, wrapForm));
  const sealed = { ...response, ...(trk && { trkId: trk.id }) };
  if (signWith === undefined) return writeXml(responseNode(sealed, xmlns, keyNode));
  const id = response.id ?? SIGNED_ID;
  return signed(responseNode({ ...sealed, id, signatureId: signWith.id }, {}, keyNode), xmlns, id, signWith);
}

function signed(node: XmlNode, xmlns: XmlAttributes, id: string, key: NamedKey): string {
  return signXml(writeXml(element(`Signed${node.name}`, xmlns, [node])), id, key);
}

/**
 * Reads a KmsRequest or SignedKmsRequest. With keys, a signature that is there is verified, and only what it covers
 * is read; whether there must be one is for the caller to say.
 *
 * @throws {MikeySakkeError} codec: the codes of `parseXml` and of the elements, `KMS_XML_ROOT` for another root;
 * verification `XML_SIGNATURE_*`, `KMS_SIGNATURE_ID`
 */
export function openKmsRequest(
  document: string | Uint8Array,
  keys?: KmsKeys,
  limits?: Partial<XmlLimits>,
): OpenedKmsRequest {
  const { root, ...authentic } = authenticate(document, "KmsRequest", keys, limits);
  return { request: readRequestElement(root), ...authentic };
}

/**
 * Reads a KmsResponse or SignedKmsResponse, as `openKmsRequest` does, and unwraps its keys. New keys that are not
 * wrapped are refused.
 *
 * @throws {MikeySakkeError} as `openKmsRequest`; codec `KMS_KEY_ENCRYPTED` without keys, `KMS_NEW_KEY_IN_CLEAR`,
 * `KMS_KEY_ALGORITHM`; crypto `KMS_TRK_UNKNOWN`, `KEY_UNWRAP`
 */
export async function openKmsResponse(
  document: string | Uint8Array,
  keys?: KmsKeys,
  limits?: Partial<XmlLimits>,
): Promise<OpenedKmsResponse> {
  const { root, signedWith } = authenticate(document, "KmsResponse", keys, limits);
  const authentic = signedWith === undefined ? {} : { signedWith };
  if (keys === undefined) return { response: readResponseElement(root, new Map()), ...authentic };
  const source = responseElementOf(root);
  const { trkId } = readProtectionIds(source);
  const { keys: unwrapped, ...wrapping } = await unwrapKeys(source, (name) =>
    firstOf((id) => keys.transportKey(id), name, trkId),
  );
  try {
    return { response: readResponseElement(root, unwrapped), ...authentic, ...wrapping };
  } catch (error) {
    for (const { key } of unwrapped.values()) wipe(key);
    throw error;
  }
}

interface Authentic {
  readonly root: XmlElement;
  readonly signedWith?: string;
  readonly signatureValue?: Uint8Array;
}

function authenticate(
  document: string | Uint8Array,
  name: "KmsRequest" | "KmsResponse",
  keys: KmsKeys | undefined,
  limits: Partial<XmlLimits> | undefined,
): Authentic {
  const root = parseXml(document, limits);
  const claimed = messageIn(root, name);
  if (claimed === undefined) throw malformed(root, `not a ${name}`, "KMS_XML_ROOT");
  const hasSignature = root.children.some((c) => c.local === "Signature" && c.namespace === DSIG_NAMESPACE);
  if (keys === undefined || !hasSignature) return { root };

  // KeyInfo is optional in a signature; where it is missing or names no key, SignatureId does.
  const { signatureId } = readProtectionIds(claimed);
  const { content, keyId, signatureValue } = verifyXml(
    document,
    (keyName) => firstOf((id) => keys.signatureKey(id), keyName, signatureId),
    limits,
  );
  const verified = parseXml(content, limits);
  const covered = messageIn(verified, name);
  if (covered === undefined) {
    throw failure("XML_SIGNATURE_REFERENCE", `the signature covers ${verified.local}, not the ${name}`);
  }
  const said = readProtectionIds(covered).signatureId;
  if (said !== undefined && said !== keyId) {
    throw failure("KMS_SIGNATURE_ID", "the key that signed is not that of SignatureId");
  }
  return { root: verified, signedWith: keyId, signatureValue };
}

function messageIn(root: XmlElement, name: string): XmlElement | undefined {
  if (root.local === name) return root;
  return root.local === `Signed${name}` ? optionalChild(root, name) : undefined;
}

function firstOf(
  find: (id: string | undefined) => NamedKey | undefined,
  named: string | undefined,
  fallback: string | undefined,
): NamedKey | undefined {
  return (named === undefined ? undefined : find(named)) ?? find(fallback);
}

function failure(code: ErrorCode, message: string): MikeySakkeError {
  return new MikeySakkeError("verification", code, message);
}
