/**
 * The database of one GMS. Every method is one transaction and safe on any number of processes; each topic is a file of
 * its own, this class only hands them the database and the envelope. Work for one process at a time is claimed: a claim
 * holds for a lease, and is free again when that is over.
 */

import type { KeyId } from "../../bindings/index.ts";
import type { Envelope } from "../database/envelope.ts";
import { requireWritable } from "../database/probe.ts";
import { Processes } from "../database/processes.ts";
import { lastRestored, type Restored } from "../database/restored.ts";
import { type SealedRecords, sealedRecords } from "../database/sealed-records.ts";
import { type WriteLines, writeSnapshot } from "../database/snapshot.ts";
import type { Database, PoolUse } from "../database/sql.ts";
import { databaseClock, givenClock, readClock, type SqlClock } from "../database/sql-clock.ts";
import * as audit from "./audit.ts";
import { requireInstance } from "./checks.ts";
import * as chunks from "./chunks.ts";
import { type ClockReset, initiators, requireNotAhead, reset, secondsAhead } from "./clock.ts";
import { counts } from "./counts.ts";
import * as deliveries from "./deliveries.ts";
import * as documents from "./documents.ts";
import { type GiveUpOptions, giveUp } from "./give-up.ts";
import * as gmks from "./gmks.ts";
import { type GmsTransaction, transactionOn } from "./gms-transaction.ts";
import * as groups from "./groups.ts";
import * as members from "./members.ts";
import { CHANNEL, type Notice, readNotice } from "./notices.ts";
import type { Lease } from "./presence.ts";
import * as presence from "./presence.ts";
import * as recipients from "./recipients.ts";
import type {
  ChunkFailure,
  Claimant,
  ClaimedChunk,
  ClaimedDelivery,
  DeliveryKey,
  DeliveryRecord,
  DeliveryResult,
  DeliveryState,
  GktpRecord,
  GmkRecord,
  GmsAuditEntry,
  GmsAuditQuery,
  GmsAuditRecord,
  GmsCounts,
  GroupRecord,
  MemberRecord,
  RekeyRecord,
  SealedRow,
} from "./records.ts";
import * as rekeys from "./rekeys.ts";
import { takeStep } from "./steps.ts";

export interface GmsStoreOptions {
  /** For tests and simulations: the present time, in place of the database's clock. */
  readonly now?: () => number;
}

export class GmsStore {
  /** The GMS's own identity keys and what its client of the KMS keeps. */
  readonly secrets: SealedRecords;
  /** Processes on this database, as they report themselves to operators. */
  readonly processes: Processes;

  readonly #db: Database;
  readonly #envelope: Envelope;
  readonly #clock: SqlClock;

  private constructor(db: Database, envelope: Envelope, clock: SqlClock) {
    this.#db = db;
    this.#envelope = envelope;
    this.#clock = clock;
    this.processes = new Processes(db, clock);
    this.secrets = sealedRecords(db, envelope, { table: "gms_secret", label: "gms secret" });
  }

  /** The database and the envelope stay the caller's, who closes them. */
  static open(db: Database, envelope: Envelope, { now }: GmsStoreOptions = {}): GmsStore {
    return new GmsStore(db, envelope, now === undefined ? databaseClock : givenClock(now));
  }

  /** Throws unless the database answers and takes what is written. Returns its time. */
  ready(): Promise<number> {
    return requireWritable(this.#db, this.#clock);
  }

  /** The use of the database's connections; undefined where there is no pool. */
  pool(): PoolUse | undefined {
    return this.#db.pool?.();
  }

  /** The present time, by the clock of the database, which all that is stored goes by. */
  now(): Promise<number> {
    return readClock(this.#db, this.#clock);
  }

  /** Seconds that T of the initiator is ahead of the database's clock. */
  secondsAhead(initiatorUri: string): Promise<number> {
    return secondsAhead(this.#db, this.#clock, initiatorUri);
  }

  /** Transport error CLOCK_AHEAD where T of the initiator is more than a minute ahead of the database's clock. */
  requireClock(initiatorUri: string): Promise<void> {
    return requireNotAhead(this.#db, this.#clock, initiatorUri);
  }

  /**
   * The way back after the database's clock was ahead for a while: T goes on from what that clock says now. Times that
   * were given while it was ahead are not given again.
   */
  resetClock(initiatorUri: string): Promise<ClockReset> {
    return this.#db.transaction((sql) => reset(sql, this.#clock, initiatorUri));
  }

  /** URIs under which messages were made: that of the GMS, once there were any. */
  initiators(): Promise<string[]> {
    return initiators(this.#db);
  }

  /** The last time that the database was restored from a backup, if ever. */
  restored(): Promise<Restored | undefined> {
    return lastRestored(this.#db);
  }

  /** All that the database holds, see `writeSnapshot`. */
  snapshot(write: WriteLines): Promise<void> {
    return writeSnapshot(this.#db, write);
  }

  /** Listens to what other processes do, while the database can tell; see `Database.listen`. */
  listen(told: { notice(notice: Notice): void; state(listening: boolean): void }): () => Promise<void> {
    const stop = this.#db.listen?.(CHANNEL, {
      heard(payload) {
        const notice = readNotice(payload);
        if (notice !== undefined) told.notice(notice);
      },
      state: (listening) => told.state(listening),
    });
    return stop ?? (async () => {});
  }

  /**
   * Runs `work` in one transaction, rolled back when it throws. It may run again after a conflict between processes, so
   * it must have no effect but through `tx`; and it must not use the store, which may wait for it.
   */
  change<T>(work: (tx: GmsTransaction) => Promise<T>): Promise<T> {
    return this.#db.transaction((sql) => work(transactionOn(sql, this.#clock, this.#envelope)));
  }

  /**
   * For the start of a process: frees what an earlier process of the name `instance` had claimed, and forgets the
   * subscriptions that it held. On PGlite, which is one process's alone, whatever the name was.
   */
  async recover(instance: string): Promise<void> {
    requireInstance(instance);
    const whose = this.#db.kind === "pglite" ? undefined : instance;
    await chunks.recover(this.#db, whose);
    await presence.recover(this.#db, whose);
  }

  group(uri: string): Promise<GroupRecord | undefined> {
    return groups.find(this.#db, uri);
  }

  /** In order of the URI's octets, those after `after`. */
  groups(query: { readonly after?: string; readonly limit: number }): Promise<GroupRecord[]> {
    return groups.list(this.#db, query);
  }

  /** In order of the URI's octets, those after `after`. */
  members(
    groupUri: string,
    query: { readonly after?: string; readonly limit: number },
  ): Promise<MemberRecord[]> {
    return members.list(this.#db, groupUri, query);
  }

  /** Groups that the identity is a member of, by URI. */
  groupsOf(memberUri: string): Promise<GroupRecord[]> {
    return groups.ofMember(this.#db, memberUri);
  }

  isMember(groupUri: string, memberUri: string): Promise<MemberRecord | undefined> {
    return members.find(this.#db, groupUri, memberUri);
  }

  /** Groups of each with their revisions, as `groupsOf` for many at once; each URI is there. */
  revisionsOf(memberUris: readonly string[]): Promise<Map<string, Map<string, number>>> {
    return groups.revisionsOf(this.#db, memberUris);
  }

  /** Absent: no such group. */
  revisions(groupUris: readonly string[]): Promise<Map<string, number>> {
    return groups.revisions(this.#db, groupUris);
  }

  /** Oldest first, in every state. */
  gmks(groupUri: string): Promise<GmkRecord[]> {
    return gmks.ofGroup(this.#db, groupUri);
  }

  gmkByGmkId(gmkId: KeyId): Promise<GmkRecord | undefined> {
    return gmks.findByGmkId(this.#db, gmkId);
  }

  gmk(id: number): Promise<GmkRecord | undefined> {
    return gmks.find(this.#db, id);
  }

  /** Live GMKs that no process has looked at for this border of key periods, see `GmsTransaction.claimRenewal`. */
  gmksToRenew(border: number, limit: number): Promise<GmkRecord[]> {
    return gmks.toRenew(this.#db, border, limit);
  }

  /** GMKs that a member was given, or is going to be, by their ids. */
  gmksHeldBy(memberUri: string): Promise<number[]> {
    return recipients.heldBy(this.#db, memberUri);
  }

  /** Members planned for who have not acknowledged a GMK, nor refused it last. */
  withoutGmk(gmk: number): Promise<MemberRecord[]> {
    return recipients.undelivered(this.#db, gmk);
  }

  /** Members who were to hear that a GMK is revoked, and have not acknowledged it. */
  unawareOfRevocation(gmk: number): Promise<string[]> {
    return recipients.unaware(this.#db, gmk);
  }

  rekey(id: number): Promise<RekeyRecord | undefined> {
    return rekeys.find(this.#db, id);
  }

  /** Newest first. */
  rekeys(query: { readonly groupUri?: string; readonly limit: number }): Promise<RekeyRecord[]> {
    return rekeys.list(this.#db, query);
  }

  /** By member URI, those after `after`; planned ones included. */
  deliveries(
    rekey: number,
    query: { readonly state?: DeliveryState; readonly after?: string; readonly limit: number },
  ): Promise<DeliveryRecord[]> {
    return deliveries.list(this.#db, rekey, query);
  }

  /**
   * A chunk for this process to seal, of the rekey that was served least recently, so that a small rekey does not wait
   * for a large one. Not the chunks whose lease of another claim lasts, nor those to be tried later. Undefined: nothing.
   */
  claimChunk(claimant: Claimant): Promise<ClaimedChunk | undefined> {
    return chunks.claim(this.#db, this.#clock, this.#envelope, claimant);
  }

  /**
   * Stores the messages of all members of a claimed chunk. Members that were forgotten since are left out. False: the
   * claim was lost or the rekey superseded, and nothing is written. Usage error BAD_ROWS when the rows are not those of
   * the claim's members.
   */
  saveChunk(claim: ClaimedChunk, rows: readonly SealedRow[]): Promise<boolean> {
    return chunks.save(this.#db, this.#clock, claim, rows);
  }

  /** Gives a claim back after a failure; the chunk is tried again later. Does nothing when the claim was lost. */
  releaseChunk(claim: ClaimedChunk, failure: ChunkFailure): Promise<void> {
    return chunks.release(this.#db, this.#clock, claim, failure);
  }

  /**
   * Returns what a member's GKTP document holds, in order of the rekeys: for each live GMK its newest message
   * (distribute or renew), for each revoked one its newest revocation. With `groupUri` those for that group only.
   */
  gktpOf(memberUri: string, groupUri?: string): Promise<GktpRecord[]> {
    return documents.ofMember(this.#db, memberUri, groupUri);
  }

  /** As `gktpOf`, for many at once; each URI is there. */
  gktpOfAll(memberUris: readonly string[]): Promise<Map<string, GktpRecord[]>> {
    return documents.ofMembers(this.#db, memberUris);
  }

  /**
   * For each URI a text that changes when, and only when, entries of `gktpOf` come or go, the same in all processes;
   * empty when there are none. With `groupUri` for that group only.
   */
  gktpStamps(memberUris: readonly string[], groupUri?: string): Promise<Map<string, string>> {
    return documents.stamps(this.#db, memberUris, groupUri);
  }

  /**
   * This process lives, and does for so long; to be repeated before then. What it said of `present` members counts as
   * long, and is forgotten when the lease was over (`kept` is false).
   */
  renewLease(instance: string, leaseMs: number): Promise<Lease> {
    return presence.renew(this.#db, this.#clock, instance, leaseMs);
  }

  /**
   * These members have come: this process holds subscriptions of them. What waits for them is due here, at once where
   * they were nowhere present.
   */
  present(instance: string, memberUris: readonly string[]): Promise<void> {
    return presence.add(this.#db, this.#clock, instance, memberUris);
  }

  /** This process ends: it holds no subscriptions any more. */
  leave(instance: string): Promise<void> {
    requireInstance(instance);
    return presence.recover(this.#db, instance);
  }

  /** The subscriptions are over. */
  absent(instance: string, memberUris: readonly string[]): Promise<void> {
    return presence.remove(this.#db, instance, memberUris);
  }

  /**
   * Messages for this process to send: sealed (or unreachable before, and the member has shown up), due, the member
   * present here. Rekeys take turns. Not due again until the lease is over; the attempts count it.
   */
  claimDeliveries(claimant: Claimant & { readonly limit: number }): Promise<ClaimedDelivery[]> {
    return deliveries.claim(this.#db, this.#clock, claimant);
  }

  /**
   * Outcomes, all at once. Never takes `acknowledged` or `superseded` back, nor `refused` or `delivered` for less; what
   * is not there any more is passed over. Returns rekeys that are finished by it.
   */
  record(results: readonly DeliveryResult[]): Promise<readonly number[]> {
    return deliveries.record(this.#db, this.#clock, results);
  }

  /**
   * Messages that go out by HTTP, all of them or none: undefined when one can no longer be handed out, as for a member
   * who was removed after it was read. It must not be given out then. Returns rekeys that are finished by it.
   */
  handOver(messages: readonly DeliveryKey[]): Promise<readonly number[] | undefined> {
    return deliveries.handOver(this.#db, this.#clock, messages);
  }

  /**
   * Sealed longer ago than `olderThanMs` and the member present nowhere: unreachable. How many. Also takes the
   * deliveries of processes whose lease is over to where the member is present now. To be called from time to time; one
   * process does it for all.
   */
  giveUp(options: GiveUpOptions): Promise<number> {
    return giveUp(this.#db, this.#clock, options);
  }

  /**
   * Groups whose time of the next rekey has come, each to one process, moved on by their period. As `change` with
   * `tx.claimDueGroups`, which keeps the rekey in one transaction with it.
   */
  claimDueGroups(limit: number): Promise<GroupRecord[]> {
    return groups.claimDue(this.#db, this.#clock, limit);
  }

  audit(entries: readonly GmsAuditEntry[]): Promise<void> {
    return audit.append(this.#db, entries);
  }

  /** In order of the ids, those after `after`. */
  auditLog(query: GmsAuditQuery): Promise<GmsAuditRecord[]> {
    return audit.list(this.#db, query);
  }

  /** Deletes audit entries of before; refusals of unknown users by a time of their own. At most `limit`; how many. */
  purgeAudit(options: {
    readonly before: number;
    readonly anonymousBefore: number;
    readonly limit: number;
  }): Promise<number> {
    return audit.purge(this.#db, options);
  }

  /**
   * The counts of the whole GMS, for metrics. `backlog`: messages planned or sealed. One process counts for all; what it
   * has counted may be `maxAgeMs` old.
   */
  counts(maxAgeMs = 0): Promise<GmsCounts> {
    return counts(this.#db, this.#clock, maxAgeMs);
  }

  /** True for one process in each interval, which is to do what that name stands for. */
  takeStep(name: string, everyMs: number): Promise<boolean> {
    return takeStep(this.#db, this.#clock, name, everyMs);
  }

  /**
   * Drops rekeys that ended longer ago and whose GMK is not live, with their messages, at most `limit` of them. How
   * many. GMKs stay, so that no GMK-ID comes back.
   */
  purge(options: { readonly olderThanMs: number; readonly limit: number }): Promise<number> {
    return this.#db.transaction((sql) => rekeys.purge(sql, this.#clock, options.olderThanMs, options.limit));
  }
}
