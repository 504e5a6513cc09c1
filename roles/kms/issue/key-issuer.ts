/**
 * Interface through which the server and the bulk job get keys made: key sets of identities and periods, and the
 * certificates.
 */
import type { KeySet, KmsCertificate } from "../../../bindings/identity/kms-material.ts";

/** One key set that is wanted. Whether the user may have it has been decided. */
export interface KeyRequest {
  readonly userUri: string;
  readonly periodNo: number;
}

export interface KeyOptions {
  /** Its reason is thrown. What was saved by then stays. */
  readonly signal?: AbortSignal;
  /** Called when a batch is saved. */
  readonly onProgress?: (done: number, total: number) => void;
  /** The store is known to have none of them, so it is not asked first. */
  readonly unissued?: boolean;
}

export interface KeyIssuer {
  /**
   * The key sets, in the order of the requests: from the store if they were issued before, else worked out and saved
   * before they are returned. The caller wipes them.
   *
   * @throws MikeySakkeError usage: `NO_MASTER`, `MASTER_REVOKED`, `USER_UNKNOWN` (not enrolled), `USER_REVOKED`, `DESTROYED`;
   * transport: the database; crypto: `ISSUED_TWICE`
   */
  keys(requests: readonly KeyRequest[], options?: KeyOptions): Promise<KeySet[]>;
  /** The certificate whose keys those of a period are. Throws a usage error `NO_MASTER` when there is none. */
  certificateAt(periodNo: number): KmsCertificate;
  /** All certificates, the oldest first, revoked ones too. */
  certificates(): readonly KmsCertificate[];
  /**
   * The certificate whose life `now`, in ms since the Unix epoch, lies in; never a revoked one. Usage error
   * `NO_MASTER`.
   */
  currentCertificate(now: number): KmsCertificate;
  /** Reads the masters again: another process may have made one. */
  refresh(): Promise<void>;
  /** Waits for what is under way, and clears the master secrets. Pool, core and store stay the caller's. */
  destroy(): Promise<void>;
}
