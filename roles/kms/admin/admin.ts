/**
 * The operations of an operator on a KMS. `createKmsAdmin` does them on the store, `adminClient` through the admin API
 * of a server that runs, so that a command need not know which.
 */
import type { KeySet, KmsCertificate } from "../../../bindings/identity/kms-material.ts";
import type {
  AuditQuery,
  AuditRecord,
  OtherKind,
  TransportKeyKind,
  TransportKeyState,
  UserQuery,
  UserRecord,
} from "../../../store/index.ts";

export interface MasterSummary {
  readonly id: number;
  readonly certificate: KmsCertificate;
  readonly fromPeriod: number;
  /** First period that is another master's. */
  readonly untilPeriod?: number;
  readonly revoked: boolean;
  readonly createdAt: number;
}

export interface RotateOptions {
  /** First period of the new master; the one after the last that keys were issued for, when absent. */
  readonly fromPeriod?: number;
  /** From the present period on; keys that were issued are dropped and must be fetched again. */
  readonly atOnce?: boolean;
}

/** A TrK or InK without the key itself. */
export interface TransportKeySummary {
  readonly id: string;
  readonly userUri: string;
  readonly kind: TransportKeyKind;
  readonly state: TransportKeyState;
  readonly createdAt: number;
}

/** With the key, to be brought to the user's device. The caller wipes it. */
export interface NewTransportKey extends TransportKeySummary {
  readonly key: Uint8Array;
}

export interface TransportKeyOptions {
  readonly kinds: readonly TransportKeyKind[];
  /**
   * Retires the present keys of these kinds and all pending ones at once, where they are lost or known to others. Else
   * they serve until a request proves that the new ones arrived.
   */
  readonly replace?: boolean;
}

export interface CertificateList {
  readonly cacheNum: number;
  /** Certificates of this KMS, the oldest first. */
  readonly own: readonly KmsCertificate[];
  readonly others: readonly { readonly certificate: KmsCertificate; readonly kind: OtherKind }[];
}

export interface IssueOptions {
  /** The present period when absent. */
  readonly periodNo?: number;
  /** All enrolled users when absent. */
  readonly users?: readonly string[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
  /** Gets each key set, which is wiped when it returns. */
  readonly onKeySet?: (keySet: KeySet) => void | Promise<void>;
}

export interface KmsAdmin {
  /** The same operations, with this actor in the audit log in place of "operator". */
  as(actor: string): KmsAdmin;

  /** Returns how many were new. */
  enrol(uris: readonly string[]): Promise<number>;
  user(uri: string): Promise<UserRecord | undefined>;
  users(query: UserQuery): Promise<UserRecord[]>;
  /** Gives the user no keys from now on, enrolled or not; those given out expire with their period. */
  revokeUser(uri: string, reason: string): Promise<void>;
  reinstateUser(uri: string): Promise<void>;

  masters(): Promise<MasterSummary[]>;
  rotateMaster(options?: RotateOptions): Promise<MasterSummary>;
  revokeCertificate(certUri: string): Promise<void>;
  certificates(): Promise<CertificateList>;
  /** Takes the certificate of another KMS. */
  putCertificate(certificate: KmsCertificate, kind: OtherKind): Promise<void>;
  removeCertificate(kmsUri: string): Promise<void>;

  transportKeys(userUri: string): Promise<TransportKeySummary[]>;
  /** The user is enrolled if need be. */
  newTransportKeys(userUri: string, options: TransportKeyOptions): Promise<NewTransportKey[]>;

  issue(options?: IssueOptions): Promise<{ periodNo: number; issued: number }>;
  /** Drops stored keys of earlier periods; how many. */
  purgeIssuedBefore(periodNo: number): Promise<number>;
  auditLog(query: AuditQuery): Promise<AuditRecord[]>;
  /** Puts the store under another key-encrypting key of 32 octets. */
  rotateStoreKey(key: Uint8Array): Promise<void>;
}
