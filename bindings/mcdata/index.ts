/** MCData messages and their protection under delivered keys (TS 33.180 8, TS 24.282 15). */
export {
  decodeDataPayload,
  encodeDataPayload,
  MAX_PAYLOAD_BYTES,
  type McDataPayload,
} from "./data-payload.ts";
export { decodeFdSignalling, encodeFdSignalling, type FdSignalling } from "./fd-signalling.ts";
export {
  MAX_FILE_BYTES,
  MAX_SEALED_FILE_BYTES,
  type McDataFile,
  openMcDataFile,
  type SealFileOptions,
  sealMcDataFile,
} from "./file.ts";
export { MCDATA_IEIS, MCDATA_MEDIA_TYPES, MCDATA_TYPES, PAYLOAD_CONTENT_TYPES } from "./message-types.ts";
export {
  decodeNotification,
  encodeNotification,
  FD_DISPOSITIONS,
  type McDataNotification,
  SDS_DISPOSITION_REQUESTS,
  SDS_DISPOSITIONS,
} from "./notification.ts";
export {
  isProtectedMcData,
  type OpenedMcData,
  openMcData,
  type SealMcDataOptions,
  sealMcData,
} from "./protection.ts";
export {
  decodeSdsSignalling,
  encodeSdsSignalling,
  MCDATA_ID_BYTES,
  type SdsSignalling,
} from "./sds-signalling.ts";
