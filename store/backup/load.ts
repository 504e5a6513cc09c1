/** A snapshot put into an empty database, by the tables of the version that it was made with, and brought up to date then. */
import { MikeySakkeError } from "../../base/errors.ts";
import { migrateWithin, requireKnown, schemaVersion } from "../database/migrate.ts";
import { identityColumns, ownTables } from "../database/snapshot.ts";
import { type ControlLine, isRow, LINE } from "../database/snapshot-lines.ts";
import type { Database, Sql } from "../database/sql.ts";
import { databaseClock, readClock, type SqlClock } from "../database/sql-clock.ts";
import { MIGRATIONS } from "../migrations/index.ts";
import { markRestored } from "./mark.ts";

/** Milliseconds for one statement. */
const PATIENCE_MS = 3_600_000;
/** Rows that are written at a time. */
const BATCH_ROWS = 500;
const BATCH_CHARACTERS = 4 << 20;

export interface LoadOptions {
  /** For tests: the present time, in place of the database's clock. */
  readonly clock?: SqlClock;
}

/** Milliseconds since the Unix epoch. */
export interface Loaded {
  readonly rows: number;
  readonly madeAt: number;
  readonly restoredAt: number;
}

/**
 * All of it or nothing. `lines` is read once, and may throw at its very end that something is wrong.
 *
 * @throws {MikeySakkeError} usage `TARGET_NOT_EMPTY`, `STORE_TOO_NEW`; crypto `BACKUP_DAMAGED`
 */
export async function loadSnapshot(
  db: Database,
  lines: AsyncIterable<string>,
  { clock = databaseClock }: LoadOptions = {},
): Promise<Loaded> {
  let begun = false;
  return db.transaction(
    async (sql) => {
      if (begun)
        throw new MikeySakkeError("transport", "STORE_BUSY", "the database was changed by others meanwhile");
      begun = true;
      await requireEmpty(sql);
      return load(sql, lines, await readClock(sql, clock));
    },
    { statementTimeout: PATIENCE_MS },
  );
}

/** Usage error TARGET_NOT_EMPTY. */
export async function requireEmpty(sql: Sql): Promise<void> {
  if ((await schemaVersion(sql)) === 0 && (await ownTables(sql)).length === 0) return;
  const text = "the database has tables of a server already, and nothing is restored over them";
  throw new MikeySakkeError("usage", "TARGET_NOT_EMPTY", text);
}

async function load(sql: Sql, lines: AsyncIterable<string>, now: number): Promise<Loaded> {
  const target = new Target(sql);
  for await (const line of lines) {
    if (isRow(line)) await target.row(line);
    else await target.control(JSON.parse(line) as ControlLine);
  }
  return target.finish(now);
}

class Target {
  readonly #sql: Sql;
  readonly #sequences: (readonly [table: string, column: string, last: number])[] = [];
  readonly #filled: string[] = [];
  #known: ReadonlySet<string> = new Set();
  #table: string | undefined;
  #batch: string[] = [];
  #length = 0;
  #count = 0;
  #end: number | undefined;
  #madeAt = 0;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async control(line: ControlLine): Promise<void> {
    await this.#flush();
    if (this.#end !== undefined) throw damaged("goes on behind its end");
    if (line[0] === LINE.schema) await this.#schema(line[1], line[2]);
    else if (line[0] === LINE.sequence) this.#sequences.push([line[1], line[2], line[3]]);
    else if (line[0] === LINE.table) await this.#begin(line[1]);
    else if (line[0] === LINE.end) this.#end = line[1];
    else throw damaged("has a line of an unknown kind");
  }

  async row(line: string): Promise<void> {
    if (this.#table === undefined || this.#end !== undefined) throw damaged("has a row of no table");
    this.#batch.push(line);
    this.#length += line.length;
    if (this.#batch.length >= BATCH_ROWS || this.#length >= BATCH_CHARACTERS) await this.#flush();
  }

  async finish(now: number): Promise<Loaded> {
    if (this.#end !== this.#count) throw damaged("does not have as many rows as it says");
    for (const table of this.#filled) await this.#sql.query(`ALTER TABLE ${table} ENABLE TRIGGER USER`);
    await migrateWithin(this.#sql);
    await this.#setSequences(now);
    await markRestored(this.#sql, { madeAt: this.#madeAt, now });
    return { rows: this.#count, madeAt: this.#madeAt, restoredAt: now };
  }

  async #schema(version: number, madeAt: number): Promise<void> {
    if (![version, madeAt].every((n) => Number.isSafeInteger(n) && n >= 1)) {
      throw damaged("names no version of its tables");
    }
    requireKnown(version);
    this.#madeAt = madeAt;
    await migrateWithin(this.#sql, MIGRATIONS.slice(0, version));
    this.#known = new Set(await ownTables(this.#sql));
  }

  async #begin(table: string): Promise<void> {
    if (!this.#known.has(table)) throw damaged(`has a table ${table}, which its version does not know`);
    // Triggers count rows, and the counts are among the rows. A migration may have put first rows into a table.
    await this.#sql.query(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
    await this.#sql.query(`DELETE FROM ${table}`);
    this.#filled.push(table);
    this.#table = table;
  }

  async #flush(): Promise<void> {
    if (this.#batch.length === 0) return;
    const table = this.#table!;
    await this.#sql.query(
      `INSERT INTO ${table} OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_recordset(NULL::${table}, $1::json)`,
      [`[${this.#batch.join(",")}]`],
    );
    this.#count += this.#batch.length;
    this.#batch = [];
    this.#length = 0;
  }

  async #setSequences(now: number): Promise<void> {
    const last = new Map(this.#sequences.map(([table, column, value]) => [`${table}.${column}`, value]));
    for (const { table, column } of await identityColumns(this.#sql)) {
      await this.#sql.query(
        `SELECT setval(pg_get_serial_sequence('${table}', '${column}'),
          greatest($1::bigint, (SELECT coalesce(max(${column}), 0) FROM ${table})) + $2::bigint)`,
        [last.get(`${table}.${column}`) ?? 0, mostGivenSince(this.#madeAt, now)],
      );
    }
  }
}

/** Numbers that a server can have given since: more than any database writes. */
const PER_SECOND = 10_000;
const AT_ONCE = 1_000_000;

/** So that no number of an audit entry, rekey or GMK comes a second time, whatever the lost server did after the backup. */
function mostGivenSince(madeAt: number, now: number): number {
  return AT_ONCE + PER_SECOND * Math.ceil(Math.max(0, now - madeAt) / 1000);
}

export function damaged(what: string): MikeySakkeError {
  return new MikeySakkeError(
    "crypto",
    "BACKUP_DAMAGED",
    `the backup ${what}: it is not whole, or was changed`,
  );
}
