/**
 * Files that members have uploaded, in parts that are sealed under the store key: whatever a client has sent, the database has
 * nothing of it in clear. Times are the database's.
 */
import { toHex } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { type RandomSource, systemRandom } from "../../base/random.ts";
import type { Envelope } from "../database/envelope.ts";
import type { Database, Sql } from "../database/sql.ts";
import type { SqlClock } from "../database/sql-clock.ts";

/** The audience that may fetch a file: the members of a group, or one user. */
export type FileAudience = { readonly group: string } | { readonly user: string };

export interface FileFacts {
  readonly audience: FileAudience;
  readonly sender: string;
  /** Scheme, host and port of the process that received it, as it named itself. */
  readonly origin: string;
  /** Octets. */
  readonly size: number;
}

export interface FileLimits {
  /** Octets of all files, with 1,024 more for each. A user may have a quarter of them. */
  readonly totalBytes: number;
  /** Milliseconds for which a file is kept. */
  readonly keepMs: number;
}

/** The octets that the entry of a file takes besides its octets, so that many small ones count as well. */
export const FILE_ENTRY_BYTES = 1024;
/** The part of the whole that a user may have, so that one alone does not fill it. */
export const FILE_SHARE = 4;
/** An identifier alone opens no file, since its holder must be of the audience: it only has to be hard to guess. */
const ID_BYTES = 16;
/** Octets of a part: what a process has in memory of a file that it gives out. */
const PART_BYTES = 256 << 10;
/** Milliseconds in which the parts of a file that has been received are written. */
const WRITE_MS = 600_000;
/** Files whose time is over that are deleted at once. */
const SWEEP = 100;
/** Key of the advisory lock under which room is given; any number that nothing else in the database uses. */
const LOCK = 0x6d_63_78_66;

const partLabel = (id: string, part: number) => `mcx file ${id} ${part}`;

export class McxFiles {
  readonly #db: Database;
  readonly #envelope: Envelope;
  readonly #clock: SqlClock;
  readonly #random: RandomSource;

  constructor(db: Database, envelope: Envelope, clock: SqlClock, random: RandomSource = systemRandom) {
    this.#db = db;
    this.#envelope = envelope;
    this.#clock = clock;
    this.#random = random;
  }

  /** Gives its identifier. Transport error FILES_FULL: there is no room for it, in all or of this user. */
  async put(
    file: Omit<FileFacts, "size"> & { readonly octets: Uint8Array },
    limits: FileLimits,
  ): Promise<string> {
    const { octets } = file;
    const id = toHex(this.#random(ID_BYTES));
    await this.#begin(id, file, limits);
    try {
      for (let part = 0; part * PART_BYTES < octets.length; part++) {
        const clear = octets.subarray(part * PART_BYTES, (part + 1) * PART_BYTES);
        await this.#db.query("INSERT INTO mcx_file_part (id, part, sealed) VALUES ($1, $2, $3)", [
          id,
          part,
          this.#envelope.seal(partLabel(id, part), clear),
        ]);
      }
      const { affected } = await this.#db.query(
        `UPDATE mcx_file SET complete = true, expires = ${this.#clock()} + $2::bigint WHERE id = $1`,
        [id, limits.keepMs],
      );
      if (affected === 0) throw full(file);
      return id;
    } catch (error) {
      // Otherwise its time ends it.
      await this.#db.query("DELETE FROM mcx_file WHERE id = $1", [id]).catch(() => undefined);
      throw error;
    }
  }

  async find(id: string): Promise<FileFacts | undefined> {
    const { rows } = await this.#db.query<FileFacts>(
      `SELECT audience, sender, origin, size FROM mcx_file
      WHERE id = $1 AND complete AND expires > ${this.#clock()}`,
      [id],
    );
    return rows[0];
  }

  /** The octets of a file, a part at a time. Transport error FILE_GONE: it was deleted meanwhile. */
  async *read(id: string): AsyncGenerator<Uint8Array> {
    const facts = await this.find(id);
    for (let part = 0; part * PART_BYTES < (facts?.size ?? 1); part++) {
      const { rows } = await this.#db.query<{ sealed: Uint8Array }>(
        "SELECT sealed FROM mcx_file_part WHERE id = $1 AND part = $2",
        [id, part],
      );
      if (rows[0] === undefined) throw new MikeySakkeError("transport", "FILE_GONE", `file ${id}: deleted`);
      yield this.#envelope.open(partLabel(id, part), rows[0].sealed);
    }
  }

  /** Deletes files whose time is over. How many. */
  async prune(): Promise<number> {
    for (let count = 0; ; ) {
      const affected = await this.#sweep(this.#db);
      count += affected;
      if (affected < SWEEP) return count;
    }
  }

  async #begin(
    id: string,
    file: Omit<FileFacts, "size"> & { readonly octets: Uint8Array },
    { totalBytes }: FileLimits,
  ): Promise<void> {
    const { audience, sender, origin, octets } = file;
    await this.#db.transaction(async (sql) => {
      await sql.query("SELECT pg_advisory_xact_lock($1::bigint)", [LOCK]);
      await this.#sweep(sql);
      const { rows } = await sql.query<{ total: number; own: number }>(
        `SELECT coalesce(sum(size + ${FILE_ENTRY_BYTES}), 0)::bigint AS total,
          coalesce(sum(size + ${FILE_ENTRY_BYTES}) FILTER (WHERE sender = $1), 0)::bigint AS own FROM mcx_file`,
        [sender],
      );
      const size = octets.length + FILE_ENTRY_BYTES;
      const { total, own } = rows[0]!;
      if (total + size > totalBytes || own + size > totalBytes / FILE_SHARE) throw full(file);
      await sql.query(
        `INSERT INTO mcx_file (id, audience, sender, origin, size, expires)
        VALUES ($1, $2, $3, $4, $5, ${this.#clock()} + ${WRITE_MS})`,
        [id, JSON.stringify(audience), sender, origin, octets.length],
      );
    });
  }

  async #sweep(sql: Sql): Promise<number> {
    const now = this.#clock();
    const { affected } = await sql.query(
      `DELETE FROM mcx_file WHERE id IN (
        SELECT id FROM mcx_file WHERE expires <= ${now} ORDER BY expires LIMIT ${SWEEP} FOR UPDATE SKIP LOCKED)`,
    );
    return affected;
  }
}

function full({ octets, sender }: { readonly octets: Uint8Array; readonly sender: string }): MikeySakkeError {
  return new MikeySakkeError(
    "transport",
    "FILES_FULL",
    `files: ${octets.length} octets of ${sender} are too many now`,
  );
}
