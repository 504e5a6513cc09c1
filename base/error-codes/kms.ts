/** Codes of the KMS. docs/kms.md has the refusals that clients see, with their numbers. */
export const KMS_CODES = {
  // Refusals of requests.
  BAD_XML: "The body of the request is no well-formed KmsRequest.",
  SCHEMA: "The request is not valid by the schema of TS 33.180.",
  WRONG_KMS: "The KmsUri in the request is not that of this KMS.",
  WRONG_REQUEST_URL: "The ClientReqUrl in the request is not the resource that was asked for.",
  STALE_REQUEST:
    "The time in the request is too far from the clock of the KMS; check the clock of the client.",
  KRR_MISSING: "The request has no KrrList with the URIs of KMSs.",
  USER_UNKNOWN: "The user is not enrolled at the KMS; enrol them first.",
  USER_REVOKED: "The user has been revoked at the KMS.",
  PERIOD_NOT_ALLOWED: "The KMS does not give out keys of this key period now.",
  SIGNATURE_REQUIRED: "The request must be signed.",
  SIGNATURE_INVALID: "The signature of the request is not accepted.",
  SIGNATURE_KEY:
    "The request is signed with a TrK where it must be signed with the InK, or with a key that is not in use.",
  TRANSPORT_KEY_REQUIRED: "The KMS gives out keys only wrapped with a TrK, and the user has none.",
  TRANSPORT_KEY_UNKNOWN: "There is no transport key of this id, or it is not in use.",
  TRANSPORT_KEY_RETIRED: "The transport key of this id was retired.",
  TRANSPORT_KEY_EXISTS: "There is a transport key of this id already.",
  KMS_NOT_ALLOWED: "None of the KMSs that the request proposes may be used.",
  NO_CERTIFICATE: "No certificate of this KMS is known, or the file that was given has none.",

  // Masters, certificates and issued keys.
  NO_MASTER: "The KMS has no master key for this key period, or none at all.",
  MASTER_EXISTS: "The KMS has a master key already.",
  MASTER_REPLACED: "The key period belongs to another master key than the one that the keys were made with.",
  MASTER_REVOKED: "The certificate of the master key is revoked.",
  UNKNOWN_MASTER: "There is no master key of this number.",
  BAD_PERIOD:
    "A new master key cannot begin with this key period; it begins after the present one, or at once.",
  PERIOD_ISSUED:
    "Keys of this or a later period were issued under another master key; choose a later period.",
  OTHER_KEY_PERIODS: "A new master key must have the key periods of those before it.",
  ISSUED_TWICE: "Other keys were issued for this user and key period before.",
  CERTIFICATE_EXISTS: "The KMS has a certificate of this CertUri already.",
  UNKNOWN_CERTIFICATE: "There is no certificate of this CertUri.",
  OWN_CERTIFICATE: "The KMS makes its own certificates, so that none can be added for its KmsUri.",
  NOT_A_CERTIFICATE: "The document does not hold exactly one KMS certificate.",
  BAD_USER: "The URI of a user to enrol is none of an MC service: it must begin with sip:, sips: or tel:.",

  // The KMS as a whole.
  KMS_MISSING:
    "The database has no KMS although one was made for this folder; restore it, or correct `database.url`.",
  OTHER_KMS: "The database or the folder belongs to a KMS of another KmsUri.",
  SETTING_FIXED: "A setting was changed that a KMS or a GMS keeps for ever; put the old value back.",
  NO_SCHEMA: "The configuration wants requests checked by the schema, and no schema was handed over.",
} as const;
