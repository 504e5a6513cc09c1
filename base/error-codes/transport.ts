/** Codes of SIP and of the exchanges of HTTP clients. */
export const TRANSPORT_CODES = {
  // SIP messages.
  SIP_START_LINE: "The first line of a SIP message is malformed.",
  SIP_VERSION: "A SIP message is of another version than SIP/2.0.",
  SIP_HEADER: "A header field of a SIP message is malformed, missing, or there more often than it may be.",
  SIP_NOT_UTF8: "The header of a SIP message is not UTF-8.",
  SIP_TRUNCATED: "The header of a SIP message has no end.",
  SIP_LENGTH: "The Content-Length of a SIP message is missing, there twice, or more than the body has.",
  SIP_TOO_LARGE: "A SIP message has more header lines, or a larger header or body, than is accepted.",
  SIP_URI: "A SIP URI is malformed.",
  SIP_CONTACT: "A message that makes a SIP dialog does not have exactly one Contact.",
  SIP_BAD_TEXT: "A text cannot be written into a SIP header field.",

  // Sending over SIP.
  SIP_NO_TRANSPORT: "A SIP endpoint was made without a transport.",
  SIP_TWO_TRANSPORTS: "A SIP endpoint was given two transports of one kind.",
  SIP_UNREACHABLE:
    "No address of a SIP URI can be found or reached; check the URI, DNS and that the server runs.",
  SIP_TIMEOUT: "A SIP request got no final response in time.",
  SIP_FLOW_FAILED: "The connection of a SIP request failed before the response came.",
  IMS_REFUSED: "The IMS answered a REGISTER with a refusal; the message has its status.",

  // HTTP exchanges with a KMS.
  KMS_UNREACHABLE: "The KMS cannot be reached; check its URL, and that it runs.",
  KMS_TIMEOUT: "The KMS did not answer in time.",
  KMS_REDIRECT: "The KMS answered with an HTTP redirect, which clients do not follow.",
  KMS_ANSWER_TOO_LARGE: "The answer of the KMS is larger than the client accepts.",

  // HTTP exchanges with a GMS.
  XCAP_UNREACHABLE: "The XCAP server of the GMS cannot be reached; check its URL, and that it runs.",
  XCAP_TIMEOUT: "The XCAP server of the GMS did not answer in time.",
  XCAP_REDIRECT: "The XCAP server answered with an HTTP redirect, which clients do not follow.",
  XCAP_ANSWER_TOO_LARGE: "The answer of the XCAP server is larger than the client accepts.",
  XCAP_REFUSED:
    "The XCAP server answered with another status than that of success; the error has it as `status`.",
} as const;
