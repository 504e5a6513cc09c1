/**
 * The SQL port: PGlite and PostgreSQL behind one surface and one dialect. What a statement gives and takes is the same
 * on both: `bytea` is Uint8Array, `bigint` a number, `jsonb` plain data (passed in as text); arrays of numbers,
 * strings, octets and null are taken for `unnest`. Times are milliseconds since the Unix epoch in `bigint`.
 */
export interface QueryResult<Row> {
  readonly rows: Row[];
  /** Rows written by an INSERT, UPDATE or DELETE. */
  readonly affected: number;
}

export interface Sql {
  /** One statement. Failures are MikeySakkeError: `transport` where the database is lost, slow or out of room. */
  query<Row = Record<string, unknown>>(text: string, params?: readonly unknown[]): Promise<QueryResult<Row>>;
}

/** Listeners for notifications (`pg_notify`) on a channel. */
export interface Listener {
  /** Somebody's transaction with the notification was committed. */
  heard(payload: string): void;
  /** Whether notifications arrive at present. Until the first call they do not. */
  state(listening: boolean): void;
}

export interface TransactionOptions {
  /** Milliseconds for one statement, where the database's own limit is too short. */
  readonly statementTimeout?: number;
}

/** Connections of a pool. */
export interface PoolUse {
  readonly max: number;
  /** Connections that serve somebody now. */
  readonly used: number;
  readonly idle: number;
  /** Transactions that wait for a connection. */
  readonly waiting: number;
}

export interface Database extends Sql {
  readonly kind: "pglite" | "postgresql";
  /** Absent: there is no pool. */
  pool?(): PoolUse;
  /**
   * Runs `work` in a transaction (read committed), rolled back when it throws. `work` may run again after a deadlock,
   * so it must have no effect but through `sql`, and must not use the database itself: PGlite would wait for ever.
   */
  transaction<T>(work: (sql: Sql) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /**
   * Listens on a channel, again and again where the connection breaks, until the function that it returns is called.
   * Notifications may be lost while `state` says false. Absent: the database cannot tell, and has to be looked at.
   */
  listen?(channel: string, listener: Listener): () => Promise<void>;
  close(): Promise<void>;
}
