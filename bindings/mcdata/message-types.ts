/** Numbers of MCData messages (TS 24.282 15.2). */

/** Table 15.2.2-1. */
export const MCDATA_TYPES = {
  SDS_SIGNALLING_PAYLOAD: 0x01,
  FD_SIGNALLING_PAYLOAD: 0x02,
  DATA_PAYLOAD: 0x03,
  SDS_NOTIFICATION: 0x05,
  FD_NOTIFICATION: 0x06,
  SDS_OFF_NETWORK_MESSAGE: 0x07,
  SDS_OFF_NETWORK_NOTIFICATION: 0x08,
} as const;

/** Information element identifiers. */
export const MCDATA_IEIS = {
  IN_REPLY_TO: 0x21,
  APPLICATION_ID: 0x22,
  PAYLOAD: 0x78,
  /** From here on half an octet; the other half is the value. */
  SDS_DISPOSITION_REQUEST: 0x8,
  FD_DISPOSITION_REQUEST: 0x9,
  MANDATORY_DOWNLOAD: 0xa,
} as const;

/** 15.2.13. */
export const PAYLOAD_CONTENT_TYPES = {
  TEXT: 1,
  BINARY: 2,
  HYPERLINKS: 3,
  FILE_URL: 4,
  LOCATION: 5,
  ENHANCED_STATUS: 6,
} as const;

export const MCDATA_MEDIA_TYPES = {
  SIGNALLING: "application/vnd.3gpp.mcdata-signalling",
  PAYLOAD: "application/vnd.3gpp.mcdata-payload",
} as const;
