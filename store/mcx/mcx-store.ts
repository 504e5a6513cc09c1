/**
 * The state that the processes of one MCX server have in common: which of them live, which one serves the call of a
 * group, and messages from one to the others. Times are the database's.
 *
 * Two processes never own one group at a time. A process is dead once its row is deleted, which only happens after its
 * lease; deleting and renewing lock the row, so one of the two finds that the other was there before.
 */
import { defined } from "../../base/defined.ts";
import type { Envelope } from "../database/envelope.ts";
import { Processes } from "../database/processes.ts";
import { lastRestored, type Restored } from "../database/restored.ts";
import { type SealedRecords, sealedRecords } from "../database/sealed-records.ts";
import type { Database, PoolUse, Sql } from "../database/sql.ts";
import { databaseClock, givenClock, type SqlClock } from "../database/sql-clock.ts";
import { requireGroupUri, requireInstance, requireLease, requireLimit } from "../gms/checks.ts";
import { McxData } from "./mcx-data.ts";

/** SIP URIs of a process by the transport in lower case, such as `tcp`. */
export type Contacts = Readonly<Record<string, string>>;

export interface GroupOwner {
  readonly instance: string;
  readonly contacts: Contacts;
}

export interface McxStoreOptions {
  /** For tests: the present time, in place of the database's clock. */
  readonly now?: () => number;
}

/** Channel of notifications; the payload is the name of the process that has messages to take. */
const CHANNEL = "mcx";
/** Milliseconds that a statement on ownership may take: a process that freezes within one holds up nobody for longer. */
const PATIENCE = 3000;
/** A process may die between the choice and the row. */
const MOST_TRIES = 4;
/** Expired digests to clear with each that comes: more than one comes in. */
const SWEEP = 16;

const messageLabel = (instance: string) => `mcx message ${instance}`;

export class McxStore {
  /** Records that all processes share. */
  readonly records: SealedRecords;
  /** Processes on this database, as they report themselves to operators. */
  readonly processes: Processes;
  /** Files and messages that any of the processes may bring. */
  readonly data: McxData;

  readonly #db: Database;
  readonly #envelope: Envelope;
  readonly #clock: SqlClock;

  private constructor(db: Database, envelope: Envelope, clock: SqlClock, data: McxData) {
    this.data = data;
    this.#db = db;
    this.#envelope = envelope;
    this.#clock = clock;
    this.processes = new Processes(db, clock);
    this.records = sealedRecords(db, envelope, { table: "mcx_secret", label: "mcx secret" });
  }

  /** The database and the envelope stay the caller's, who closes them. */
  static open(db: Database, envelope: Envelope, { now }: McxStoreOptions = {}): McxStore {
    const clock = now === undefined ? databaseClock : givenClock(now);
    return new McxStore(db, envelope, clock, McxData.open(db, envelope, defined({ now })));
  }

  /** The use of the database's connections; undefined where there is no pool. */
  pool(): PoolUse | undefined {
    return this.#db.pool?.();
  }

  /** A process that begins, under a name that no process had before. Usage errors BAD_INSTANCE, BAD_LEASE. */
  async begin(instance: string, contacts: Contacts, leaseMs: number): Promise<void> {
    requireInstance(instance);
    requireLease(leaseMs);
    await this.#change(async (sql) => {
      await sql.query(
        `INSERT INTO mcx_instance (instance, contacts, until) VALUES ($1, $2, ${this.#clock()} + $3::bigint)`,
        [instance, JSON.stringify(contacts), leaseMs],
      );
    });
  }

  /** False: the lease is over, whether or not somebody has taken over what the process owned. It begins anew then. */
  async renew(instance: string, leaseMs: number): Promise<boolean> {
    requireLease(leaseMs);
    const now = this.#clock();
    return this.#change(async (sql) => {
      const { affected } = await sql.query(
        `UPDATE mcx_instance SET until = ${now} + $2::bigint WHERE instance = $1 AND until > ${now}`,
        [instance, leaseMs],
      );
      return affected === 1;
    });
  }

  /** The process is given no more groups. Those that it owns stay its own. */
  async retire(instance: string): Promise<void> {
    await this.#change((sql) =>
      sql.query("UPDATE mcx_instance SET leaving = true WHERE instance = $1", [instance]),
    );
  }

  /** The process is gone, and what it owned belongs to nobody. */
  async end(instance: string): Promise<void> {
    await this.#change((sql) => sql.query("DELETE FROM mcx_instance WHERE instance = $1", [instance]));
  }

  /**
   * The process that owns the group. A group that nobody owns, or a dead process, goes to the one that has the fewest, to
   * `asking` where there are several. Undefined: no process lives that takes groups. Usage error BAD_GROUP.
   */
  async own(groupUri: string, asking: string): Promise<GroupOwner | undefined> {
    requireGroupUri(groupUri);
    const now = this.#clock();
    return this.#change(async (sql) => {
      await sql.query(`DELETE FROM mcx_instance WHERE until <= ${now}`);
      for (let tries = 0; tries < MOST_TRIES; tries++) {
        // A process that asks for its own group uses it from now on: see `releaseUnused`.
        await sql.query(`UPDATE mcx_group SET since = ${now} WHERE group_uri = $1 AND instance = $2`, [
          groupUri,
          asking,
        ]);
        const { rows } = await sql.query<GroupOwner>(
          `SELECT i.instance, i.contacts FROM mcx_group g JOIN mcx_instance i ON i.instance = g.instance
          WHERE g.group_uri = $1`,
          [groupUri],
        );
        if (rows[0] !== undefined) return rows[0];
        await sql.query(
          `INSERT INTO mcx_group (group_uri, instance, since)
          SELECT $1, instance, ${now} FROM (
            SELECT i.instance FROM mcx_instance i WHERE i.until > ${now} AND NOT i.leaving
            ORDER BY (SELECT count(*) FROM mcx_group g WHERE g.instance = i.instance), i.instance <> $2, i.instance
            LIMIT 1 FOR KEY SHARE OF i) AS chosen
          ON CONFLICT (group_uri) DO NOTHING`,
          [groupUri, asking],
        );
      }
      return undefined;
    });
  }

  /** The process serves the group no more. */
  async release(instance: string, groupUri: string): Promise<void> {
    await this.#change((sql) =>
      sql.query("DELETE FROM mcx_group WHERE group_uri = $1 AND instance = $2", [groupUri, instance]),
    );
  }

  /** Groups that the process was given so long ago, but for those in `kept`: nobody came for them. How many. */
  async releaseUnused(instance: string, olderThanMs: number, kept: readonly string[]): Promise<number> {
    const { affected } = await this.#db.query(
      `DELETE FROM mcx_group WHERE instance = $1 AND since <= ${this.#clock()} - $2::bigint
        AND group_uri <> ALL ($3::text[])`,
      [instance, olderThanMs, kept],
    );
    return affected;
  }

  /** For all other processes that live. How many. */
  async post(instance: string, message: Uint8Array): Promise<number> {
    return this.#db.transaction(async (sql) => {
      const { rows } = await sql.query<{ instance: string }>(
        `SELECT instance FROM mcx_instance WHERE instance <> $1 AND until > ${this.#clock()}
        ORDER BY instance FOR KEY SHARE`,
        [instance],
      );
      const others = rows.map((row) => row.instance);
      if (others.length === 0) return 0;
      const sealed = others.map((other) => this.#envelope.seal(messageLabel(other), message));
      await sql.query(
        "INSERT INTO mcx_message (instance, sealed) SELECT * FROM unnest($1::text[], $2::bytea[])",
        [others, sealed],
      );
      await sql.query(`SELECT pg_notify('${CHANNEL}', other) FROM unnest($1::text[]) AS other`, [others]);
      return others.length;
    });
  }

  /** Messages of others to this process, oldest first, which are its own to bring from now on. Usage error BAD_LIMIT. */
  async take(instance: string, limit: number): Promise<Uint8Array[]> {
    requireLimit(limit);
    const { rows } = await this.#db.query<{ id: number; sealed: Uint8Array }>(
      `DELETE FROM mcx_message WHERE instance = $1 AND id IN (
        SELECT id FROM mcx_message WHERE instance = $1 ORDER BY id LIMIT $2)
      RETURNING id, sealed`,
      [instance, limit],
    );
    rows.sort((a, b) => a.id - b.id);
    return rows.map(({ sealed }) => this.#envelope.open(messageLabel(instance), sealed));
  }

  /** Calls back when there is something to take, while the database can tell; see `Database.listen`. */
  listen(told: { posted(instance: string): void; state(listening: boolean): void }): () => Promise<void> {
    const stop = this.#db.listen?.(CHANNEL, {
      heard: (payload) => told.posted(payload),
      state: (listening) => told.state(listening),
    });
    return stop ?? (async () => {});
  }

  /** False: one of the processes had this digest before, less than `lifeMs` ago. */
  async firstSeen(digest: Uint8Array, lifeMs: number): Promise<boolean> {
    const now = this.#clock();
    const { affected } = await this.#db.query(
      `WITH swept AS (
        DELETE FROM mcx_seen WHERE digest IN (
          SELECT digest FROM mcx_seen WHERE expires <= ${now} AND digest <> $1 LIMIT ${SWEEP} FOR UPDATE SKIP LOCKED))
      INSERT INTO mcx_seen (digest, expires) VALUES ($1, ${now} + $2::bigint)
      ON CONFLICT (digest) DO UPDATE SET expires = excluded.expires WHERE mcx_seen.expires <= ${now}`,
      [digest, lifeMs],
    );
    return affected === 1;
  }

  /** The last time that the database was restored from a backup, if ever. */
  restored(): Promise<Restored | undefined> {
    return lastRestored(this.#db);
  }

  #change<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.#db.transaction(work, { statementTimeout: PATIENCE });
  }
}
