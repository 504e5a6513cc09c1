/** The database of the servers: the SQL port, envelope encryption, and what a KMS and a GMS keep. Node.js only. */
export { Envelope, KEK_BYTES } from "./envelope.ts";
export { type Claimant, type GmsSecrets, GmsStore } from "./gms/gms-store.ts";
export type { GmsTransaction, GroupChanges } from "./gms/gms-transaction.ts";
export type * from "./gms/records.ts";
export { KmsStore } from "./kms/kms-store.ts";
export {
  type AddMasterOptions,
  type AllCertificates,
  type AuditEntry,
  type AuditQuery,
  type AuditRecord,
  type IssuedKey,
  type MasterRecord,
  masterOf,
  type NewMaster,
  type NewTransportKeyRecord,
  type OtherCertificate,
  type OtherCertificates,
  type OtherKind,
  type TransportKeyKind,
  type TransportKeyRecord,
  type TransportKeyState,
  type UserQuery,
  type UserRecord,
} from "./kms/records.ts";
export { type DatabaseOptions, openDatabase } from "./open.ts";
export { openPglite } from "./pglite.ts";
export { openPostgres, type PostgresOptions } from "./postgres.ts";
export type { Database, QueryResult, Sql } from "./sql.ts";
