/**
 * The keys and certificates that a KMS hands out, as plain data. Documents (TS 33.180 annex D) and databases are read
 * into these shapes; nothing in them has been checked yet. `KmsDomain`, `Initiator` and `Receiver` check on load.
 */

/** KMS certificate, TS 33.180 D.3.2: the public side of one security domain. */
export interface KmsCertificate {
  /** `KmsUri` exactly as printed: it is hashed into every UID. */
  readonly kmsUri: string;
  readonly role?: "Root" | "External";
  readonly isSecurityGateway?: boolean;
  readonly id?: string;
  readonly certUri?: string;
  readonly issuer?: string;
  /** Milliseconds since the Unix epoch. */
  readonly validFrom?: number;
  /** Milliseconds since the Unix epoch. */
  readonly validTo?: number;
  readonly revoked?: boolean;
  /** "2" is the hashed UID of F.2.1. */
  readonly userIdFormat: string;
  /** Key period length P3, in seconds. */
  readonly userKeyPeriod: number;
  /** Key period offset P4, in seconds, less than the period. */
  readonly userKeyOffset: number;
  /** SAKKE public key Z_T, 257 octets. */
  readonly pubEncKey: Uint8Array;
  /** ECCSI public key KPAK, 65 octets. */
  readonly pubAuthKey: Uint8Array;
  /** SAKKE parameter set; 1 when absent. */
  readonly parameterSet?: number;
  readonly kmsDomains?: readonly string[];
}

/** User key set, TS 33.180 D.3.3: the secret keys of one identity for one key period. */
export interface KeySet {
  readonly kmsUri: string;
  readonly certUri?: string;
  readonly issuer?: string;
  readonly userUri: string;
  /** 32 octets, F.2.1. */
  readonly uid: Uint8Array;
  /** Milliseconds since the Unix epoch. */
  readonly validFrom?: number;
  /** Milliseconds since the Unix epoch. */
  readonly validTo?: number;
  readonly keyPeriodNo: number;
  readonly revoked?: boolean;
  /** SAKKE Receiver Secret Key, 257 octets. */
  readonly rsk: Uint8Array;
  /** ECCSI Secret Signing Key, 32 octets. */
  readonly ssk: Uint8Array;
  /** ECCSI Public Validation Token, 65 octets. */
  readonly pvt: Uint8Array;
}
