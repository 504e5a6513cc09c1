/**
 * Code points of the IANA registry "MIKEY Payload Name Spaces" and of TS 33.180 annex E, with the names that
 * people read them by.
 */

export const DATA_TYPE_SAKKE = 26;

export const DATA_TYPE_NAMES: Readonly<Record<number, string>> = {
  0: "PSK",
  2: "PK",
  4: "DH init",
  6: "Error",
  26: "SAKKE I_MESSAGE",
};

export const PAYLOAD_CODES = {
  LAST: 0,
  SIGN: 4,
  T: 5,
  ID: 6,
  CERT: 7,
  V: 9,
  SP: 10,
  RAND: 11,
  ERR: 12,
  IDR: 14,
  GENERAL_EXT: 21,
  SAKKE: 26,
} as const;

export const PAYLOAD_NAMES: Readonly<Record<number, string>> = {
  0: "last payload",
  1: "KEMAC",
  2: "PKE",
  3: "DH",
  4: "SIGN",
  5: "T",
  6: "ID",
  7: "CERT",
  8: "CHASH",
  9: "V",
  10: "SP",
  11: "RAND",
  12: "ERR",
  14: "IDR",
  20: "key data",
  21: "General Extension",
  26: "SAKKE",
};

export const PRF_HMAC_SHA_256 = 1;
export const PRF_MIKEY_1 = 0;

export const PRF_NAMES: Readonly<Record<number, string>> = {
  0: "MIKEY-1 (HMAC-SHA-1)",
  1: "PRF-HMAC-SHA-256",
};

export const MAP_SRTP_ID = 0;
export const MAP_EMPTY = 1;
export const MAP_GENERIC_ID = 2;

export const MAP_TYPE_NAMES: Readonly<Record<number, string>> = {
  0: "SRTP-ID (legacy)",
  1: "empty map: default security profile",
  2: "GENERIC-ID",
};

/** Table E.1.3-1. */
export const CS_IDS = {
  MCPTT_PRIVATE_INITIATOR: 0,
  MCPTT_PRIVATE_RECEIVER: 1,
  MCVIDEO_PRIVATE_INITIATOR: 2,
  MCVIDEO_PRIVATE_RECEIVER: 3,
  MCPTT_GROUP: 4,
  MCVIDEO_GROUP: 5,
  MCPTT_CSK: 6,
  MCPTT_MUSIK: 7,
  MCVIDEO_CSK: 8,
  MCVIDEO_MUSIK: 9,
} as const;

export const CS_ID_NAMES: Readonly<Record<number, string>> = {
  0: "MCPTT private call, initiator",
  1: "MCPTT private call, receiver",
  2: "MCVideo private call, initiator",
  3: "MCVideo private call, receiver",
  4: "MCPTT group call",
  5: "MCVideo group call",
  6: "CSK SRTCP protection for MCPTT",
  7: "MuSiK SRTCP protection for MCPTT",
  8: "CSK SRTCP protection for MCVideo",
  9: "MuSiK SRTCP protection for MCVideo",
};

export const PROT_SRTP = 0;
export const PROT_NAMES: Readonly<Record<number, string>> = { 0: "SRTP" };

export const TS_NTP_UTC = 0;

export const TS_TYPE_NAMES: Readonly<Record<number, string>> = {
  0: "NTP-UTC",
  1: "NTP",
  2: "COUNTER",
  3: "NTP-UTC-32",
};

export const ID_ROLES = {
  INITIATOR: 1,
  RESPONDER: 2,
  INITIATOR_KMS: 6,
  RESPONDER_KMS: 7,
  INITIATOR_UID: 8,
  RESPONDER_UID: 9,
} as const;

export const ID_ROLE_NAMES: Readonly<Record<number, string>> = {
  1: "IDRi (initiator)",
  2: "IDRr (responder)",
  3: "IDRkms",
  4: "IDRpsk",
  5: "IDRapp",
  6: "IDRkmsi (initiator's KMS)",
  7: "IDRkmsr (responder's KMS)",
  8: "IDRuidi (initiator's UID)",
  9: "IDRuidr (responder's UID)",
};

export const ID_TYPE_URI = 1;
export const ID_TYPE_BYTES = 2;

export const ID_TYPE_NAMES: Readonly<Record<number, string>> = { 0: "NAI", 1: "URI", 2: "byte string" };

export const SAKKE_PARAMETER_SET_1 = 1;
export const SAKKE_PARAMS_NAMES: Readonly<Record<number, string>> = { 1: "SAKKE parameter set 1" };

export const ID_SCHEME_URI = 1;
export const ID_SCHEME_MCX_UID = 2;

export const ID_SCHEME_NAMES: Readonly<Record<number, string>> = {
  1: "tel URI with monthly keys",
  2: "3GPP MCX hashed UID",
};

export const EXT_SAKKE_TO_SELF = 6;
export const EXT_KEY_PARAMETERS = 7;

export const EXTENSION_NAMES: Readonly<Record<number, string>> = {
  0: "vendor ID",
  1: "SDP IDs",
  2: "TESLA I-Key",
  3: "Key ID",
  4: "CSB_ID",
  5: "OMA BCAST",
  6: "SAKKE-to-self",
  7: "3GPP key parameters",
};

export const S_TYPE_ECCSI = 2;

export const S_TYPE_NAMES: Readonly<Record<number, string>> = {
  0: "RSA PKCS#1 v1.5",
  1: "RSA-PSS",
  2: "ECCSI",
};

/** SRTP policy parameters of RFC 3830 6.10.1, RFC 4771 4 and RFC 7714 14.3. */
export const SRTP_TYPES = {
  ENCRYPTION_ALGORITHM: 0,
  ENCRYPTION_KEY_LENGTH: 1,
  AUTHENTICATION_ALGORITHM: 2,
  AUTHENTICATION_KEY_LENGTH: 3,
  SALT_LENGTH: 4,
  PRF: 5,
  KEY_DERIVATION_RATE: 6,
  SRTP_ENCRYPTION: 7,
  SRTCP_ENCRYPTION: 8,
  FEC_ORDER: 9,
  SRTP_AUTHENTICATION: 10,
  AUTHENTICATION_TAG_LENGTH: 11,
  PREFIX_LENGTH: 12,
  ROC_RATE: 13,
  SRTP_AUTHENTICATION_ALGORITHM: 14,
  SRTCP_AUTHENTICATION_ALGORITHM: 15,
  SRTP_AUTHENTICATION_KEY_LENGTH: 16,
  SRTCP_AUTHENTICATION_KEY_LENGTH: 17,
  SRTP_TAG_LENGTH: 18,
  SRTCP_TAG_LENGTH: 19,
  AEAD_TAG_LENGTH: 20,
} as const;

export const SRTP_TYPE_NAMES: Readonly<Record<number, string>> = {
  0: "encryption algorithm",
  1: "session encryption key length",
  2: "authentication algorithm",
  3: "session authentication key length",
  4: "session salt length",
  5: "SRTP PRF",
  6: "key derivation rate",
  7: "SRTP encryption",
  8: "SRTCP encryption",
  9: "FEC order",
  10: "SRTP authentication",
  11: "authentication tag length",
  12: "SRTP prefix length",
  13: "ROC transmission rate",
  14: "SRTP authentication algorithm",
  15: "SRTCP authentication algorithm",
  16: "SRTP session authentication key length",
  17: "SRTCP session authentication key length",
  18: "SRTP authentication tag length",
  19: "SRTCP authentication tag length",
  20: "AEAD authentication tag length",
};

/** Names of single values, by parameter type. */
export const SRTP_VALUE_NAMES: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  0: { 0: "NULL", 1: "AES-CM", 2: "AES-F8", 6: "AES-GCM" },
  2: { 0: "NULL", 1: "HMAC-SHA-1", 2: "RCC mode 1", 3: "RCC mode 2", 4: "RCC mode 3" },
  5: { 0: "AES-CM" },
};
