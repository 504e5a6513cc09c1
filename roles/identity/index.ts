/** The client half of key management (TS 33.180 5.3): provisioning, trust, and protected storage. */

export type { TimerPort } from "../../base/clock.ts";
export type { KmsFetch, KmsFetchInit, KmsFetchResponse } from "../../transport/http/exchange.ts";
export { wipeSecrets } from "./check-answer.ts";
export { type HeldKeys, type HeldKeysEvent, type HeldKeysOptions, holdKeys } from "./held-keys.ts";
export { IndexedDbStorage } from "./indexeddb-storage.ts";
export {
  KeyStore,
  type KmsState,
  type StoredCertificate,
  type StoredTransportKey,
  type TransportKeyKind,
} from "./key-store.ts";
export { type KmsAnswer, KmsRefusedError } from "./kms-answer.ts";
export { type KmsCallOptions, KmsClient, type KmsClientOptions } from "./kms-client.ts";
export type { KeyTarget } from "./kms-resource.ts";
export { type ClientKeys, type LoadKeysOptions, loadKeys } from "./load-keys.ts";
export type { ProvisionEvent, ProvisionResult } from "./provision-event.ts";
export { Provisioner, type ProvisionerOptions } from "./provisioner.ts";
export { SealedStorage } from "./sealed-storage.ts";
export { MemoryStorage, type SecretStorage } from "./storage.ts";
export { StorageKey } from "./storage-key.ts";
export type { CertificateChange } from "./take-certificates.ts";
export type { TransportKeys } from "./transport-keys.ts";
export { type KmsKind, KmsTrust, type TrustPolicy } from "./trust.ts";
