/** The database of the servers: the SQL port, envelope encryption, and what a KMS and a GMS keep. Node.js only. */
export { damaged, type Loaded, type LoadOptions, loadSnapshot } from "./backup/load.ts";
export { Envelope, KEK_BYTES, requireStoreKey } from "./database/envelope.ts";
export { requireKnown as requireKnownSchema } from "./database/migrate.ts";
export { type DatabaseOptions, openDatabase } from "./database/open.ts";
export { openPglite, type PgliteOptions } from "./database/pglite.ts";
export { openPostgres, type PostgresOptions } from "./database/postgres.ts";
export { Processes, type ProcessRecord, type ProcessReport } from "./database/processes.ts";
export type { Restored } from "./database/restored.ts";
export type { SealedRecords } from "./database/sealed-records.ts";
export { type WriteLines, writeSnapshot } from "./database/snapshot.ts";
export type { Database, Listener, PoolUse, QueryResult, Sql, TransactionOptions } from "./database/sql.ts";
export type { ClockReset } from "./gms/clock.ts";
export { GmsStore, type GmsStoreOptions } from "./gms/gms-store.ts";
export type { GmsTransaction } from "./gms/gms-transaction.ts";
export type { Notice } from "./gms/notices.ts";
export type { Lease } from "./gms/presence.ts";
export type * from "./gms/records.ts";
export type { ChunkFailure, Claimant, GroupChanges } from "./gms/records.ts";
export { KmsStore, type KmsStoreOptions } from "./kms/kms-store.ts";
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
export { McxData, type McxDataOptions } from "./mcx/mcx-data.ts";
export {
  FILE_ENTRY_BYTES,
  FILE_SHARE,
  type FileAudience,
  type FileFacts,
  type FileLimits,
  McxFiles,
} from "./mcx/mcx-files.ts";
export {
  type KeptMessage,
  McxMessages,
  MESSAGE_ENTRY_BYTES,
  type MessageLimits,
} from "./mcx/mcx-messages.ts";
export { type Contacts, type GroupOwner, McxStore, type McxStoreOptions } from "./mcx/mcx-store.ts";
