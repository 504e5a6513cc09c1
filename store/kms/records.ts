/** The records of a KMS's database, as plain data. Secrets are in clear here and sealed in the database. */

import type { KmsCertificate } from "../../bindings/identity/kms-material.ts";
import type { MasterSecrets } from "../../bindings/kms.ts";

export interface MasterRecord {
  readonly id: number;
  /** With `revoked` and `validTo` as they are now. */
  readonly certificate: KmsCertificate;
  readonly fromPeriod: number;
  /**
   * First period that is no longer its own, since a newer master took over; before `fromPeriod` if it has none left.
   */
  readonly untilPeriod?: number;
  readonly revoked: boolean;
  readonly createdAt: number;
}

export interface NewMaster {
  readonly certificate: KmsCertificate;
  readonly secrets: MasterSecrets;
  /** It issues the keys of this period and of all that follow. */
  readonly fromPeriod: number;
  readonly createdAt: number;
}

export interface AddMasterOptions {
  /** Drop keys of these periods that another master issued, in place of the refusal PERIOD_ISSUED. */
  readonly replaceIssued?: boolean;
  /** Refuse (usage MASTER_EXISTS) unless it is the first, for processes that start together. */
  readonly first?: boolean;
  /** Actor in the audit log. */
  readonly actor?: string;
}

export interface UserRecord {
  readonly uri: string;
  readonly enrolledAt: number;
  readonly revokedAt?: number;
  readonly reason?: string;
}

export interface UserQuery {
  /** In order of the URI's octets, those after this one. */
  readonly after?: string;
  readonly limit: number;
  /** Only users who may have keys (not revoked) and have none of this period yet. */
  readonly notIssued?: { readonly period: number };
}

export interface IssuedKey {
  readonly masterId: number;
  readonly userUri: string;
  readonly periodNo: number;
  /** 32 octets. */
  readonly uid: Uint8Array;
  /** 257 octets. */
  readonly rsk: Uint8Array;
  /** 32 octets. */
  readonly ssk: Uint8Array;
  /** 65 octets. */
  readonly pvt: Uint8Array;
  readonly issuedAt: number;
}

export type TransportKeyKind = "TrK" | "InK";
export type TransportKeyState = "pending" | "active" | "retired";

export interface TransportKeyRecord {
  readonly id: string;
  readonly userUri: string;
  readonly kind: TransportKeyKind;
  /** 32 octets. */
  readonly key: Uint8Array;
  readonly state: TransportKeyState;
  readonly createdAt: number;
}

/** A key that takes over at once, for a user who is named separately. */
export type NewTransportKeyRecord = Omit<TransportKeyRecord, "userUri" | "state">;

export type OtherKind = "external" | "migration";

export interface OtherCertificate {
  readonly certificate: KmsCertificate;
  readonly kind: OtherKind;
}

export interface OtherCertificates {
  /** Grows with every change of any certificate, those of the masters included. */
  readonly cacheNum: number;
  readonly certificates: readonly OtherCertificate[];
}

/** All certificates at one moment. */
export interface AllCertificates {
  readonly cacheNum: number;
  /** Certificates of the masters, in order of their first periods. */
  readonly own: readonly KmsCertificate[];
  readonly others: readonly OtherCertificate[];
}

export interface AuditEntry {
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly userUri?: string;
  readonly periodNo?: number;
  readonly outcome: "ok" | "refused";
  readonly code?: string;
  readonly requestId?: string;
  readonly detail?: Record<string, unknown>;
}

export interface AuditRecord extends AuditEntry {
  readonly id: number;
}

export interface AuditQuery {
  /** Entries with a greater id. */
  readonly after?: number;
  readonly limit: number;
  readonly userUri?: string;
}

/** The master that issues the keys of a period, revoked or not: the newest whose periods have begun. */
export function masterOf(masters: readonly MasterRecord[], periodNo: number): MasterRecord | undefined {
  return masters.find((m) => m.fromPeriod <= periodNo && periodNo < (m.untilPeriod ?? Infinity));
}
