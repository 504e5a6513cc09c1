/** Codes of clients: identity, group keys and calls. */
export const CLIENT_CODES = {
  // Provisioning from a KMS.
  BAD_KMS_URL: "The URL of the KMS is no https URL, or has a user, query or fragment.",
  KMS_URL_NOT_HTTPS: "The URL of a KMS must be https, except on a loopback address.",
  NO_KMS_URI: "The client does not know the KmsUri of its KMS yet; call its `discover()` first.",
  TIME_WITHOUT_URI: "Keys of a certain time can be asked for one URI only.",
  KMS_REFUSED:
    "The KMS answered with a refusal; the error has its HTTP status, and its error code where there is one.",
  KMS_NOT_TRUSTED: "The client may not use this KMS, or may not take its own keys from it.",
  KMS_ANSWER_KMS: "The answer or certificate is of another KMS than the one that was asked.",
  KMS_ANSWER_USER: "The answer of the KMS is for another user than the one who asked.",
  KMS_ANSWER_URL: "The answer of the KMS is for another request.",
  KMS_ANSWER_TIME: "The time in the answer of the KMS is too far from the client's clock; check both clocks.",
  KMS_ANSWER_TYPE: "The answer of the KMS holds another message than the one that was asked for.",
  KMS_ANSWER_PERIOD: "The validity of a key set in the answer of the KMS is not that of its key period.",
  KMS_ANSWER_UNSIGNED:
    "The answer of the KMS is not signed although the client and the KMS share a key for that.",
  KMS_KEYS_IN_CLEAR: "The KMS sent keys in clear although the client has a TrK.",
  KMS_KEYS_MISSING: "The KMS gave no keys for the present key period.",
  KMS_NEW_KEY_ID: "The KMS sent another TrK or InK under the id of the one in use.",
  KMS_CERTIFICATE_NOT_VALID: "The certificate of the KMS is revoked, or is not valid now.",
  NOT_PROVISIONED: "The client has no usable keys of this user from the KMS; provision them first.",

  // Signing in.
  OIDC_FAILED:
    "The identity management server cannot be reached, or did not give a token; the message says why.",
  OIDC_STATE: "The answer of the sign-in belongs to another request, or comes from another server.",
  OIDC_ENDED:
    "The identity management server no longer takes the code or the refresh token: the person signs in again.",
  LOGIN_TIMED_OUT: "Nobody signed in within the time that the command waits.",

  // Stored keys.
  BAD_STORAGE_KEY: "The storage key does not have the right length.",
  STORAGE_FAILED: "The database of the browser failed.",
  STORAGE_FORMAT: "A stored record is damaged, or not of a known form.",
  STORAGE_SEAL:
    "The storage key does not open a stored record: the record was changed, or the key is another.",

  // Group keys.
  BAD_GROUP_CLIENT: "The options of a group client do not fit together; the message says why.",
  NO_WAY_TO_KEYS: "The GMS does not send keys in its NOTIFYs, and the client has no HTTP to fetch them with.",
  NOTHING_STAGED: "The state of a receiver was to be stored before a message was accepted.",
  OLDER_THAN_RING:
    "The message was sent before this ring of keys was made, so that it cannot be told from a replay.",
  STOPPED: "The client was stopped while the work was under way.",
  SUBSCRIPTION_LOST: "The subscription to the GMS ended before the call was done.",
  KEY_PENDING:
    "The key of the group is not active yet; wait until its activation, or replace it by one that is.",

  // Calls and short data.
  CALL_CLOSED: "The call is closed.",
  FLOOR_NOT_GRANTED: "The client has no permission to talk; ask for the floor first.",
  TOO_MANY_CALLS: "The client has as many private calls as it may have; hang up one first.",
  PRIVATE_CALL_REFUSED: "The client of the other user refuses the private call; the message says why.",
  PRIVATE_CALL_UNANSWERED: "The client of the other user does not answer the private call.",
  PRIVATE_CALL_INVALID:
    "The INVITE of a private call from the server is not for this client, or not protected.",
  MCX_REFUSED: "The MCX server answered a request with a refusal; the error has its SIP status.",
  MCX_REDIRECT:
    "The MCX server redirected from a protected connection to one in clear, which clients do not follow.",
  MCX_SILENT: "The MCX server does not answer in time, or answers its keep-alives with an error.",
  NOT_THE_SERVER: "A MESSAGE to the client does not come from its MCX server.",
} as const;
