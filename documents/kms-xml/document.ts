/** Documents of the KMS interface: the root elements that hold certificates or keys. */
import { MikeySakkeError } from "../../base/errors.ts";
import type { KmsCertificate } from "../../bindings/identity/kms-material.ts";
import { parseXml, type XmlLimits } from "../xml/xml-reader.ts";
import { writeXml } from "../xml/xml-writer.ts";
import { certificateNode, readCertificateElement } from "./certificate.ts";
import { KMS_NAMESPACE, malformed, XSI_NAMESPACE } from "./fields.ts";
import { type KmsKeySet, keySetNode, readKeySetElement } from "./key-set.ts";
import { type KmsRequest, readRequestElement, requestNode } from "./request.ts";
import { type KmsResponse, readResponseElement, responseNode } from "./response.ts";

export type KmsDocument =
  | { type: "response"; response: KmsResponse }
  | { type: "certificate"; certificate: KmsCertificate }
  | { type: "keySet"; keySet: KmsKeySet };

const NAMESPACES = { xmlns: KMS_NAMESPACE, "xmlns:xsi": XSI_NAMESPACE };

/**
 * Reads a document with root KmsResponse, SignedKmsResponse, KmsCertificate, SignedKmsCertificate or
 * KmsKeySet. Signatures are passed over, not checked, and so are new TrKs and InKs: `openKmsResponse`.
 *
 * @throws {MikeySakkeError} codec: the codes of `parseXml` and of the elements, `KMS_XML_ROOT` for another root
 */
export function readKmsDocument(document: string | Uint8Array, limits?: Partial<XmlLimits>): KmsDocument {
  const root = parseXml(document, limits);
  switch (root.local) {
    case "KmsResponse":
    case "SignedKmsResponse":
      return { type: "response", response: readResponseElement(root) };
    case "KmsCertificate":
    case "SignedKmsCertificate":
      return { type: "certificate", certificate: readCertificateElement(root) };
    case "KmsKeySet":
      return { type: "keySet", keySet: readKeySetElement(root) };
    default:
      throw malformed(root, "not a KMS response, certificate or key set", "KMS_XML_ROOT");
  }
}

/**
 * Reads a document with root KmsRequest or SignedKmsRequest. The signature is passed over: `openKmsRequest`.
 *
 * @throws {MikeySakkeError} codec, as `readKmsDocument`
 */
export function readKmsRequest(document: string | Uint8Array, limits?: Partial<XmlLimits>): KmsRequest {
  const root = parseXml(document, limits);
  if (root.local === "KmsRequest" || root.local === "SignedKmsRequest") return readRequestElement(root);
  throw malformed(root, "not a KMS request", "KMS_XML_ROOT");
}

/**
 * The certificates of a document: the one of an init response, all of a certificate cache, or the root.
 *
 * @throws {MikeySakkeError} transport `KMS_REFUSED` when the document is a KmsError
 */
export function certificatesOf(document: KmsDocument): readonly KmsCertificate[] {
  if (document.type === "certificate") return [document.certificate];
  if (document.type !== "response") return [];
  const message = messageOf(document.response);
  if (message?.type === "init") return [message.certificate];
  return message?.type === "certcache" ? message.certificates : [];
}

/**
 * The key sets of a document.
 *
 * @throws {MikeySakkeError} transport `KMS_REFUSED` when the document is a KmsError
 */
export function keySetsOf(document: KmsDocument): readonly KmsKeySet[] {
  if (document.type === "keySet") return [document.keySet];
  if (document.type !== "response") return [];
  const message = messageOf(document.response);
  return message?.type === "keyprov" ? message.keySets : [];
}

function messageOf({ error, message }: KmsResponse) {
  if (error === undefined) return message;
  throw new MikeySakkeError(
    "transport",
    "KMS_REFUSED",
    `the KMS answered with error ${error.errorCode}: ${error.errorMsg}`,
  );
}

export function writeKmsRequest(request: KmsRequest): string {
  return writeXml(requestNode(request, { xmlns: KMS_NAMESPACE }));
}

/** Keys in clear; `sealKmsResponse` wraps and signs. */
export function writeKmsResponse(response: KmsResponse): string {
  return writeXml(responseNode(response, NAMESPACES));
}

export function writeKmsCertificate(certificate: KmsCertificate): string {
  return writeXml(certificateNode(certificate, { xmlns: KMS_NAMESPACE }));
}

export function writeKmsKeySet(keySet: KmsKeySet): string {
  return writeXml(keySetNode(keySet, NAMESPACES));
}
