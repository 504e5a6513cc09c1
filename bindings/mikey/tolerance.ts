/** Departures from TS 33.180 that exist in the field. Each one is refused unless it is named here as accepted. */
export interface Tolerance {
  /** HDR with the SRTP-ID map (type 0) of an older vendor format; its content is ignored but for the policy. */
  readonly srtpIdMap?: boolean;
  /** PRF func 0. Keys are still derived with PRF-HMAC-SHA-256, the only one TS 33.180 knows. */
  readonly prfMikey1?: boolean;
  /** ID scheme 1 for the hashed UID: E.3.1 names the scheme so while meaning the UID of F.2.1. */
  readonly idScheme1?: boolean;
  /** Signature over the message without the two octets of the SIGN header; tried after the standard form. */
  readonly signatureWithoutHeader?: boolean;
  /** Key parameters in the clear with Key Type counted from 1, an older vendor format. */
  readonly unprotectedParameters?: boolean;
  /** Protected payload with the optional Signalling algorithm octet; whether it enters the AAD is open. */
  readonly signallingAlgorithm?: "in-aad" | "outside-aad";
  /**
   * An SP payload beside the empty map breaks RFC 4563 5, yet a production library sends it. It is ignored
   * unless this is set to false.
   */
  readonly spWithEmptyMap?: boolean;
}
