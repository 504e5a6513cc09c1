/**
 * The database of one KMS. Every method is one transaction and safe on any number of processes; each topic is a file
 * of its own, this class only hands them the database and the envelope.
 */
import type { MasterSecrets } from "../../bindings/kms.ts";
import type { KmsCertificate } from "../../bindings/kms-material.ts";
import type { Envelope } from "../envelope.ts";
import type { Database } from "../sql.ts";
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

export class KmsStore {
  readonly #db: Database;
  readonly #envelope: Envelope;

  private constructor(db: Database, envelope: Envelope) {
    this.#db = db;
    this.#envelope = envelope;
  }

  /** The database and the envelope stay the caller's, who closes them. */
  static open(db: Database, envelope: Envelope): KmsStore {
    return new KmsStore(db, envelope);
  }

  /** Throws unless the database answers. */
  async ready(): Promise<void> {
    await this.#db.query("SELECT 1");
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

  /** How many were new. A revoked user stays revoked. */
  enrol(uris: readonly string[], now: number): Promise<number> {
    return users.enrol(this.#db, uris, now);
  }

  user(uri: string): Promise<UserRecord | undefined> {
    return users.find(this.#db, uri);
  }

  users(query: UserQuery): Promise<UserRecord[]> {
    return users.list(this.#db, query);
  }

  /** Once it returns, no process saves keys of the user any more. Who is not enrolled is enrolled as revoked. */
  revokeUser(uri: string, reason: string, now: number): Promise<void> {
    return users.revoke(this.#db, uri, reason, now);
  }

  /** Usage error USER_UNKNOWN. */
  reinstateUser(uri: string): Promise<void> {
    return users.reinstate(this.#db, uri);
  }

  /** Those that there are, in order of the period. The caller wipes RSK and SSK. */
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
   * added once that is retired. Usage errors TRANSPORT_KEY_EXISTS, TRANSPORT_KEY_RETIRED, UNKNOWN_TRANSPORT_KEY.
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
   * UNKNOWN_TRANSPORT_KEY, TRANSPORT_KEY_RETIRED.
   */
  activate(id: string): Promise<void> {
    return transportKeys.activate(this.#db, id);
  }

  /** False when the digest was seen before and has not expired: a replay, on whichever process it came in. */
  remember(digest: Uint8Array, expires: number, now: number): Promise<boolean> {
    return remember(this.#db, digest, expires, now);
  }

  audit(entry: AuditEntry): Promise<void> {
    return audit.append(this.#db, [entry]);
  }

  auditAll(entries: readonly AuditEntry[]): Promise<void> {
    return audit.append(this.#db, entries);
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
