/** The events while a client is provisioned. */
import type { TransportKeyKind } from "./key-store.ts";
import type { CertificateChange } from "./take-certificates.ts";

export interface ProvisionResult {
  readonly kmsUri: string;
  /** Key periods of which the keys are there, by identity. */
  readonly periods: ReadonlyMap<string, readonly number[]>;
  /** When to look again, drawn at random, in milliseconds since the Unix epoch. */
  readonly refreshAt: number;
  /** No wait is longer than this. */
  readonly longestWaitMs: number;
}

export type ProvisionEvent =
  | ({ readonly type: "certificate" } & CertificateChange)
  | { readonly type: "key-set"; readonly userUri: string; readonly keyPeriodNo: number }
  | { readonly type: "key-set-dropped"; readonly userUri: string; readonly keyPeriodNo: number }
  /** A record of the storage that did not open was deleted; what it held is got again. */
  | { readonly type: "record-damaged"; readonly name: string }
  | { readonly type: "transport-key"; readonly kind: TransportKeyKind; readonly id: string }
  | { readonly type: "provisioned"; readonly result: ProvisionResult }
  | { readonly type: "failed"; readonly error: unknown; readonly retryAt: number };
