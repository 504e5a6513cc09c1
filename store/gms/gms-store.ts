/**
 * The database of one GMS. Every method is one transaction and safe on any number of processes; each topic is a file of
 * its own, this class only hands them the database and the envelope. Work for one process at a time is claimed: a claim
 * holds for a lease, and is free again when that is over.
 */
import type { KeyId } from "../../bindings/index.ts";
import type { Envelope } from "../envelope.ts";
import type { Database } from "../sql.ts";
import * as audit from "./audit.ts";
import { requireInstance } from "./checks.ts";
import * as chunks from "./chunks.ts";
import { counts } from "./counts.ts";
import * as deliveries from "./deliveries.ts";
import * as documents from "./documents.ts";
import * as gmks from "./gmks.ts";
import { type GmsTransaction, transactionOn } from "./gms-transaction.ts";
import * as groups from "./groups.ts";
import * as members from "./members.ts";
import * as presence from "./presence.ts";
import type {
  ClaimedChunk,
  ClaimedDelivery,
  DeliveryRecord,
  DeliveryResult,
  DeliveryState,
  GktpRecord,
  GmkRecord,
  GmsAuditEntry,
  GmsAuditRecord,
  GmsCounts,
  GroupRecord,
  MemberRecord,
  RekeyRecord,
  SealedRow,
} from "./records.ts";
import * as rekeys from "./rekeys.ts";
import { secretsOf } from "./secrets.ts";

/** Records by name, sealed in the database: a `SecretStorage` of the client role. */
export interface GmsSecrets {
  get(name: string): Promise<Uint8Array | undefined>;
  put(name: string, octets: Uint8Array): Promise<void>;
  delete(name: string): Promise<void>;
  list(prefix: string): Promise<string[]>;
}

export interface Claimant {
  /** Name of the process among those on one database. */
  readonly instance: string;
  readonly now: number;
  /** Milliseconds until the claim is free for others. */
  readonly leaseMs: number;
}

export class GmsStore {
  /** The GMS's own identity keys and what its client of the KMS keeps. */
  readonly secrets: GmsSecrets;

  readonly #db: Database;
  readonly #envelope: Envelope;

  private constructor(db: Database, envelope: Envelope) {
    this.#db = db;
    this.#envelope = envelope;
    this.secrets = secretsOf(db, envelope);
  }

  /** The database and the envelope stay the caller's, who closes them. */
  static open(db: Database, envelope: Envelope): GmsStore {
    return new GmsStore(db, envelope);
  }

  /** Throws unless the database answers. */
  async ready(): Promise<void> {
    await this.#db.query("SELECT 1");
  }

  /**
   * Runs `work` in one transaction, rolled back when it throws. It may run again after a conflict between processes, so
   * it must have no effect but through `tx`; and it must not use the store, which may wait for it.
   */
  change<T>(work: (tx: GmsTransaction) => Promise<T>): Promise<T> {
    return this.#db.transaction((sql) => work(transactionOn(sql, this.#envelope)));
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
    return chunks.claim(this.#db, this.#envelope, claimant);
  }

  /**
   * Stores the messages of all members of a claimed chunk. Members that were forgotten since are left out. False: the
   * claim was lost or the rekey superseded, and nothing is written. Usage error BAD_ROWS when the rows are not those of
   * the claim's members.
   */
  saveChunk(claim: ClaimedChunk, rows: readonly SealedRow[], now: number): Promise<boolean> {
    return chunks.save(this.#db, claim, rows, now);
  }

  /** Gives a claim back after a failure; the chunk is tried again at `nextAt`. Does nothing when the claim was lost. */
  releaseChunk(
    claim: ClaimedChunk,
    failure: { readonly now: number; readonly nextAt: number; readonly error: string },
  ): Promise<void> {
    return chunks.release(this.#db, claim, failure);
  }

  /**
   * What a member's GKTP document holds, in order of the rekeys: for each live GMK its newest message (distribute or
   * renew), for each revoked one its newest revocation. With `groupUri` those for that group only.
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
   * This process holds subscriptions of these members until the time `until`, to be repeated before then. What waits
   * for a member who was nowhere present is due at once.
   */
  present(instance: string, memberUris: readonly string[], until: number): Promise<void> {
    return presence.add(this.#db, instance, memberUris, until);
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
    return deliveries.claim(this.#db, claimant);
  }

  /**
   * Outcomes, all at once. Never takes `acknowledged` or `superseded` back, nor `refused` or `delivered` for less; what
   * is not there any more is passed over. Returns rekeys that are finished by it.
   */
  record(results: readonly DeliveryResult[], now: number): Promise<readonly number[]> {
    return deliveries.record(this.#db, results, now);
  }

  /**
   * Messages that go out by HTTP, all of them or none: false when one is no more to be had, as of who was removed after
   * it was read. It must not be given out then.
   */
  handOver(messages: readonly Pick<DeliveryResult, "rekey" | "memberUri">[], now: number): Promise<boolean> {
    return deliveries.handOver(this.#db, messages, now);
  }

  /**
   * Sealed longer ago than `olderThanMs` and the member present nowhere: unreachable. How many. Also takes the
   * deliveries of processes whose presence ran out to where the member is present now, and ends rekeys of which nothing
   * is planned or sealed any more. To be called from time to time.
   */
  giveUp(options: { readonly now: number; readonly olderThanMs: number }): Promise<number> {
    return deliveries.giveUp(this.#db, options);
  }

  /**
   * Groups whose time of the next rekey has come, each to one process, moved on by their period. As `change` with
   * `tx.claimDueGroups`, which keeps the rekey in one transaction with it.
   */
  claimDueGroups(now: number, limit: number): Promise<GroupRecord[]> {
    return groups.claimDue(this.#db, now, limit);
  }

  audit(entries: readonly GmsAuditEntry[]): Promise<void> {
    return audit.append(this.#db, entries);
  }

  /** In order of the ids, those after `after`. */
  auditLog(query: { readonly after?: number; readonly limit: number }): Promise<GmsAuditRecord[]> {
    return audit.list(this.#db, query);
  }

  /** Of the whole GMS, for metrics. `backlog`: messages planned or sealed. */
  counts(): Promise<GmsCounts> {
    return counts(this.#db);
  }

  /**
   * Drops rekeys that ended before `before` and whose GMK is not live, with their messages, at most `limit` of them.
   * How many. GMKs stay, so that no GMK-ID comes back.
   */
  purge(options: { readonly before: number; readonly limit: number }): Promise<number> {
    return this.#db.transaction((sql) => rekeys.purge(sql, options.before, options.limit));
  }
}
