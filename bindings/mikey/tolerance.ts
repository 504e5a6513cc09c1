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
  /** Status 0x00000000, which by E.6.9 says "revoked", as that of a key like any other. */
  readonly statusZero?: boolean;
  /**
   * An SP payload beside the empty map breaks RFC 4563 5, yet a production library sends it. It is ignored
   * unless this is set to false.
   */
  readonly spWithEmptyMap?: boolean;
}

export interface NamedTolerance {
  readonly tolerance: Tolerance;
  /** The messages that are taken although they would be refused, and the risk of that. */
  readonly risk: string;
}

/** By the names that command lines and configurations have for them. */
export const TOLERANCES: ReadonlyMap<string, NamedTolerance> = new Map([
  [
    "srtp-id-map",
    {
      tolerance: { srtpIdMap: true },
      risk: "CS ID map type 0: crypto sessions are not read, so that a session that the peer meant to be different has the default profile.",
    },
  ],
  [
    "prf-mikey-1",
    {
      tolerance: { prfMikey1: true },
      risk: "PRF func 0: keys are derived by PRF-HMAC-SHA-256 all the same, so that a peer that means PRF func 0 is not understood.",
    },
  ],
  [
    "id-scheme-1",
    {
      tolerance: { idScheme1: true },
      risk: 'ID scheme 1 ("URI scheme"): the identity is hashed as in F.2.1 all the same; no check is lost.',
    },
  ],
  [
    "signature-without-header",
    {
      tolerance: { signatureWithoutHeader: true },
      risk: "Signatures that leave out the SIGN header: two octets, signature type and length, are not authentic then.",
    },
  ],
  [
    "unprotected-parameters",
    {
      tolerance: { unprotectedParameters: true },
      risk: "Key parameters in clear: anyone on the path reads names of groups and times, and whether a key is revoked.",
    },
  ],
  [
    "signalling-algorithm-in-aad",
    {
      tolerance: { signallingAlgorithm: "in-aad" },
      risk: "A signalling algorithm octet in protected payloads, within the additional data: no check is lost.",
    },
  ],
  [
    "signalling-algorithm-outside-aad",
    {
      tolerance: { signallingAlgorithm: "outside-aad" },
      risk: "A signalling algorithm octet in protected payloads, outside of the additional data: that octet is not authentic.",
    },
  ],
  [
    "status-zero",
    {
      tolerance: { statusZero: true },
      risk: "Status 0 is no revocation: a key that a GMS revokes as E.6.9 has it, this package's GMS among them, goes on being used.",
    },
  ],
]);

/** All of these together; undefined for a name that is none. */
export function toleranceOf(names: readonly string[]): Tolerance | undefined {
  const named = names.map((name) => TOLERANCES.get(name));
  if (named.includes(undefined)) return undefined;
  return Object.assign({}, ...named.map((one) => one!.tolerance));
}
