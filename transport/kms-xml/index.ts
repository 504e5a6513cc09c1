/** XML documents of the KMS interface (TS 33.180 annex D), for servers and browsers. */
export type { KeySet, KmsCertificate } from "../../bindings/kms-material.ts";
export { XML_LIMITS, type XmlLimits } from "../xml/xml-reader.ts";
export { formatDateTime, parseDateTime } from "./date-time.ts";
export {
  certificatesOf,
  type KmsDocument,
  keySetsOf,
  readKmsDocument,
  writeKmsCertificate,
  writeKmsKeySet,
  writeKmsResponse,
} from "./document.ts";
export { KMS_NAMESPACE } from "./fields.ts";
export { type KmsKeySet, withUid } from "./key-set.ts";
export type { KmsErrorInfo, KmsMessage, KmsResponse } from "./response.ts";
