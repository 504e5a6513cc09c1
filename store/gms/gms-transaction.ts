/** The operations within one transaction of `GmsStore.change`. Rows that are locked stay so until it ends. */

import type { NtpTime } from "../../bindings/index.ts";
import type { Envelope } from "../database/envelope.ts";
import type { Sql } from "../database/sql.ts";
import type { SqlClock } from "../database/sql-clock.ts";
import * as audit from "./audit.ts";
import { reserve } from "./clock.ts";
import * as gmks from "./gmks.ts";
import * as groups from "./groups.ts";
import * as members from "./members.ts";
import * as recipients from "./recipients.ts";
import type {
  DueRevocation,
  EndingGmk,
  GmkRecord,
  GmkState,
  GmsAuditEntry,
  GroupChanges,
  GroupRecord,
  GroupSettings,
  MemberRecord,
  NewGmk,
  NewRekey,
  NewRekeyMember,
  RekeyRecord,
} from "./records.ts";
import * as rekeys from "./rekeys.ts";

export interface GmsTransaction {
  /** Others who lock it wait until the transaction ends. Several groups: in order of their URIs. */
  lockGroup(uri: string): Promise<GroupRecord | undefined>;
  /** The first rekey of the schedule is one period after `now`. Usage error GROUP_EXISTS. */
  insertGroup(uri: string, settings: GroupSettings, now: number): Promise<GroupRecord>;
  /**
   * Counts the revision up, also without changes: whoever changes the members calls it. A schedule that is new with
   * the settings, without `nextRekeyAt`, is due at once. Usage error GROUP_UNKNOWN.
   */
  updateGroup(uri: string, changes: GroupChanges): Promise<GroupRecord>;
  /** Undefined: no time set. The revision stays. Does nothing when there is no such group. */
  setNextRekey(uri: string, nextRekeyAt: number | undefined): Promise<void>;
  /**
   * Takes the group out of GMKs that it shares with others. GMKs that are its alone keep it in `groups`, and become
   * revoked. Usage error GROUP_UNKNOWN.
   */
  deleteGroup(uri: string): Promise<void>;

  /** All or none. The revision stays. Usage errors GROUP_UNKNOWN, MEMBER_EXISTS. */
  insertMembers(groupUri: string, members: readonly MemberRecord[], now: number): Promise<void>;
  /** The member with all that its group document says of it. */
  member(groupUri: string, memberUri: string): Promise<MemberRecord | undefined>;
  /** Priority and extensions of members who are there; others are passed over. */
  describeMembers(groupUri: string, members: readonly MemberRecord[]): Promise<void>;
  /** Deletes members and returns how many there were. The revision stays. */
  deleteMembers(groupUri: string, uris: readonly string[]): Promise<number>;
  /** In all groups of the member. */
  setKms(memberUri: string, kmsUri: string): Promise<void>;
  /** Members of all these groups, each once, ordered by URI. */
  members(groupUris: readonly string[]): Promise<MemberRecord[]>;

  /** Oldest first, in every state. */
  gmks(groupUri: string): Promise<GmkRecord[]>;
  gmk(id: number): Promise<GmkRecord | undefined>;
  /** The caller wipes them. Usage error GMK_UNKNOWN. */
  gmkSecret(id: number): Promise<{ key: Uint8Array; rand: Uint8Array }>;
  /** Live. Usage error GMK_ID_EXISTS: the GMK-ID was used once, however long ago. */
  insertGmk(gmk: NewGmk, now: number): Promise<GmkRecord>;
  /** Their messages, but for revocations, leave the documents and are not sent any more; running rekeys: `supersede`. */
  setGmkState(ids: readonly number[], state: Exclude<GmkState, "live">): Promise<void>;
  /** They are to be revoked at that time, or earlier where that is set already. */
  revokeAt(
    ids: readonly number[],
    at: number,
    by: { readonly actor: string; readonly traceparent?: string | undefined },
  ): Promise<void>;
  /** Live ones are to be retired at that time, or earlier where that is set already. */
  retireAt(ids: readonly number[], at: number): Promise<void>;
  /** GMKs to be retired since their time has come, each to one process. Undone with the transaction. */
  claimRetiringGmks(now: number, limit: number): Promise<number[]>;
  /** GMKs to be revoked since their time has come, each to one process. Undone with the transaction. */
  claimEndingGmks(now: number, limit: number): Promise<EndingGmk[]>;
  /**
   * One of `GmsStore.gmksToRenew` is this transaction's to renew; undone with it. False: it is not live any more, or
   * another process was faster.
   */
  claimRenewal(gmk: number, border: number): Promise<boolean>;
  /** GMKs of these that one of the members may hold. */
  held(memberUris: readonly string[], gmkIds: readonly number[]): Promise<number[]>;
  /** Everyone that a message with the GMK was ever planned for, each once, by URI, as they were then. */
  recipients(gmk: number): Promise<NewRekeyMember[]>;
  /** Members who may have the GMK, without those who were forgotten before a message was delivered. */
  served(gmk: number): Promise<NewRekeyMember[]>;

  /**
   * First of `count` times of an initiator that nobody was given before, one 2^-32 s apart, all in one second, by the
   * clock of the database; never back, also when that goes back (RFC 3830 5.2). Others who ask for the same initiator
   * wait. Transport error CLOCK_AHEAD where they would be more than a minute ahead of that clock, see `resetClock`.
   */
  reserveTimes(initiatorUri: string, count: number): Promise<NtpTime>;

  /**
   * Plans messages for these members; without members it is done at once. Usage errors: GMK_UNKNOWN, GMK_REVOKED and
   * GMK_RETIRED (unless to revoke), DUPLICATE_MEMBER, GUK_ID_COLLISION (another recipient of the GMK has the GUK-ID),
   * BAD_TIME (the times reach into the next second).
   */
  insertRekey(rekey: NewRekey): Promise<number>;
  /**
   * Drops what is planned; messages not yet acknowledged are not delivered any more. Returns the GMKs that were to be
   * revoked after these rekeys and have not been, which whoever takes their place passes on.
   */
  supersede(rekeyIds: readonly number[], now: number): Promise<number[]>;
  runningRekeys(groupUri: string): Promise<RekeyRecord[]>;
  /** Rekeys of one GMK, in every state, newest first. */
  rekeysOf(gmk: number): Promise<RekeyRecord[]>;
  /**
   * Deletes messages and planned entries that would give these members these GMKs: of revocations only those for who
   * never was handed a message. Ends rekeys that are left empty.
   */
  forget(memberUris: readonly string[], gmkIds: readonly number[]): Promise<void>;
  /** Members planned for who have not acknowledged, nor refused last; as they are now where they are still members. */
  undelivered(gmk: number): Promise<MemberRecord[]>;

  /** As `GmsStore.claimDueGroups`; undone with the transaction. */
  claimDueGroups(limit: number): Promise<GroupRecord[]>;
  /**
   * GMKs to be revoked since the rekey that names them in `revokeAfter` is done, each to one process. Undone with the
   * transaction; call until there are none, so that a process that was killed leaves none behind.
   */
  claimDueRevocations(limit: number): Promise<DueRevocation[]>;

  audit(entries: readonly GmsAuditEntry[]): Promise<void>;
}

export function transactionOn(sql: Sql, clock: SqlClock, envelope: Envelope): GmsTransaction {
  return {
    lockGroup: (uri) => groups.lock(sql, uri),
    insertGroup: (uri, settings, now) => groups.insert(sql, uri, settings, now),
    updateGroup: (uri, changes) => groups.update(sql, uri, changes),
    setNextRekey: (uri, nextRekeyAt) => groups.setNextRekey(sql, uri, nextRekeyAt),
    deleteGroup: (uri) => groups.remove(sql, uri),
    insertMembers: (groupUri, added, now) => members.insert(sql, groupUri, added, now),
    member: (groupUri, memberUri) => members.find(sql, groupUri, memberUri),
    describeMembers: (groupUri, described) => members.describe(sql, groupUri, described),
    deleteMembers: (groupUri, uris) => members.remove(sql, groupUri, uris),
    setKms: (memberUri, kmsUri) => members.setKms(sql, memberUri, kmsUri),
    members: (groupUris) => members.union(sql, groupUris),
    gmks: (groupUri) => gmks.ofGroup(sql, groupUri),
    gmk: (id) => gmks.find(sql, id),
    gmkSecret: (id) => gmks.secret(sql, envelope, id),
    insertGmk: (gmk, now) => gmks.insert(sql, envelope, gmk, now),
    setGmkState: (ids, state) => gmks.setState(sql, ids, state),
    revokeAt: (ids, at, by) => gmks.revokeAt(sql, ids, at, by),
    retireAt: (ids, at) => gmks.retireAt(sql, ids, at),
    claimRetiringGmks: (now, limit) => gmks.claimRetiring(sql, now, limit),
    claimEndingGmks: (now, limit) => gmks.claimEnding(sql, now, limit),
    claimRenewal: (gmk, border) => gmks.claimRenewal(sql, gmk, border),
    held: (memberUris, gmkIds) => recipients.held(sql, memberUris, gmkIds),
    recipients: (gmk) => recipients.list(sql, gmk),
    served: (gmk) => recipients.served(sql, gmk),
    reserveTimes: (initiatorUri, count) => reserve(sql, clock, initiatorUri, count),
    insertRekey: (rekey) => rekeys.insert(sql, clock, rekey),
    supersede: (rekeyIds, now) => rekeys.supersede(sql, rekeyIds, now),
    runningRekeys: (groupUri) => rekeys.running(sql, groupUri),
    rekeysOf: (gmk) => rekeys.ofGmk(sql, gmk),
    forget: (memberUris, gmkIds) => recipients.forget(sql, clock, memberUris, gmkIds),
    undelivered: (gmk) => recipients.undelivered(sql, gmk),
    claimDueGroups: (limit) => groups.claimDue(sql, clock, limit),
    claimDueRevocations: (limit) => rekeys.claimDueRevocations(sql, limit),
    audit: (entries) => audit.append(sql, entries),
  };
}
