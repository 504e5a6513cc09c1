/** XML documents of the KMS interface (TS 33.180 annex D), for servers and browsers. */
export type { KeySet, KmsCertificate } from "../../bindings/identity/kms-material.ts";
export { formatDateTime, parseDateTime } from "../xml/date-time.ts";
export { XML_LIMITS, type XmlLimits } from "../xml/xml-reader.ts";
export type { NamedKey } from "../xml-signature/index.ts";
export {
  certificatesOf,
  type KmsDocument,
  keySetsOf,
  readKmsDocument,
  readKmsRequest,
  writeKmsCertificate,
  writeKmsKeySet,
  writeKmsRequest,
  writeKmsResponse,
} from "./document.ts";
export type { KmsErrorInfo } from "./error-info.ts";
export { KMS_NAMESPACE } from "./fields.ts";
export { type KmsKeySet, withUid } from "./key-set.ts";
export type { KmsCertCache, KmsInit, KmsKeyProv, KmsLookup, KmsMessage } from "./message.ts";
export type { NewKeys } from "./new-keys.ts";
export {
  type KmsKeys,
  type KmsProtection,
  type OpenedKmsRequest,
  type OpenedKmsResponse,
  openKmsRequest,
  openKmsResponse,
  sealKmsRequest,
  sealKmsResponse,
} from "./protection.ts";
export { type KmsRequest, KRR_NAMESPACE } from "./request.ts";
export type { KmsResponse } from "./response.ts";
export type { WrapForm } from "./wrapped-keys.ts";
