/** Codes of values, keys and media: base and bindings. */
export const LIBRARY_CODES = {
  // Arguments and values.
  NOT_BYTES: "An argument that must be a Uint8Array is of another type.",
  WRONG_LENGTH: "An octet string does not have one of the lengths that are allowed; the message names them.",
  WRONG_TYPE: "An argument is of another type than the function takes.",
  BAD_HEX: "A text is not an even number of hexadecimal digits.",
  BAD_BASE64: "A text is not base64.",
  BAD_UTF8: "The octets of a text are not UTF-8.",
  BAD_INTEGER: "A number that must be a whole number of 0 or more is something else.",
  BAD_OPTION: "An option of a pool is out of range.",
  BAD_TIME: "A time cannot be read or is out of range, or times that must lie in one second do not.",
  TIME_OUT_OF_RANGE:
    "A time is outside the years 1968 to 2104, which is what an NTP time of the messages can express.",
  BAD_RANDOM: "The random source that was passed in does not return usable octets.",
  DESTROYED: "The object was destroyed before this call, and its keys are gone.",

  // The WebAssembly core and its workers.
  NO_WEBCRYPTO: "The host has no Web Crypto; a page needs a secure context (https).",
  NO_WASM: "The host cannot run WebAssembly, or its Content-Security-Policy forbids it.",
  NO_SIMD: "The host has no WebAssembly SIMD, which the core needs.",
  NO_BUILD: "The wanted build of the core cannot be used on this host.",
  OUT_OF_MEMORY: "The memory of the core has no room for this call.",
  BAD_ADDRESS:
    "No block of memory begins at this address, or media of a leg may not be sent to this address.",
  OTHER_CORE: "The keys were loaded on another core than the pool's; load them on `pool.core`.",
  NO_WORKERS: "The host has neither worker threads nor Web Workers.",
  NO_WORKER: "A worker of the pool did not start.",
  NOT_A_WORKER: "The file of a worker was loaded by something other than a pool.",
  NOT_STARTED: "The client or worker is used before it was started, or after it was stopped.",
  NO_JOB: "A worker was asked to go on with a job that is not open.",
  JOB_OVER: "The job of the pool has ended, and takes no more work.",
  WORKER_FAILED: "The same part of a job failed on several workers.",

  // Keys and identities.
  BAD_POINT: "The octets are no point of the curve in uncompressed form.",
  BAD_SED: "The SAKKE encapsulated data do not have the right length or do not start with 04.",
  BAD_SSK: "The SSK and PVT do not belong to this identifier and KMS.",
  BAD_RSK: "The RSK does not belong to this identifier and KMS.",
  BAD_MASTER_SECRET: "The master secret z or the KSAK of a KMS is out of range.",
  NO_KEY: "The KMS cannot make a key for this identifier, which is the negative of its master secret.",
  NO_ENCAPSULATION:
    "Nothing can be encapsulated to this identifier, which is the negative of the master secret of its KMS.",
  BAD_KEY_ID:
    "A key identifier is not an unsigned 32-bit number, or its purpose tag is that of another kind of key.",
  PARAMETER_TOO_LONG: "A parameter of the key derivation function has more than 65535 octets.",
  BEFORE_FIRST_PERIOD: "The time is before the first key period of the KMS.",
  ONE_IDENTITY: "An initiator was given key sets of several identities, or none.",
  ONE_KMS: "An initiator was given certificates of several KMSs, or none.",
  NO_SIGNING_KEY:
    "The initiator has no signing key for this key period; get the keys of the period from its KMS.",
  UNKNOWN_KMS: "The certificate of the KMS of a recipient is not at hand.",
  KEY_UNWRAP: "A wrapped key was altered, or was wrapped under another key.",

  // Making and keeping messages.
  FIELD_OUT_OF_RANGE: "A number does not fit the field of the message that it is for.",
  READ_ONLY_MAP: "This type of CS ID map is read but not written.",
  NO_MEMBERS: "The plan has no members to seal a key for.",
  BAD_MEMBER: "A member, or a list of members, is not accepted; the message says which and why.",
  DUPLICATE_MEMBER: "A URI is listed twice among the members.",
  GUK_ID_COLLISION: "Two members would share a GUK-ID, and so the key stream of their media.",
  OTHER_INITIATOR: "The plan was made for another initiator than the one whose keys are to sign it.",
  NO_GROUPS: "Group IDs were given for a kind of key that carries none.",
  RECEIVER_STATE_FULL: "The receiver holds as many key records as it may, and none of them can be dropped.",
  NOT_A_SIGNALLING_KEY: "This kind of key does not protect XML.",

  // Media, floor control and short data.
  NOT_A_GMK: "The key is no GMK, and so has no GUK-IDs.",
  NOT_A_PCK: "The key is not one that protects a private call.",
  NOT_A_CONTROL_KEY: "This kind of key does not protect control signalling.",
  NO_CONTROL_KEY: "There is no CSK or MuSiK to protect control signalling with.",
  NO_GROUP_KEY:
    "There is no active GMK of the group; look whether the user is a member, or give the key more time to come.",
  BAD_RTP: "The octets are no RTP packet.",
  BAD_RTCP: "The octets are no RTCP packet.",
  OTHER_SSRC: "A packet to be sent has another SSRC than its sender.",
  SSRC_USED: "The SSRC has sent under this key before, and sending anew would use nonces twice.",
  SRTP_INDEX_USED: "The sequence number of an RTP packet does not come after the last one sent.",
  SRTP_KEY_EXHAUSTED: "The sender has sent as many RTP packets under one key as there may be.",
  SRTCP_KEY_EXHAUSTED: "The sender has sent as many RTCP packets under one key as there may be.",
  INDEXES_EXHAUSTED:
    "The stream has used all indexes that it may send under; begin another, as by placing the call anew.",
  BAD_DEVICE: "The number of a device is out of range.",
  BAD_FRAME: "A frame of speech does not have as many samples as its codec takes: 160 with G.711.",
  FLOOR_FIELD: "A field of a floor control message has more than 255 octets.",
  BAD_FLOOR_MESSAGE: "A floor control message is malformed.",
  TRANSMISSION_FIELD: "A field of a transmission control message has more than 255 octets.",
  BAD_TRANSMISSION_MESSAGE: "A transmission control message is malformed.",
  BAD_MCDATA_MESSAGE: "The MCData message to protect is empty, or is protected already.",
  BAD_MCDATA_PAYLOAD: "A payload of an MCData message is malformed, or cannot be written.",
  BAD_MCDATA_SIGNALLING:
    "The signalling payload of an MCData message is malformed, or of another kind than is expected.",
  BAD_MCDATA_FILE:
    "A file to distribute is too large or has a name with a path, or what was sealed as a file is none.",
  FILES_FULL: "The MCX server keeps as many files as it may, or as many of that user.",
  FILE_GONE: "A file of an MCX server was deleted while it was read.",
  FILE_REFUSED: "A file was not uploaded or not fetched: the MCX server refused it, or does not answer.",
  DOWNLOAD_TOO_LARGE: "A file that is offered for download is larger than this client takes.",
  NO_FILE_SERVER: "The client was not told where files of the MCX server are.",
  MCDATA_REFUSED:
    "Short data are malformed, not authentic, not protected from end to end, or of a kind that is not served.",
} as const;
