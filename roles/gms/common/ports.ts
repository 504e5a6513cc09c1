/** The interfaces between the parts of the GMS: operations, the store, and which of them is told of what. */

import type { RandomSource } from "../../../base/random.ts";
import type { Core } from "../../../bindings/core/core.ts";
import type { ClockReset } from "../../../store/gms/clock.ts";
import type { GmsStore } from "../../../store/gms/gms-store.ts";
import type {
  DeliveryRecord,
  DeliveryState,
  GmkRecord,
  GmsAuditQuery,
  GmsAuditRecord,
  GroupRecord,
  GroupSettings,
  MemberKind,
  MemberRecord,
  RekeyRecord,
} from "../../../store/gms/records.ts";
import type { ClientKeys } from "../../identity/load-keys.ts";
import type { DatabaseClock } from "../../server/database-clock.ts";
import type { LastingFaults } from "../../server/lasting-faults.ts";
import type { Tracing } from "../../server/tracing.ts";
import type { Caller } from "./caller.ts";
import type { GmsConfig } from "./config.ts";
import type { GmsLog } from "./log.ts";
import type { GmsMetrics } from "./metrics.ts";
import type { Notices } from "./notices.ts";

/** The GMS's current keys. They change: fetch them for each use. */
export interface GmsKeys {
  /** On the core of the pool where there is one. */
  readonly core: Core;
  current(): ClientKeys;
  /** KMSs that the Home KMS permits of those proposed in a KMS Redirect Response (D.2.8), with their certificates got. */
  redirect(proposed: readonly string[]): Promise<readonly string[]>;
  /** Asks the Home KMS now for keys and for certificates, its own and those of partners. */
  refresh(): Promise<void>;
}

/** The result of asking the KMS. */
export interface KmsRefresh {
  /** KMSs whose certificates are there, by KmsUri. */
  readonly kmsUris: readonly string[];
}

export interface NewMember {
  readonly uri: string;
  /** The GMS's own KMS when absent. */
  readonly kmsUri?: string;
  /** "user" when absent. */
  readonly kind?: MemberKind;
  /** Priority of floor requests, from 0 to 255. */
  readonly priority?: number;
  /** Elements of a group document that the GMS stores without reading them. */
  readonly extensions?: MemberRecord["extensions"];
}

/** Settings to be changed; those that are there and undefined are taken away. */
export type SettingsChange = { readonly [K in keyof GroupSettings]?: GroupSettings[K] | undefined };

export interface NewGroup {
  readonly uri: string;
  readonly members: readonly NewMember[];
  readonly settings?: SettingsChange;
}

export interface Page {
  readonly after?: string;
  readonly limit: number;
}

export interface GmkOptions {
  /** Milliseconds since the Unix epoch; at once when absent. */
  readonly activation?: number;
  readonly expiry?: number;
  readonly text?: string;
  /** Groups that share the key besides the one that is named (5.7.1). */
  readonly sharedWith?: readonly string[];
}

/** A user whose keys are to be of no use any more, and how far that is. */
export interface LostUser {
  readonly user: string;
  /** Groups that the user is still in. */
  readonly groups: readonly string[];
  /** GMKs that the user may hold and that have not expired. */
  readonly gmks: readonly GmkRecord[];
  /** Others who have not said that they have the GMK in place of these. */
  readonly withoutKey: readonly string[];
  /** Others who have not said that they know of a revocation. */
  readonly unaware: readonly string[];
  /** All of these GMKs are revoked, and everybody else has said so. */
  readonly done: boolean;
}

export interface RekeyOptions extends GmkOptions {
  /** Keep the GMKs that are there live beside the new one (5.7.1: several may be active). False when absent. */
  readonly keep?: boolean;
  /** Revoke the GMKs that it takes the place of, once nothing of the rekey is planned or sealed. False when absent. */
  readonly revokeOld?: boolean;
}

/** The outcome of a change: the group after it, and the rekey it caused, if any. */
export interface Changed {
  readonly group: GroupRecord;
  readonly rekeys: readonly RekeyRecord[];
  /** URIs among what is new that look like others, in words. */
  readonly warnings?: readonly string[];
}

/**
 * The operations of a GMS (TS 23.280 10.1.2, 10.1.5). Each is one transaction with the rekey it causes. Usage errors:
 * GROUP_EXISTS, GROUP_UNKNOWN, GROUP_CHANGED, FORBIDDEN, MEMBER_UNKNOWN, MEMBER_EXISTS, GMK_UNKNOWN, GMK_REVOKED,
 * REKEY_UNKNOWN, BAD_GROUP, BAD_MEMBER.
 *
 * Every operation that changes something takes its caller first, whose name goes into the audit log. A manager must
 * manage the group, and also those that share a GMK with it where the change gives away that GMK or says when it is
 * replaced. Groups are made by operators and by the configured `groupCreators`; lost users, the clock and the KMS are
 * for operators only. Anything else is FORBIDDEN. The operations that only read check nobody.
 */
export interface GmsAdmin {
  /**
   * The same operations as part of one that has an ID: its rekeys and their log lines have the trace ID of this
   * traceparent (W3C Trace Context). Without it each rekey has one of its own.
   */
  traced(traceparent: string): GmsAdmin;
  /** Makes the group and its first GMK. */
  createGroup(caller: Caller, group: NewGroup): Promise<Changed>;
  group(uri: string): Promise<GroupRecord | undefined>;
  groups(page: Page): Promise<GroupRecord[]>;
  members(groupUri: string, page: Page): Promise<MemberRecord[]>;
  /** Settings that are given take the place of those there. */
  changeGroup(
    caller: Caller,
    uri: string,
    settings: Partial<GroupSettings>,
    ifRevision?: number,
  ): Promise<Changed>;
  /** All of it at once: settings, and members that are new or gone. For a group document that was put whole. */
  replaceGroup(caller: Caller, group: NewGroup, ifRevision?: number): Promise<Changed>;
  /** Revokes its GMKs that no other group shares. */
  deleteGroup(caller: Caller, uri: string, ifRevision?: number): Promise<void>;
  addMembers(caller: Caller, groupUri: string, members: readonly NewMember[]): Promise<Changed>;
  /** Always with a new GMK for those who stay. */
  removeMembers(caller: Caller, groupUri: string, uris: readonly string[]): Promise<Changed>;
  /** Priority of the member's floor requests, from 0 to 255; undefined: none of their own. No member gets a message. */
  setPriority(caller: Caller, groupUri: string, uri: string, priority: number | undefined): Promise<Changed>;
  /** Out of all groups, with an end to every GMK that the user holds. Again: goes on, and tells what is left. */
  loseUser(caller: Caller, userUri: string): Promise<LostUser>;
  /** Returns what is left of that. */
  lostUser(userUri: string): Promise<LostUser>;
  gmks(groupUri: string): Promise<GmkRecord[]>;
  rekey(caller: Caller, groupUri: string, options?: RekeyOptions): Promise<RekeyRecord>;
  /** Distributes the Status "revoked" over SIP to all who may have the key (5.7.2.x, last paragraph). */
  revokeGmk(caller: Caller, gmkId: number): Promise<RekeyRecord>;
  rekeys(query: { readonly groupUri?: string; readonly limit: number }): Promise<RekeyRecord[]>;
  rekeyStatus(id: number): Promise<RekeyRecord>;
  deliveries(
    rekey: number,
    query: { readonly state?: DeliveryState; readonly after?: string; readonly limit: number },
  ): Promise<DeliveryRecord[]>;
  auditLog(query: GmsAuditQuery): Promise<GmsAuditRecord[]>;
  /**
   * After the database's clock was ahead for a while, T is, and is refused (CLOCK_AHEAD): lets it go on from what the
   * clock says now.
   */
  resetClock(caller: Caller): Promise<ClockReset>;
  /** Asks the KMS now, and not when it is due. Throws what `Provisioner.provision` throws. */
  refreshKms(caller: Caller): Promise<KmsRefresh>;
}

/** Told of what happened in this process, after the commit. Other processes find out by looking at the store. */
export interface GmsEvents {
  /** Messages were stored for these members. */
  sealed(memberUris: readonly string[]): void;
  /** Group documents, or the members of groups. */
  groupsChanged(groupUris: readonly string[]): void;
  /** A rekey moved on, or ended. */
  rekeyProgress(rekey: number): void;
}

/** The context that every part of the GMS is given. */
export interface GmsContext {
  readonly config: GmsConfig;
  readonly store: GmsStore;
  readonly admin: GmsAdmin;
  readonly keys: GmsKeys;
  /** Name of this process among those on one database. */
  readonly instance: string;
  /** Milliseconds since the Unix epoch, by the clock of the database. */
  readonly now: () => number;
  readonly clock: DatabaseClock;
  readonly random: RandomSource;
  readonly log: GmsLog;
  readonly faults: LastingFaults;
  readonly notices: Notices;
  readonly metrics: GmsMetrics;
  readonly tracing: Tracing;
  /** Messages were planned outside of the operations: there is something to seal. */
  readonly planned: () => void;
  /** Adds a listener; returns what takes it away. */
  on(events: Partial<GmsEvents>): () => void;
}
