/**
 * PostgreSQL through a pool of connections, with limits on how long anything may take. The limits are set within each
 * transaction and nothing is kept in a session, so that a pooler may give every transaction another connection
 * (PgBouncer in transaction mode). Only listening needs a session of its own, see `postgres-listen.ts`.
 */
import pg from "pg";
import { backOff } from "../../base/back-off.ts";
import { pause } from "../../base/deadline.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { systemRandom } from "../../base/random.ts";
import { isConflict, storeError } from "./failures.ts";
import { listenOn } from "./postgres-listen.ts";
import type { Database, Listener, PoolUse, QueryResult, Sql, TransactionOptions } from "./sql.ts";

export interface PostgresOptions {
  /** Connections at most, besides the one that listens; 6 by default. */
  readonly max?: number;
  /** Milliseconds for one statement; 30 s by default. Waiting for a lock or a connection takes a third at most. */
  readonly statementTimeout?: number;
  /**
   * The URL at which to listen for notifications, if `url` leads to a pooler that shares connections. That of `url` when
   * absent.
   */
  readonly listenUrl?: string;
}

const STATEMENT_TIMEOUT = 30_000;
/** With one connection that listens, ten processes and a few operators stay below PostgreSQL's default of 100. */
const CONNECTIONS = 6;
/** The server's limit comes first; this much later the client gives up, in case the server is gone without a word. */
const PATIENCE = 5000;
const CONFLICT_TRIES = 8;
/** Milliseconds until a transaction that met another one is tried again. */
const FIRST_RETRY = 4;
const LONGEST_RETRY = 256;

/** Connects at the first statement. Usage error BAD_STORE_URL, without the URL: it holds a password. */
export function openPostgres(url: string, options: PostgresOptions = {}): Database {
  for (const one of [url, options.listenUrl ?? url]) requirePostgresUrl(one);
  const limit = options.statementTimeout ?? STATEMENT_TIMEOUT;
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max ?? CONNECTIONS,
    application_name: "mikey-sakke",
    connectionTimeoutMillis: limit / 3,
    query_timeout: limit + PATIENCE,
    keepAlive: true,
    allowExitOnIdle: true,
    types: { getTypeParser },
  });
  // A connection that breaks while idle leaves the pool by itself; unheard, its error would end the process.
  pool.on("error", () => {});
  return new PostgresDatabase(pool, limit, options.listenUrl ?? url);
}

function requirePostgresUrl(url: string): void {
  if (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url)) return;
  throw new MikeySakkeError("usage", "BAD_STORE_URL", "the database's URL is not postgresql://…");
}

/** Returns the parser of a type. By itself pg reads `bigint` as a string and `bytea` as a Buffer. */
function getTypeParser(oid: number, format?: "text" | "binary"): (text: string) => unknown {
  if (oid === pg.types.builtins.INT8) return Number;
  if (oid === pg.types.builtins.BYTEA) return (text) => new Uint8Array(Buffer.from(text.slice(2), "hex"));
  return pg.types.getTypeParser(oid, format as "text");
}

/** Begins a transaction whose statements, locks and pauses have their limits; in one round trip. */
function begin(limit: number): string {
  return [
    "BEGIN ISOLATION LEVEL READ COMMITTED",
    `SET LOCAL statement_timeout = ${limit}`,
    `SET LOCAL lock_timeout = ${Math.ceil(limit / 3)}`,
    // A process that hangs in a transaction must not hold its locks for ever.
    `SET LOCAL idle_in_transaction_session_timeout = ${limit}`,
  ].join("; ");
}

class PostgresDatabase implements Database {
  readonly kind = "postgresql";
  readonly #pool: pg.Pool;
  readonly #limit: number;
  readonly #listenUrl: string;
  readonly #listening = new Set<() => Promise<void>>();
  #closed: Promise<void> | undefined;

  constructor(pool: pg.Pool, limit: number, listenUrl: string) {
    this.#pool = pool;
    this.#limit = limit;
    this.#listenUrl = listenUrl;
  }

  query<Row>(text: string, params: readonly unknown[] = []): Promise<QueryResult<Row>> {
    return this.transaction((sql) => sql.query<Row>(text, params));
  }

  transaction<T>(work: (sql: Sql) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    return retried(() => this.#once(work, options.statementTimeout ?? this.#limit));
  }

  async #once<T>(work: (sql: Sql) => Promise<T>, limit: number): Promise<T> {
    const client = await this.#pool.connect();
    // Between two statements a lost connection is told by an event; the next statement fails for it.
    const ignore = () => {};
    client.on("error", ignore);
    let broken = false;
    // The driver's own error decides on another try, also where `work` catches and throws something else.
    let conflict: unknown;
    try {
      await client.query(begin(limit));
      const result = await work({
        query: async <Row>(text: string, params: readonly unknown[] = []) => {
          try {
            // The types of pg do not know that the limit of the pool may be another for one statement.
            const query = { text, values: [...params], query_timeout: limit + PATIENCE };
            const { rows, rowCount } = await client.query(query);
            return { rows: rows as Row[], affected: rowCount ?? 0 };
          } catch (error) {
            if (isConflict(error)) conflict = error;
            throw storeError(error);
          }
        },
      });
      const { command } = await client.query("COMMIT");
      // COMMIT of a transaction whose error `work` has swallowed rolls back without an error.
      if (command !== "COMMIT") {
        throw new MikeySakkeError("transport", "STORE_FAILED", "the transaction was rolled back");
      }
      return result;
    } catch (error) {
      await client.query("ROLLBACK").catch(() => {
        broken = true;
      });
      throw conflict ?? error;
    } finally {
      client.off("error", ignore);
      client.release(broken);
    }
  }

  listen(channel: string, listener: Listener): () => Promise<void> {
    const stop = listenOn(this.#listenUrl, channel, listener, async (payload) => {
      await this.query("SELECT pg_notify($1, $2)", [channel, payload]);
    });
    this.#listening.add(stop);
    return () => {
      this.#listening.delete(stop);
      return stop();
    };
  }

  pool(): PoolUse {
    const { options, totalCount, idleCount, waitingCount } = this.#pool;
    return { max: options.max, used: totalCount - idleCount, idle: idleCount, waiting: waitingCount };
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    await Promise.all([...this.#listening].map((stop) => stop()));
    await this.#pool.end();
  }
}

async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await work();
    } catch (error) {
      if (!isConflict(error) || failures === CONFLICT_TRIES) throw storeError(error);
      await pause(backOff({ failures, firstMs: FIRST_RETRY, longestMs: LONGEST_RETRY }, systemRandom));
    }
  }
}
