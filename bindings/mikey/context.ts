/** The knowledge and the policy of a receiver when it opens a message. Defaults are the strict reading of TS 33.180. */
import type { KeyId, KeyKind } from "../identity/purpose-tag.ts";
import type { Receiver } from "../identity/receiver.ts";
import type { ReceiverState } from "./receiver-state.ts";
import type { Tolerance } from "./tolerance.ts";

export interface InitiatorIdentity {
  /** Undefined only for a hidden initiator that policy lets stay anonymous. */
  readonly uri: string | undefined;
  readonly uid: Uint8Array;
  readonly kmsUri: string;
}

/** Host duty: whether this initiator may send a key of this kind, e.g. whether it is a GMS of the group. */
export type Authorise = (initiator: InitiatorIdentity, kind: KeyKind) => boolean | Promise<boolean>;

/** For tests and tools that open whatever they are given. A receiver must name its GMSs (5.7.2 step 2). */
export const authoriseAnyoneUnsafe: Authorise = () => true;

/**
 * Host duty with a hidden initiator (5.2.6 step 3): the URI that the carrier names, often only after
 * decryption with the key just delivered. `key` is a copy that is wiped afterwards.
 */
export type InitiatorSource = (delivered: {
  readonly kind: KeyKind;
  readonly keyId: KeyId;
  readonly key: Uint8Array;
}) => string | undefined | Promise<string | undefined>;

export interface OpenContext {
  readonly receiver: Receiver;
  readonly state: ReceiverState;
  /** Reference time in ms since the Unix epoch; for an old message the time at which it is to be judged. */
  readonly now: number;
  /** Kinds of key that the carrying procedure may bring: CSK upload takes "CSK" only. */
  readonly allow: readonly KeyKind[];
  readonly authorise: Authorise;
  /**
   * "live": T within `windowMs` of now and a replay cache. "stored": fetched later from a document, so T may be
   * old; per initiator and K-ID it must be newer than the last one accepted. Default "live".
   */
  readonly delivery?: "live" | "stored";
  /** Acceptance window either side of now. Default 5 minutes. */
  readonly windowMs?: number;
  /** How long before and after a key period its keys count, in seconds. Default 2 days (RFC 6509 3.3). */
  readonly periodOverlap?: number;
  /** The initiator that the carrier asserted: compared with IDRi, or with the UID of a hidden initiator. */
  readonly from?: string | InitiatorSource;
  /** A hidden initiator whose URI nobody names. Default "refuse" (5.2.6 step 4). */
  readonly anonymousInitiator?: "refuse" | "accept";
  /** SAKKE-to-self with a hidden responder: the responder's URI, needed to find a GMK-ID. */
  readonly responderUri?: string;
  /** Refuse keys without key parameters. Default false. */
  readonly requireParameters?: boolean;
  /**
   * Host duty with a GMK: whether a group is one that this receiver expects keys of (5.7.2 step 2). One of those in the
   * key parameters must be. Without it a GMK for any group, or for none, is taken.
   */
  readonly expectsGroup?: (groupUri: string) => boolean;
  readonly tolerance?: Tolerance;
  /** Default MAX_MESSAGE_BYTES. */
  readonly maxBytes?: number;
}

export const DEFAULT_WINDOW_MS = 5 * 60 * 1000;
export const DEFAULT_PERIOD_OVERLAP = 2 * 24 * 3600;
