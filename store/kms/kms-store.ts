/**
 * The database of one KMS. Every method is one transaction and safe on any number of processes; each topic is a file
 * of its own, this class only hands them the database and the envelope.
 */

import type { KmsCertificate } from "../../bindings/identity/kms-material.ts";
import type { MasterSecrets } from "../../bindings/kms.ts";
import type { Envelope } from "../database/envelope.ts";
import { requireWritable } from "../database/probe.ts";
import { type WriteLines, writeSnapshot } from "../database/snapshot.ts";
import type { Database, PoolUse } from "../database/sql.ts";
import { databaseClock, givenClock, readClock, type SqlClock } from "../database/sql-clock.ts";
import * as audit from "./audit.ts";
import * as certificates from "./certificates.ts";
import * as issued from "./issued.ts";
import * as masters from "./masters.ts";
import type {
  AddMasterOptions,
  AllCertificates,
  AuditEntry,
  AuditQuery,
  AuditRecord,
  IssuedKey,
  MasterRecord,
  NewMaster,
  NewTransportKeyRecord,
  OtherCertificates,
  OtherKind,
  TransportKeyRecord,
  UserQuery,
  UserRecord,
} from "./records.ts";
import { remember } from "./replay.ts";
import * as transportKeys from "./transport-keys.ts";
import * as users from "./users.ts";

export interface KmsStoreOptions {
  /** For tests and simulations: the present time, in place of the database's clock. */
  readonly now?: () => number;
}

export class KmsStore {
  readonly #db: Database;
  readonly #envelope: Envelope;
  readonly #clock: SqlClock;

  private constructor(db: Database, envelope: Envelope, clock: SqlClock) {
    this.#db = db;
    this.#envelope = envelope;
    this.#clock = clock;
  }

  /** The database and the envelope stay the caller's, who closes them. */
  static open(db: Database, envelope: Envelope, { now }: KmsStoreOptions = {}): KmsStore {
    return new KmsStore(db, envelope, now === undefined ? databaseClock : givenClock(now));
  }

  /** Throws unless the database answers and takes what is written. Returns its time. */
  ready(): Promise<number> {
    return requireWritable(this.#db, this.#clock);
  }

  /** The use of the database's connections; undefined where there is no pool. */
  pool(): PoolUse | undefined {
    return this.#db.pool?.();
  }

  /** The present time, by the clock of the database, which is the same for all processes on it. */
  now(): Promise<number> {
    return readClock(this.#db, this.#clock);
  }

  /** All that the database holds, see `writeSnapshot`. */
  snapshot(write: WriteLines): Promise<void> {
    return writeSnapshot(this.#db, write);
  }

  /** In order of `fromPeriod`, then of age. `masterOf` picks the one of a period. */
  masters(): Promise<MasterRecord[]> {
    return masters.list(this.#db);
  }

  /** The caller wipes them. Usage error UNKNOWN_MASTER. */
  masterSecrets(id: number): Promise<MasterSecrets> {
    return masters.secrets(this.#db, this.#envelope, id);
  }

  /**
   * The new master takes over its first period and all that follow; certificates of the others end (`validTo`) where
   * its own begins (`validFrom`). Usage errors: PERIOD_ISSUED, MASTER_EXISTS, CERTIFICATE_EXISTS (its CertUri),
   * OTHER_KMS, OTHER_KEY_PERIODS (KmsUri and period rule must be those of the masters before).
   */
  addMaster(master: NewMaster, options: AddMasterOptions = {}): Promise<MasterRecord> {
    return masters.add(this.#db, this.#envelope, master, options);
  }

  /** Revokes a certificate of a master or of another KMS. Usage error UNKNOWN_CERTIFICATE. */
  revokeCertificate(certUri: string): Promise<void> {
    return certificates.revoke(this.#db, certUri);
  }

  /** Returns how many were new. A revoked user stays revoked. */
  enrol(uris: readonly string[], now: number): Promise<number> {
    return users.enrol(this.#db, uris, now);
  }

  user(uri: string): Promise<UserRecord | undefined> {
    return users.find(this.#db, uri);
  }

  users(query: UserQuery): Promise<UserRecord[]> {
    return users.list(this.#db, query);
  }

  /** Once it returns, no process saves keys of the user any more. A user who is not enrolled is enrolled as revoked. */
  revokeUser(uri: string, reason: string, now: number): Promise<void> {
    return users.revoke(this.#db, uri, reason, now);
  }

  /** Users revoked at that time or later, in order of the times. */
  revokedSince(at: number): Promise<{ uri: string; revokedAt: number }[]> {
    return users.revokedSince(this.#db, at);
  }

  /** Usage error USER_UNKNOWN. */
  reinstateUser(uri: string): Promise<void> {
    return users.reinstate(this.#db, uri);
  }

  /** The issued keys that exist, in order of the period. The caller wipes RSK and SSK. */
  issuedKeys(userUri: string, periods: readonly number[]): Promise<IssuedKey[]> {
    return issued.ofUser(this.#db, this.#envelope, userUri, periods);
  }

  /** One answer for each request, in their order; undefined where nothing was issued. */
  issuedFor(
    requests: readonly { readonly userUri: string; readonly periodNo: number }[],
  ): Promise<(IssuedKey | undefined)[]> {
    return issued.ofRequests(this.#db, this.#envelope, requests);
  }

  /**
   * All or none. What is there already with the same PVT counts as not saved, and is no error. With `audit`, an entry
   * "issue" for each that is new, in the same transaction. Errors: usage USER_UNKNOWN (not enrolled), USER_REVOKED,
   * MASTER_REPLACED, MASTER_REVOKED; crypto ISSUED_TWICE.
   */
  saveIssued(
    records: readonly IssuedKey[],
    audit?: { readonly actor: string; readonly requestId?: string },
  ): Promise<{ saved: number }> {
    return issued.save(this.#db, this.#envelope, records, audit);
  }

  /** Drops the keys of earlier periods; how many. */
  purgeIssuedBefore(period: number): Promise<number> {
    return issued.purgeBefore(this.#db, period);
  }

  /**
   * An active one retires the active ones before it. With `under`, the key that it will be sent under, nothing is
   * added once that is retired. Usage errors TRANSPORT_KEY_EXISTS, TRANSPORT_KEY_RETIRED, TRANSPORT_KEY_UNKNOWN.
   */
  addTransportKey(record: TransportKeyRecord, options: { readonly under?: string } = {}): Promise<void> {
    return transportKeys.add(this.#db, this.#envelope, record, options);
  }

  /**
   * Puts active keys of a user in place of those of their kinds, and retires all that are pending: they may have been
   * sent under one of those. Usage error TRANSPORT_KEY_EXISTS.
   */
  replaceTransportKeys(userUri: string, records: readonly NewTransportKeyRecord[]): Promise<void> {
    return transportKeys.replace(this.#db, this.#envelope, userUri, records);
  }

  /** All of a user, oldest first. */
  transportKeys(userUri: string): Promise<TransportKeyRecord[]> {
    return transportKeys.ofUser(this.#db, this.#envelope, userUri);
  }

  transportKey(id: string): Promise<TransportKeyRecord | undefined> {
    return transportKeys.find(this.#db, this.#envelope, id);
  }

  /**
   * Makes a key the active one of its user and kind and retires the active ones before it. Usage errors
   * TRANSPORT_KEY_UNKNOWN, TRANSPORT_KEY_RETIRED.
   */
  activate(id: string): Promise<void> {
    return transportKeys.activate(this.#db, id);
  }

  /**
   * False when the digest was seen before and has not expired: a replay, on whichever process it came in. It expires at
   * that time by the clock of the database, as a process whose clock is ahead would forget it too early for the others.
   * False too for what was made before the database was restored from a backup: it may have been seen after the backup.
   */
  remember(digest: Uint8Array, expires: number, madeAt = Number.MAX_SAFE_INTEGER): Promise<boolean> {
    return remember(this.#db, this.#clock, { digest, expires, madeAt });
  }

  audit(entry: AuditEntry): Promise<void> {
    return audit.append(this.#db, [entry]);
  }

  auditAll(entries: readonly AuditEntry[]): Promise<void> {
    return audit.append(this.#db, entries);
  }

  /** Deletes audit entries of before; refusals of unknown users by a time of their own. At most `limit`; how many. */
  purgeAudit(options: {
    readonly before: number;
    readonly anonymousBefore: number;
    readonly limit: number;
  }): Promise<number> {
    return audit.purge(this.#db, options);
  }

  auditLog(query: AuditQuery): Promise<AuditRecord[]> {
    return audit.list(this.#db, query);
  }

  /** Own ones and others, with the number that belongs to them. */
  certificates(): Promise<AllCertificates> {
    return certificates.listAll(this.#db);
  }

  async otherCertificates(): Promise<OtherCertificates> {
    const { cacheNum, others } = await this.certificates();
    return { cacheNum, certificates: others };
  }

  /** Replaces the one with the same KmsUri and CertUri (TS 33.180 5.3.5). */
  putOtherCertificate(certificate: KmsCertificate, kind: OtherKind): Promise<void> {
    return certificates.putOther(this.#db, certificate, kind);
  }

  /** All certificates of a KMS. Usage error UNKNOWN_CERTIFICATE. */
  removeOtherCertificate(kmsUri: string): Promise<void> {
    return certificates.removeOther(this.#db, kmsUri);
  }
}
