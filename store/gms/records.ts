/** The records of a GMS, as plain data. Times are milliseconds since the Unix epoch unless a name says otherwise. */
import type { KeyId, KeyParameters, NtpTime } from "../../bindings/index.ts";

/** `mcx-server` gets the key to mix media (4.3.5.2), `gms` is another GMS whose groups are regrouped. */
export type MemberKind = "user" | "mcx-server" | "gms";

export type McService = "mcptt" | "mcvideo" | "mcdata";

/** The bound of priorityType (TS 24.481 7.2.4.2). */
export const MAX_PRIORITY = 255;

export interface MemberRecord {
  /** MC service user ID, or the URI of a server. */
  readonly uri: string;
  /** KmsUri of the member's KMS (5.2.7). */
  readonly kmsUri: string;
  readonly kind: MemberKind;
  /** `user-priority` of the group document, from 0 to 255. */
  readonly priority?: number;
  /** Elements of the member's entry that a group document had and the GMS does not read. */
  readonly extensions?: readonly StoredXml[];
}

/** An XML element as data; its form is that of whoever stores it. */
export type StoredXml = object;

export interface GroupSettings {
  readonly displayName: string;
  readonly services: readonly McService[];
  /** MC service user IDs that may manage the group besides the operator. */
  readonly managers: readonly string[];
  /** Security elements of the group document (TS 24.481 7.2.8) that are false; absent elements mean true. */
  readonly unprotected: readonly string[];
  /** `on-network-invite-members`. */
  readonly inviteMembers?: boolean;
  /** `on-network-group-priority`. */
  readonly priority?: number;
  /** `on-network-max-participant-count`: how many may be in a call. */
  readonly maxParticipants?: number;
  /** `on-network-hang-timer`, in seconds. */
  readonly hangTimer?: number;
  /** `preferred-voice-encodings`, by name. */
  readonly voiceEncodings?: readonly string[];
  /** Elements of the group document that the GMS does not read. */
  readonly extensions?: readonly StoredXml[];
  /** A new GMK so often; undefined: only when asked, or when something else demands it. */
  readonly rekeyEveryMs?: number;
  /** Expiry of a GMK after its activation; undefined: never. */
  readonly gmkLifetimeMs?: number;
  /** Whether a new member brings a new GMK; otherwise it gets the live ones. */
  readonly rekeyOnAdd: boolean;
}

export interface GroupRecord {
  /** MC service group ID. */
  readonly uri: string;
  readonly settings: GroupSettings;
  /** Goes up with every change of settings or members, and never comes back, not in a restored database either. */
  readonly revision: number;
  readonly createdAt: number;
  readonly nextRekeyAt: number | undefined;
}

/**
 * live: distributed, may be used. retired: a rekey put another in its place; holders keep it for reception until it
 * expires or is revoked, but nobody gets it any more. revoked: Status says so (E.6.9).
 */
export type GmkState = "live" | "retired" | "revoked";

export interface GmkRecord {
  readonly id: number;
  readonly gmkId: KeyId;
  /** All groups that use it, sorted. */
  readonly groups: readonly string[];
  readonly activation: number;
  readonly expiry: number | undefined;
  readonly text: string;
  readonly state: GmkState;
  readonly createdAt: number;
  /** When it is going to be revoked, since somebody who holds it was removed. */
  readonly revokeAt: number | undefined;
  /** It came out of a backup, and another is to take its place. */
  readonly restored?: boolean;
}

/** A GMK that is to be revoked now. */
export interface EndingGmk {
  readonly gmk: number;
  readonly actor: string;
  readonly traceparent: string | undefined;
}

export interface NewGmk {
  readonly gmkId: KeyId;
  /** 16 octets, sealed by the store; the caller wipes it. */
  readonly key: Uint8Array;
  readonly rand: Uint8Array;
  readonly groups: readonly string[];
  readonly activation: number;
  readonly expiry: number | undefined;
  readonly text: string;
}

/**
 * distribute: a GMK for members that have not got it. renew: the same GMK in a message of the present key period, for
 * those who have not taken the one before (RFC 6509 2.5). revoke: Status of the GMK.
 */
export type RekeyKind = "distribute" | "renew" | "revoke";

export type RekeyState = "running" | "done" | "superseded";

/**
 * planned: no message yet. sealed: message there, not yet taken. delivered: fetched over HTTP, or sent without an answer
 * that tells. acknowledged: the member says that it has it. refused: the member says that it does not take it, with the
 * reason. unreachable: given up for now; still delivered when the member shows up. superseded: not to be delivered.
 */
export const DELIVERY_STATES = [
  "planned",
  "sealed",
  "delivered",
  "acknowledged",
  "refused",
  "unreachable",
  "superseded",
] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

export interface RekeyRecord {
  readonly id: number;
  readonly kind: RekeyKind;
  readonly gmk: number;
  readonly gmkId: KeyId;
  readonly groups: readonly string[];
  /** Why, such as "group created", "member removed", "on demand", "schedule", "key period". */
  readonly cause: string;
  /** Actor who requested it. */
  readonly actor: string;
  readonly state: RekeyState;
  readonly total: number;
  readonly counts: Readonly<Record<DeliveryState, number>>;
  readonly createdAt: number;
  /** All messages are sealed and stored. */
  readonly sealedAt: number | undefined;
  /** Nothing is planned or sealed any more. */
  readonly finishedAt: number | undefined;
  /** The operation that it belongs to (W3C Trace Context); undefined for rekeys of 0.1.0. */
  readonly traceparent: string | undefined;
}

export interface NewRekeyMember extends MemberRecord {
  /** GUK-ID. */
  readonly csbId: KeyId;
}

export interface NewRekey {
  readonly kind: RekeyKind;
  readonly gmk: number;
  readonly cause: string;
  readonly actor: string;
  readonly traceparent?: string;
  /** T of the first member, from `reserveTimes`; the n-th has n units of the fraction more. */
  readonly time: NtpTime;
  readonly members: readonly NewRekeyMember[];
  readonly parameters: KeyParameters;
  /** Members in a chunk. */
  readonly chunkSize: number;
  readonly now: number;
  /** GMKs to be revoked once it is done, see `GmsTransaction.claimDueRevocations`. `supersede` gives them back. */
  readonly revokeAfter?: readonly number[];
}

/** GMKs that a rekey took the place of, and which are to be revoked now. */
export interface DueRevocation {
  readonly rekey: number;
  readonly actor: string;
  readonly traceparent: string | undefined;
  readonly gmks: readonly number[];
}

/** A part of a rekey that this process is to seal. */
export interface ClaimedChunk {
  readonly rekey: number;
  readonly chunk: number;
  /** Tells this claim from a later one of the same chunk. */
  readonly claim: string;
  readonly attempts: number;
  readonly kind: RekeyKind;
  readonly gmkId: KeyId;
  /** Secret; the caller wipes it. */
  readonly key: Uint8Array;
  readonly rand: Uint8Array;
  /** T of the first of these members. */
  readonly time: NtpTime;
  readonly members: readonly NewRekeyMember[];
  readonly parameters: KeyParameters;
  readonly traceparent: string | undefined;
}

export interface SealedRow {
  readonly uri: string;
  readonly octets: Uint8Array;
}

/** Names one message: of one member in one rekey. */
export interface DeliveryKey {
  readonly rekey: number;
  readonly memberUri: string;
}

export interface DeliveryRecord extends DeliveryKey {
  readonly state: DeliveryState;
  readonly attempts: number;
  /** SIP status or HTTP report, where there was one. */
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly changedAt: number;
}

/** A message that this process is to send. */
export interface ClaimedDelivery extends DeliveryKey {
  readonly kind: RekeyKind;
  readonly attempts: number;
}

export interface DeliveryResult extends DeliveryKey {
  readonly state: Exclude<DeliveryState, "planned" | "superseded">;
  readonly status?: number;
  readonly reason?: string;
  /** For `sealed`: milliseconds until it is to be tried again. */
  readonly waitMs?: number;
}

/** A message that a member's GKTP document holds. */
export interface GktpRecord extends DeliveryKey {
  readonly kind: RekeyKind;
  readonly gmkId: KeyId;
  readonly groups: readonly string[];
  readonly activation: number;
  readonly state: DeliveryState;
  readonly traceparent: string | undefined;
  readonly octets: Uint8Array;
}

export interface GmsAuditEntry {
  readonly at: number;
  readonly actor: string;
  /** As "group-create", "rekey", "xcap-get", "subscribe". */
  readonly action: string;
  readonly groupUri?: string;
  readonly outcome: "ok" | "refused";
  readonly code?: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

export interface GmsAuditRecord extends GmsAuditEntry {
  readonly id: number;
}

export interface GmsAuditQuery {
  /** Entries with a greater id. */
  readonly after?: number;
  readonly limit: number;
  readonly groupUri?: string;
  readonly actor?: string;
  readonly outcome?: GmsAuditEntry["outcome"];
}

export interface GmsCounts {
  readonly groups: number;
  /** Memberships: a user in two groups counts twice. */
  readonly members: number;
  readonly runningRekeys: number;
  /** Messages planned or sealed. */
  readonly backlog: number;
  /** The time at which the oldest rekey with messages planned or sealed was made; undefined where there is none. */
  readonly oldestAt: number | undefined;
}

export interface Claimant {
  /** Name of the process among those on one database. */
  readonly instance: string;
  /** Milliseconds until the claim is free for others. */
  readonly leaseMs: number;
}

export interface ChunkFailure {
  /** Milliseconds until it is to be tried again. */
  readonly waitMs: number;
  readonly error: string;
}

export interface GroupChanges {
  readonly settings?: GroupSettings;
  /** Null: no time set. */
  readonly nextRekeyAt?: number | null;
}
