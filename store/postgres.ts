/** PostgreSQL through a pool of connections, with limits on how long anything may take. */
import pg from "pg";
import { MikeySakkeError } from "../bindings/errors.ts";
import { isConflict, storeError } from "./failures.ts";
import type { Database, QueryResult, Sql } from "./sql.ts";

export interface PostgresOptions {
  /** Connections at most; 10 by default. */
  readonly max?: number;
  /** Milliseconds for one statement; 30 s by default. Waiting for a lock or a connection takes a third at most. */
  readonly statementTimeout?: number;
}

const STATEMENT_TIMEOUT = 30_000;
const CONFLICT_TRIES = 8;

/** Connects at the first statement. Usage error BAD_STORE_URL, without the URL: it holds a password. */
export function openPostgres(url: string, options: PostgresOptions = {}): Database {
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) {
    throw new MikeySakkeError("usage", "BAD_STORE_URL", "the database's URL is not postgresql://…");
  }
  const limit = options.statementTimeout ?? STATEMENT_TIMEOUT;
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max ?? 10,
    application_name: "mikey-sakke",
    connectionTimeoutMillis: limit / 3,
    statement_timeout: limit,
    lock_timeout: limit / 3,
    // A process that hangs in a transaction must not hold its locks for ever.
    idle_in_transaction_session_timeout: limit,
    // The server's limit comes first; this one is for a server that is gone without a word.
    query_timeout: limit + 5000,
    keepAlive: true,
    allowExitOnIdle: true,
    types: { getTypeParser },
  });
  // A connection that breaks while idle leaves the pool by itself; unheard, its error would end the process.
  pool.on("error", () => {});
  return new PostgresDatabase(pool);
}

/** What pg reads otherwise: `bigint` as a string, `bytea` as Buffer. */
function getTypeParser(oid: number, format?: "text" | "binary"): (text: string) => unknown {
  if (oid === pg.types.builtins.INT8) return Number;
  if (oid === pg.types.builtins.BYTEA) return (text) => new Uint8Array(Buffer.from(text.slice(2), "hex"));
  return pg.types.getTypeParser(oid, format as "text");
}

interface Runner {
  query(text: string, params: unknown[]): Promise<pg.QueryResult>;
}

async function run<Row>(runner: Runner, text: string, params: readonly unknown[]): Promise<QueryResult<Row>> {
  const result = await runner.query(text, [...params]);
  return { rows: result.rows as Row[], affected: result.rowCount ?? 0 };
}

class PostgresDatabase implements Database {
  readonly kind = "postgresql";
  readonly #pool: pg.Pool;
  #closed: Promise<void> | undefined;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  query<Row>(text: string, params: readonly unknown[] = []): Promise<QueryResult<Row>> {
    return retried(() => run<Row>(this.#pool, text, params));
  }

  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return retried(() => this.#once(work));
  }

  async #once<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    // Between two statements a lost connection is told by an event; the next statement fails for it.
    const ignore = () => {};
    client.on("error", ignore);
    let broken = false;
    // The driver's own error decides on another try, also where `work` catches and throws something else.
    let conflict: unknown;
    try {
      await client.query("BEGIN ISOLATION LEVEL READ COMMITTED");
      const result = await work({
        query: async <Row>(text: string, params: readonly unknown[] = []) => {
          try {
            return await run<Row>(client, text, params);
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

  close(): Promise<void> {
    this.#closed ??= this.#pool.end();
    return this.#closed;
  }
}

async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!isConflict(error) || tries === CONFLICT_TRIES) throw storeError(error);
      await new Promise((resolve) => setTimeout(resolve, 2 ** tries));
    }
  }
}
