/** Codes of the numbered checks: docs/validation.md has the rule of each, and its clause. */
export const CHECK_CODES = {
  // Structure of the message.
  MESSAGE_TOO_LONG: "The message has more octets than the receiver accepts.",
  TRUNCATED: "A field, or a length that a field announces, reaches beyond the end of the message.",
  TRAILING_OCTETS: "Octets follow the last payload of the message.",
  UNKNOWN_PAYLOAD:
    "The message has a payload whose length cannot be read, as its type or algorithm is not known.",
  UNEXPECTED_PAYLOAD: "The message has a payload that does not belong in an I_MESSAGE.",
  MISSING_PAYLOAD: "The message lacks a payload that every I_MESSAGE must have.",
  DUPLICATE_PAYLOAD: "The message has a payload twice that may be there only once.",

  // Field values.
  BAD_VERSION: "The version of MIKEY in the message is not 1.",
  BAD_DATA_TYPE: "The data type of the message is not 26, which is that of an I_MESSAGE.",
  V_FLAG_SET: "The message asks for a response, which is not defined for MIKEY-SAKKE.",
  BAD_PRF: "The PRF function of the message is not PRF-HMAC-SHA-256.",
  BAD_CS_ID_MAP: "The message has a type of CS ID map that is not accepted.",
  CS_COUNT_MISMATCH: "The message counts crypto sessions although its CS ID map is the empty one.",
  BAD_CRYPTO_SESSION:
    "A crypto session of the message is not for SRTP, is malformed, or has a CS ID that is used twice.",
  BAD_TIMESTAMP_TYPE: "The timestamp T of the message is not an NTP time in UTC.",
  RAND_TOO_SHORT: "The RAND of the message has fewer than 16 octets.",
  BAD_IDENTITY:
    "An identity in the message is neither a URI in UTF-8 nor, where it is hidden, a UID of 32 octets.",
  BAD_SECURITY_POLICY:
    "A security policy of the message is malformed, or asks for another protection of SRTP than the profile's.",
  SP_WITH_EMPTY_MAP:
    "The message has a security policy with the empty map, and the receiver is configured to refuse that.",
  MISSING_POLICY: "A crypto session names a security policy that the message does not have.",
  BAD_SAKKE_PARAMS: "The SAKKE parameter set of the message is not set 1.",
  BAD_ID_SCHEME: "The ID scheme of the SAKKE payload is not 2, the hashed UID of 3GPP MCX.",
  BAD_SED_LENGTH: "The SAKKE encapsulated data of the message do not have 273 octets.",
  BAD_SIGNATURE_TYPE: "The signature of the message is not of type 2, ECCSI.",
  BAD_SIGNATURE_LENGTH: "The signature of the message does not have 129 octets.",
  BAD_SELF_EXTENSION: "The SAKKE-to-self extension does not hold exactly one readable SAKKE payload.",
  UNDEFINED_PURPOSE_TAG: "The purpose tag of the CSB ID stands for no kind of key.",

  // Whether this receiver may take the message now.
  PURPOSE_NOT_ALLOWED:
    "The message brings a kind of key that the procedure which carried it may not deliver.",
  TIME_OUTSIDE_WINDOW:
    "The time T of the message is too far from the receiver's clock; check the clocks of both sides.",
  REPLAYED: "The message or request was accepted before, or may have been.",
  UNKNOWN_INITIATOR_KMS: "The KMS of the initiator is not known to the receiver, or is not allowed.",
  RESPONDER_KMS_NOT_MINE: "The message names a KMS of the responder from which the receiver has no keys.",
  KMS_NOT_VALID: "The certificate of one of the two KMSs is revoked, or was not valid at the time T.",
  NOT_FOR_ME: "The message is for none of the identities of the receiver.",
  NO_KEY_FOR_PERIOD:
    "The receiver has no key for the key period of T; get the keys of that period from the KMS.",
  KEY_PERIOD_NOT_CURRENT: "The key period of T is not the present one, nor a neighbour within the overlap.",
  UID_PERIOD_MISMATCH: "The UID in the message is the receiver's in another key period than that of T.",
  INITIATOR_NOT_AS_ASSERTED: "The message names another initiator than the protocol that carried it.",

  // Signature, key and parameters.
  BAD_SIGNATURE: "The signature of the message does not verify for this initiator under the key of its KMS.",
  INITIATOR_NOT_AUTHORISED: "The initiator may not send this kind of key to the receiver.",
  BAD_SAKKE_POINT: "The encapsulated data of the message hold no point of the SAKKE curve.",
  SAKKE_CHECK_FAILED: "The encapsulated key was altered, or is for another receiver.",
  KEY_PARAMETERS_MISSING: "The message has no key parameters, which the receiver requires.",
  BAD_PROTECTED_PAYLOAD: "The envelope of the key parameters is malformed, or not of AES-128-GCM.",
  PROTECTION_KEY_MISMATCH:
    "The key parameters name another key as their protection than the one of the message.",
  UNPROTECTED_PARAMETERS:
    "The key parameters are in clear, and the receiver is not configured to tolerate that.",
  PARAMETERS_NOT_AUTHENTIC: "The key parameters cannot be decrypted with the delivered key.",
  BAD_KEY_PARAMETERS: "The key parameters cannot be read, or their key expires before it becomes active.",
  KEY_TYPE_MISMATCH: "The key type in the key parameters is not the one that the CSB ID says.",
  SPI_MISMATCH: "The SPI of a crypto session does not belong to the key of the message.",
  RESPONDER_UNKNOWN:
    "The responder is hidden, and the URI that the receiver knows for it is missing or has another UID.",
  HIDDEN_INITIATOR_UNKNOWN:
    "The initiator is hidden, and the protocol that carried the message does not name it.",
  HIDDEN_INITIATOR_MISMATCH:
    "The UID that signed the message is not that of the initiator whom the carrier named.",
  KEY_EXPIRED: "The key of the message has expired.",
  KEY_REVOKED: "The message revokes its key, so that there is no key to use.",
  KEY_ID_REVOKED: "The key identifier of the message was revoked before.",
  DUPLICATE_KEY_ID: "The key identifier of the message belongs to a key of another initiator.",
  KEY_ID_REUSED: "The key identifier of the message is in use with another key or RAND.",
  NOT_NEWER: "The time T is not later than that of the last message accepted for the same key identifier.",
  GROUP_IDS_MISSING: "The message brings a GMK without the groups that it is for.",
  GROUP_NOT_EXPECTED: "The GMK is for none of the groups whose keys the receiver expects.",
  INITIATOR_NOT_OF_KMS: "The initiator is in none of the domains for which its KMS may vouch.",

  // Key material on load.
  BAD_KMS_CERTIFICATE:
    "The KMS certificate has another user ID format or parameter set, or impossible key periods.",
  BAD_PUBLIC_ENCRYPTION_KEY: "PubEncKey of the KMS certificate is no valid KMS Public Key.",
  BAD_PUBLIC_AUTHENTICATION_KEY: "PubAuthKey of the KMS certificate is no valid point of P-256.",
  KEY_SET_OF_OTHER_KMS: "The key set comes from a KMS whose certificate was not given with it.",
  KEY_SET_REVOKED: "The key set is marked as revoked.",
  KEY_SET_UID_MISMATCH: "The UserID of the key set does not follow from its identity, KMS and key period.",
  RSK_INVALID: "The RSK of the key set does not belong to its UID and KMS; ask the KMS for both again.",
  SSK_INVALID:
    "The SSK or PVT of the key set does not belong to its UID and KMS; ask the KMS for both again.",
} as const;
