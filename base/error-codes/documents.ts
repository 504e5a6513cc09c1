/** Codes of XML, multipart bodies and session descriptions. */
export const DOCUMENT_CODES = {
  // XML in general.
  XML_NOT_WELL_FORMED: "An XML document is not well-formed.",
  XML_DTD: "An XML document has a document type declaration, which is not accepted.",
  XML_ENCODING: "An XML document is in another encoding than UTF-8.",
  XML_TOO_LARGE: "An XML document is longer, or has more elements, than is accepted.",
  XML_TOO_DEEP: "An XML document is nested more deeply than is accepted.",
  XML_SCHEMA: "A document of a KMS is not valid by the schema of TS 33.180.",
  BAD_XML_TEXT: "A text has characters that XML cannot carry.",

  // Signatures and encryption of XML.
  XML_CANNOT_SIGN: "An element cannot be signed in this document; the message says why.",
  XML_SIGNATURE_MISSING: "What must be signed has no signature.",
  XML_SIGNATURE_MALFORMED:
    "An XML signature is malformed, there twice, or over XML without a canonical form.",
  XML_SIGNATURE_ALGORITHM: "An XML signature uses an algorithm or transform that is not accepted.",
  XML_SIGNATURE_REFERENCE:
    "An XML signature covers something other than what it must, or something that is not unique.",
  XML_SIGNATURE_KEY: "An XML signature was made with a key that the receiver does not have.",
  XML_SIGNATURE_VALUE: "An XML signature does not verify: it was made with another key, or was altered.",
  XML_SIGNATURE_DIGEST: "What an XML signature covers was altered.",
  XML_CANNOT_ENCRYPT: "A value cannot be encrypted, as its element is malformed or encrypted already.",
  XML_ENCRYPTION_MISSING: "An XML value that must be encrypted is in clear.",
  XML_ENCRYPTION_MALFORMED: "An encrypted XML value is malformed.",
  XML_ENCRYPTION_ALGORITHM: "An XML value is encrypted with another algorithm than AES-128-GCM.",
  XML_ENCRYPTION_KEY: "An XML value is encrypted under a key that the receiver does not have.",
  XML_ENCRYPTION_VALUE:
    "An encrypted XML value does not decrypt to a value: it is under another key, or was altered.",
  NO_SIGNALLING_KEY:
    "There is no CSK or SPK to protect XML with; the client has not uploaded a CSK, or its binding is over.",
  BAD_USER_ID: "The MC service user ID from which an XML key is derived is empty or no text.",
  SERVICE_CONFIG: "The protection settings of a service configuration document are malformed.",

  // Documents of a KMS.
  KMS_XML_ROOT: "The document is not the document of a KMS that is expected here.",
  KMS_XML_MISSING: "A document of a KMS lacks an element that it must have.",
  KMS_XML_DUPLICATE: "A document of a KMS has an element twice that may be there only once.",
  KMS_XML_VALUE: "An element of a KMS document has a value that it may not have.",
  KMS_XML_INCOMPLETE: "A key set without UID cannot be written as a KMS document.",
  KMS_XML_MESSAGE_AND_ERROR: "A KmsResponse was to be written with both a message and an error.",
  KMS_MESSAGE_UNKNOWN: "A KmsResponse has no message, or one of a type that is not known.",
  KMS_KEY_ALGORITHM: "A key in a KMS document is wrapped with another algorithm than AES-256 key wrap.",
  KMS_KEY_ENCRYPTED: "A key set is wrapped with a TrK where keys in clear are needed.",
  KMS_NEW_KEY_IN_CLEAR: "A new TrK or InK is not wrapped with the TrK in use.",
  KMS_TRK_UNKNOWN: "A key is wrapped with a TrK that the client does not have.",
  KMS_SIGNATURE_ID: "The key that signed a KMS document is not the one that its SignatureId names.",

  // Documents of group management, and XCAP.
  GROUP_XML_ROOT: "The root of a document of group management is not the one that is expected.",
  GROUP_XML_MISSING: "A document of group management lacks an element or attribute that it must have.",
  GROUP_XML_DUPLICATE:
    "A document of group management has an element or member twice that may be there only once.",
  GROUP_XML_VALUE: "An element of a document of group management has a value that it may not have.",
  GROUP_XML_LIMIT: "A document of group management has more, or longer, values than is accepted.",
  BAD_GROUP_DOCUMENT: "A group document was to be written with a protection setting that is not known.",
  BAD_REPORT: "The digest or the warning of a GKTP report cannot be written.",
  BAD_PATCH: "A patch of a GKTP document cannot be written.",
  XCAP_PATCH: "A patch removes an entry that the GKTP document does not have.",
  XCAP_PATH: "An XCAP path or node selector is malformed.",
  NOTIFY_TYPE: "A NOTIFY of the GMS has a body of a type that is not known.",
  MCPTT_INFO_ENCRYPTED: "A value of mcptt-info is encrypted, and must be decrypted before it is read.",
  MCVIDEO_INFO_ENCRYPTED: "A value of mcvideo-info is encrypted, and must be decrypted before it is read.",
  MCDATA_INFO_ENCRYPTED: "A value of mcdata-info is encrypted, and must be decrypted before it is read.",

  // Multipart bodies and session descriptions.
  MULTIPART_TYPE: "The content type of a body is not multipart with a valid boundary.",
  MULTIPART_FORMAT: "A multipart body does not have the form of RFC 2046.",
  MULTIPART_ENCODING:
    "A part of a multipart body has an unknown transfer encoding, or is not in the one that it names.",
  MULTIPART_LIMIT: "A multipart body is longer, or has more parts, than is accepted.",
  BAD_PART:
    "The parts of a multipart body cannot be written together, or one has a header that cannot be written.",
  BAD_MONP: "A message of off-network call control is malformed, or has a text that is too long.",
  BAD_SDP: "A session description is malformed, or describes media that the call does not have.",
} as const;
