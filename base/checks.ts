/**
 * The numbered checks of docs/validation.md. A number and its code never change their meaning; a check that
 * goes away leaves a gap. Order follows the receiver order of RFC 3830 5.3, RFC 6509 2.2.2 and TS 33.180 5.2.
 */
import type { CHECK_CODES } from "./error-codes/checks.ts";
import { type ErrorKind, MikeySakkeError } from "./errors.ts";

export const CHECKS = {
  // Structure (RFC 3830 5.3, 6): the payload chain can be walked and has the right members.
  MESSAGE_TOO_LONG: [1, "codec"],
  TRUNCATED: [2, "codec"],
  TRAILING_OCTETS: [3, "codec"],
  UNKNOWN_PAYLOAD: [4, "codec"],
  UNEXPECTED_PAYLOAD: [5, "validation"],
  MISSING_PAYLOAD: [6, "validation"],
  DUPLICATE_PAYLOAD: [7, "validation"],
  // Field values (TS 33.180 E.1 to E.7).
  BAD_VERSION: [10, "validation"],
  BAD_DATA_TYPE: [11, "validation"],
  V_FLAG_SET: [12, "validation"],
  BAD_PRF: [13, "validation"],
  BAD_CS_ID_MAP: [14, "validation"],
  CS_COUNT_MISMATCH: [15, "validation"],
  BAD_CRYPTO_SESSION: [16, "validation"],
  BAD_TIMESTAMP_TYPE: [17, "validation"],
  RAND_TOO_SHORT: [18, "validation"],
  BAD_IDENTITY: [19, "validation"],
  BAD_SECURITY_POLICY: [20, "validation"],
  SP_WITH_EMPTY_MAP: [21, "validation"],
  MISSING_POLICY: [22, "validation"],
  BAD_SAKKE_PARAMS: [23, "validation"],
  BAD_ID_SCHEME: [24, "validation"],
  BAD_SED_LENGTH: [25, "validation"],
  BAD_SIGNATURE_TYPE: [26, "validation"],
  BAD_SIGNATURE_LENGTH: [27, "validation"],
  BAD_SELF_EXTENSION: [28, "validation"],
  UNDEFINED_PURPOSE_TAG: [29, "validation"],
  // Whether this receiver, now, may take this message at all.
  PURPOSE_NOT_ALLOWED: [30, "validation"],
  TIME_OUTSIDE_WINDOW: [31, "validation"],
  REPLAYED: [32, "validation"],
  UNKNOWN_INITIATOR_KMS: [33, "validation"],
  RESPONDER_KMS_NOT_MINE: [34, "validation"],
  KMS_NOT_VALID: [35, "validation"],
  NOT_FOR_ME: [36, "validation"],
  NO_KEY_FOR_PERIOD: [37, "validation"],
  KEY_PERIOD_NOT_CURRENT: [38, "validation"],
  UID_PERIOD_MISMATCH: [39, "validation"],
  INITIATOR_NOT_AS_ASSERTED: [40, "validation"],
  // Cryptographic checks and what they uncover.
  BAD_SIGNATURE: [41, "verification"],
  INITIATOR_NOT_AUTHORISED: [42, "verification"],
  BAD_SAKKE_POINT: [43, "verification"],
  SAKKE_CHECK_FAILED: [44, "verification"],
  KEY_PARAMETERS_MISSING: [45, "validation"],
  BAD_PROTECTED_PAYLOAD: [46, "validation"],
  PROTECTION_KEY_MISMATCH: [47, "validation"],
  UNPROTECTED_PARAMETERS: [48, "validation"],
  PARAMETERS_NOT_AUTHENTIC: [49, "verification"],
  BAD_KEY_PARAMETERS: [50, "validation"],
  KEY_TYPE_MISMATCH: [51, "validation"],
  SPI_MISMATCH: [52, "validation"],
  RESPONDER_UNKNOWN: [53, "validation"],
  HIDDEN_INITIATOR_UNKNOWN: [54, "verification"],
  HIDDEN_INITIATOR_MISMATCH: [55, "verification"],
  KEY_EXPIRED: [56, "validation"],
  KEY_REVOKED: [57, "validation"],
  KEY_ID_REVOKED: [58, "validation"],
  DUPLICATE_KEY_ID: [59, "validation"],
  KEY_ID_REUSED: [60, "validation"],
  NOT_NEWER: [61, "validation"],
  // Whether a group key is for a group of this receiver (TS 33.180 5.7.2, E.6.3).
  GROUP_IDS_MISSING: [62, "validation"],
  GROUP_NOT_EXPECTED: [63, "validation"],
  // Whether the KMS may vouch for the initiator (TS 33.180 5.3.1, D.3.2).
  INITIATOR_NOT_OF_KMS: [64, "verification"],
  // Key material on load (RFC 6507 5.1.2, RFC 6508 6.1.2, TS 33.180 D.3.2, D.3.3).
  BAD_KMS_CERTIFICATE: [70, "validation"],
  BAD_PUBLIC_ENCRYPTION_KEY: [71, "validation"],
  BAD_PUBLIC_AUTHENTICATION_KEY: [72, "validation"],
  KEY_SET_OF_OTHER_KMS: [73, "validation"],
  KEY_SET_REVOKED: [74, "validation"],
  KEY_SET_UID_MISMATCH: [75, "validation"],
  RSK_INVALID: [76, "validation"],
  SSK_INVALID: [77, "validation"],
} as const satisfies Record<keyof typeof CHECK_CODES, readonly [number, ErrorKind]>;

export type CheckCode = keyof typeof CHECKS;

/** The error of a failed check. `offset` counts octets from the start of the message. */
export function refusal(
  code: CheckCode,
  message: string,
  details: { offset?: number; cause?: unknown } = {},
): MikeySakkeError {
  const [check, kind] = CHECKS[code];
  return new MikeySakkeError(kind, code, message, { check, ...details });
}
