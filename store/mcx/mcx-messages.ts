/** Messages for users who are away, sealed under the store key until a process has brought them. Times are the database's. */
import type { Envelope } from "../database/envelope.ts";
import type { Database } from "../database/sql.ts";
import type { SqlClock } from "../database/sql-clock.ts";

export interface KeptMessage {
  readonly user: string;
  /** Tells the message from the others for this user. */
  readonly name: string;
  readonly message: Uint8Array;
}

export interface MessageLimits {
  /** Messages for one user. */
  readonly each: number;
  /** Octets of all messages, with 512 more for each. */
  readonly totalBytes: number;
  /** Milliseconds for which a message is kept. */
  readonly keepMs: number;
}

/** Octets of one message that do not depend on what is in it. */
export const MESSAGE_ENTRY_BYTES = 512;

interface Row {
  readonly user_uri: string;
  readonly name: string;
  readonly sealed: Uint8Array;
}

const messageLabel = (user: string, name: string) => `mcx kept ${name} ${user}`;

export class McxMessages {
  readonly #db: Database;
  readonly #envelope: Envelope;
  readonly #clock: SqlClock;

  constructor(db: Database, envelope: Envelope, clock: SqlClock) {
    this.#db = db;
    this.#envelope = envelope;
    this.#clock = clock;
  }

  /** A client of the user is bound: the user is known for so many milliseconds. */
  async seen(user: string, knownMs: number): Promise<void> {
    const now = this.#clock();
    await this.#db.query(
      `INSERT INTO mcx_user (user_uri, until) VALUES ($1, ${now} + $2::bigint)
      ON CONFLICT (user_uri) DO UPDATE SET until = excluded.until`,
      [user, knownMs],
    );
  }

  /** Those of the users who are known. */
  async known(users: readonly string[]): Promise<string[]> {
    const { rows } = await this.#db.query<{ user_uri: string }>(
      `SELECT user_uri FROM mcx_user WHERE user_uri = ANY ($1::text[]) AND until > ${this.#clock()}`,
      [users],
    );
    return rows.map(({ user_uri }) => user_uri);
  }

  /**
   * Keeps a message for users, and gives the messages that this displaces: the oldest of a user who has too many, or the new
   * one for those for whom there is no room.
   */
  async put(
    users: readonly string[],
    { name, message }: Omit<KeptMessage, "user">,
    { each, totalBytes, keepMs }: MessageLimits,
  ): Promise<KeptMessage[]> {
    const now = this.#clock();
    const octets = message.length + MESSAGE_ENTRY_BYTES;
    const { rows } = await this.#db.query<{ total: number }>(
      "SELECT coalesce(sum(octets), 0)::bigint AS total FROM mcx_kept",
    );
    const room = Math.max(0, Math.floor((totalBytes - rows[0]!.total) / octets));
    const kept = each === 0 ? [] : users.slice(0, room);
    const others = users.slice(kept.length).map((user) => ({ user, name, message }));
    if (kept.length === 0) return others;
    await this.#db.query(
      `INSERT INTO mcx_kept (user_uri, name, octets, until, sealed)
      SELECT u, $2, $3, ${now} + $4::bigint, s FROM unnest($1::text[], $5::bytea[]) AS t (u, s)
      ON CONFLICT (user_uri, name) DO NOTHING`,
      [
        kept,
        name,
        octets,
        keepMs,
        kept.map((user) => this.#envelope.seal(messageLabel(user, name), message)),
      ],
    );
    const displaced = await this.#db.query<Row>(
      `DELETE FROM mcx_kept WHERE id IN (
        SELECT id FROM (
          SELECT id, row_number() OVER (PARTITION BY user_uri ORDER BY id DESC) AS place
          FROM mcx_kept WHERE user_uri = ANY ($1::text[])) AS placed WHERE place > $2::bigint)
      RETURNING user_uri, name, sealed`,
      [kept, each],
    );
    return [...others, ...this.#open(displaced.rows)];
  }

  /** What is kept for a user, the oldest first. It is kept until it is removed. */
  async of(user: string): Promise<KeptMessage[]> {
    const { rows } = await this.#db.query<Row>(
      `SELECT user_uri, name, sealed FROM mcx_kept WHERE user_uri = $1 AND until > ${this.#clock()} ORDER BY id`,
      [user],
    );
    return this.#open(rows);
  }

  async remove(user: string, name: string): Promise<void> {
    await this.#db.query("DELETE FROM mcx_kept WHERE user_uri = $1 AND name = $2", [user, name]);
  }

  /** Removes messages whose time is over, and gives them, some at a time. */
  async expired(limit: number): Promise<KeptMessage[]> {
    const now = this.#clock();
    await this.#db.query(`DELETE FROM mcx_user WHERE until <= ${now}`);
    const { rows } = await this.#db.query<Row>(
      `DELETE FROM mcx_kept WHERE id IN (
        SELECT id FROM mcx_kept WHERE until <= ${now} ORDER BY until LIMIT $1 FOR UPDATE SKIP LOCKED)
      RETURNING user_uri, name, sealed`,
      [limit],
    );
    return this.#open(rows);
  }

  #open(rows: readonly Row[]): KeptMessage[] {
    return rows.map(({ user_uri: user, name, sealed }) => ({
      user,
      name,
      message: this.#envelope.open(messageLabel(user, name), sealed),
    }));
  }
}
