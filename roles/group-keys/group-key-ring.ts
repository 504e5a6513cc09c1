/**
 * The group keys of one user (TS 33.180 5.7, 5.11.2): which one to send with, which ones may be received with, and which
 * identifiers never come back. It outlives the process in a `SecretStorage`.
 */

import { MikeySakkeError } from "../../base/errors.ts";
import { SerialQueue } from "../../base/serial-queue.ts";
import type { DeliveredKey, KeyId } from "../../bindings/index.ts";
import type { SecretStorage } from "../identity/storage.ts";
import { type GroupKey, stateAt, type UsableGroupKey } from "./group-key.ts";
import type { GroupKeyFacts, KeyEnd } from "./group-key-record.ts";
import { type GroupKeyEntry, GroupKeyTable } from "./group-key-table.ts";
import { ringSince } from "./ring-age.ts";

export interface GroupKeyRingOptions {
  /** MC service user ID. Users that share a storage have a ring each. */
  readonly userUri: string;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** How long an expired key is kept, for what was received before. A day when absent. */
  readonly keepExpiredMs?: number;
  /** Records kept, those that only block an identifier included. 10,000 when absent. */
  readonly maxRecords?: number;
}

export interface GroupKeyChange {
  /** left: its last group was. rejoined: one of its groups is there again. dropped: wiped some time after its expiry. */
  readonly type: "added" | "renewed" | "revoked" | "left" | "rejoined" | "dropped";
  readonly key: GroupKey;
}

const DAY_MS = 24 * 3600 * 1000;

export class GroupKeyRing {
  readonly userUri: string;
  /** Names of records that did not open and were deleted. */
  readonly damaged: readonly string[];
  readonly #table: GroupKeyTable;
  readonly #now: () => number;
  readonly #keepExpiredMs: number;
  readonly #maxRecords: number;
  readonly #listeners = new Set<(change: GroupKeyChange) => void>();
  /** When the ring was made, in milliseconds since the Unix epoch; see `ringSince`. */
  readonly since: number;
  readonly #queue = new SerialQueue();
  /** The latest time that the clock has shown: a key that was over then stays so when the clock is set back. */
  #latest = Number.NEGATIVE_INFINITY;

  private constructor(
    table: GroupKeyTable,
    { damaged, since }: { readonly damaged: readonly string[]; readonly since: number },
    options: GroupKeyRingOptions,
  ) {
    this.userUri = options.userUri;
    this.damaged = damaged;
    this.since = since;
    this.#table = table;
    this.#now = () => {
      this.#latest = Math.max(this.#latest, options.now());
      return this.#latest;
    };
    this.#keepExpiredMs = options.keepExpiredMs ?? DAY_MS;
    this.#maxRecords = options.maxRecords ?? 10_000;
  }

  /** `storage`: one that seals, unless it ends with the process (5.11.1). */
  static async open(storage: SecretStorage, options: GroupKeyRingOptions): Promise<GroupKeyRing> {
    const { userUri, now } = options;
    const { table, damaged } = await GroupKeyTable.open(storage, userUri);
    try {
      const since = await ringSince(storage, userUri, { isEmpty: table.size === 0, now: now() });
      return new GroupKeyRing(table, { damaged, since }, options);
    } catch (error) {
      table.close();
      throw error;
    }
  }

  /** The key to send with: of the active ones that the group's GMS gave the one activated last (5.7.1). */
  current(groupUri: string): UsableGroupKey | undefined {
    const gmsUri = this.gmsOf(groupUri);
    return this.#entries(groupUri)
      .filter(({ facts }) => facts.gmsUri === gmsUri)
      .map((entry) => ({ key: this.#view(entry), firstSent: entry.facts.firstSent }))
      .filter(({ key }) => key.state === "active")
      .sort(
        (a, b) =>
          b.key.activation - a.key.activation || b.firstSent - a.firstSent || b.key.gmkId - a.key.gmkId,
      )[0]?.key as UsableGroupKey | undefined;
  }

  /** The key of received media or payloads, by the GMK-ID of their MKI. A sender's clock may be ahead of ours. */
  byGmkId(gmkId: KeyId): UsableGroupKey | undefined {
    const key = this.key(gmkId);
    return key?.key && (key.state === "active" || key.state === "pending")
      ? (key as UsableGroupKey)
      : undefined;
  }

  /** A key in whatever state; undefined for one that was left or dropped. */
  key(gmkId: KeyId): GroupKey | undefined {
    const entry = this.#table.get(gmkId);
    return entry && isShown(entry) ? this.#view(entry) : undefined;
  }

  /** All keys, or those of a group, the one activated first in front. */
  keys(groupUri?: string): GroupKey[] {
    return this.#entries(groupUri)
      .map((entry) => this.#view(entry))
      .sort((a, b) => a.activation - b.activation || a.gmkId - b.gmkId);
  }

  /**
   * The GMS that manages a group: the first one whose key of it is still held. The keys of no other count for the group.
   * Undefined: there is no key of it.
   */
  gmsOf(groupUri: string): string | undefined {
    const held = this.#entries(groupUri).filter(({ key }) => key !== undefined);
    return held.sort((a, b) => a.facts.firstSent - b.facts.firstSent)[0]?.facts.gmsUri;
  }

  /** Groups that there is a key of. */
  groups(): string[] {
    const found = [...this.#table.all].filter(({ key }) => key !== undefined).flatMap(groupsOf);
    return [...new Set(found)].sort();
  }

  /** Returns whether the identifier was used and its key is gone, so that no other key may come under it. */
  isBlocked(gmkId: KeyId): boolean {
    return this.#table.get(gmkId)?.facts.end !== undefined;
  }

  /** When the next key becomes active or expires, or is to be dropped; undefined: not by time alone. */
  nextChange(): number | undefined {
    const now = this.#now();
    const times = [...this.#table.all]
      .filter(({ key }) => key !== undefined)
      .flatMap(({ facts: { activation, expiry } }) =>
        expiry === undefined ? [activation] : [activation, expiry + 1, this.#dropTime(expiry)],
      )
      .filter((time) => time > now);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Calls `listener` after each change; returns what takes it away. */
  onChange(listener: (change: GroupKeyChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Gives up the keys of a group that the user is no member of any more; keys that it shares stay for the others.
   * `gmsUri`: on the word of that GMS, which has a say on its own keys only.
   */
  leave(groupUri: string, gmsUri?: string): Promise<void> {
    return this.exclusively(async () => {
      for (const entry of this.#entries(groupUri)) {
        if (entry.key === undefined || !isGiven(entry, gmsUri)) continue;
        const leftGroups = [...entry.facts.leftGroups, groupUri];
        const isLast = entry.facts.groups.every((uri) => leftGroups.includes(uri));
        if (isLast) await this.#end({ ...entry.facts, leftGroups }, "left");
        else await this.#table.put({ ...entry.facts, leftGroups }, entry.key);
      }
    });
  }

  /** A group is there again: keys that are held for other groups count for it once more. `gmsUri`: as for `leave`. */
  rejoin(groupUri: string, gmsUri?: string): Promise<void> {
    return this.exclusively(async () => {
      for (const entry of [...this.#table.all]) {
        const { facts, key } = entry;
        if (key === undefined || !facts.leftGroups.includes(groupUri) || !isGiven(entry, gmsUri)) continue;
        if ((this.gmsOf(groupUri) ?? facts.gmsUri) !== facts.gmsUri) continue;
        const leftGroups = facts.leftGroups.filter((uri) => uri !== groupUri);
        this.#tell("rejoined", await this.#table.put({ ...facts, leftGroups }, key));
      }
    });
  }

  /** Wipes keys long expired, and deletes records that no message could bring back any more. */
  prune(): Promise<void> {
    return this.exclusively(async () => {
      await this.#noteExpired();
      await this.#prune();
    });
  }

  /** Wipes the keys in memory. What is stored stays. */
  close(): void {
    this.#listeners.clear();
    this.#table.close();
  }

  /** One change after the other; `takeMessage` works within it. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.#queue.run(work);
  }

  /** The record of the scope of a message, as stored now. */
  async stored(scope: string): Promise<GroupKeyFacts | undefined> {
    return (await this.#table.reread(scope))?.facts;
  }

  /**
   * The key of the record that a message with these signed octets is in already. A revoked key is only that of its
   * revocation, and one that was left is none: its messages are judged anew.
   */
  taken(digest: string): GroupKey | undefined {
    for (const entry of this.#table.all) {
      const { end, digests } = entry.facts;
      if (end === "left") continue;
      const found = end === "revoked" ? digests.at(-1) === digest : digests.includes(digest);
      if (found) return this.#view(entry);
    }
    return undefined;
  }

  /**
   * Stores what an accepted message made of its record, in one write. Takes over `key`.
   *
   * @throws {MikeySakkeError} usage `RECEIVER_STATE_FULL`, or what the storage throws; nothing has changed then
   */
  async enter(facts: GroupKeyFacts, key: DeliveredKey | undefined): Promise<GroupKey> {
    const before = this.#table.get(facts.ledger.keyId);
    try {
      if (before === undefined) await this.#makeRoom();
      const entry = await this.#table.put(facts, key);
      const isKnown = before?.key !== undefined;
      this.#tell(key === undefined ? "revoked" : isKnown ? "renewed" : "added", entry);
      return this.#view(entry);
    } catch (error) {
      key?.destroy();
      throw error;
    }
  }

  async #makeRoom(): Promise<void> {
    if (this.#table.size < this.#maxRecords) return;
    await this.#prune();
    if (this.#table.size < this.#maxRecords) return;
    // Revoked identifiers are blocked for as long as there is room; their old messages are refused all the same.
    const now = this.#now();
    const oldest = [...this.#table.all]
      .filter(({ facts }) => facts.end === "revoked" && facts.replayableUntil <= now)
      .sort((a, b) => a.facts.replayableUntil - b.facts.replayableUntil)[0];
    if (oldest === undefined) {
      const text = `group keys: ${this.#maxRecords} records held, none of which can go`;
      throw new MikeySakkeError("usage", "RECEIVER_STATE_FULL", text);
    }
    await this.#table.delete(oldest.facts);
  }

  async #prune(): Promise<void> {
    const now = this.#now();
    for (const { facts, key } of [...this.#table.all]) {
      const { end, expiry, replayableUntil } = facts;
      if (key !== undefined && expiry !== undefined && this.#dropTime(expiry) <= now) {
        await this.#end(facts, "expired");
      } else if ((end === "left" || end === "expired") && replayableUntil <= now) {
        await this.#table.delete(facts);
      }
    }
  }

  /** In the storage, so that no restart with a clock that was set back makes a key active again. */
  async #noteExpired(): Promise<void> {
    const now = this.#now();
    for (const { facts, key } of [...this.#table.all]) {
      const { expiry, isExpired } = facts;
      if (key === undefined || isExpired || expiry === undefined || expiry >= now) continue;
      await this.#table.put({ ...facts, isExpired: true }, key);
    }
  }

  async #end(facts: GroupKeyFacts, end: KeyEnd): Promise<void> {
    const entry = await this.#table.put({ ...facts, end }, undefined);
    this.#tell(end === "left" ? "left" : "dropped", entry);
  }

  #dropTime(expiry: number): number {
    return expiry + 1 + this.#keepExpiredMs;
  }

  #entries(groupUri?: string): GroupKeyEntry[] {
    const shown = [...this.#table.all].filter(isShown);
    return groupUri === undefined ? shown : shown.filter((entry) => groupsOf(entry).includes(groupUri));
  }

  #view(entry: GroupKeyEntry): GroupKey {
    const { ledger, gukId, activation, expiry, text, gmsUri, profile, isExpired } = entry.facts;
    const state = stateAt({ activation, expiry, revoked: ledger.revoked }, this.#now());
    return {
      gmkId: ledger.keyId,
      gukId,
      groups: groupsOf(entry),
      state: isExpired && state !== "revoked" ? "expired" : state,
      activation,
      expiry,
      text,
      gmsUri,
      profile,
      key: entry.key,
    };
  }

  #tell(type: GroupKeyChange["type"], entry: GroupKeyEntry): void {
    const change = { type, key: this.#view(entry) };
    for (const listener of this.#listeners) listener(change);
  }
}

function isShown({ facts: { end } }: GroupKeyEntry): boolean {
  return end === undefined || end === "revoked";
}

function isGiven({ facts }: GroupKeyEntry, gmsUri: string | undefined): boolean {
  return gmsUri === undefined || facts.gmsUri === gmsUri;
}

function groupsOf({ facts: { groups, leftGroups } }: GroupKeyEntry): string[] {
  return groups.filter((uri) => !leftGroups.includes(uri));
}
