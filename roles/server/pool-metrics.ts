/** Metrics of how much of its pool of database connections a server uses. */
import { Gauge, Registry } from "prom-client";

/** The use of the pool, as `Database.pool` of the store tells it. */
export interface PoolUse {
  readonly max: number;
  readonly used: number;
  readonly idle: number;
  /** Transactions that wait for a connection. */
  readonly waiting: number;
}

/** Returns what writes the exposition text: without values where the database has no pool. */
export function poolMetrics(use: () => PoolUse | undefined): () => Promise<string> {
  const registers = [new Registry()];
  new Gauge({
    name: "database_connections",
    help: "Connections to the database by state.",
    labelNames: ["state"],
    registers,
    collect() {
      this.reset();
      const { used, idle } = use() ?? {};
      if (used !== undefined) this.set({ state: "used" }, used);
      if (idle !== undefined) this.set({ state: "idle" }, idle);
    },
  });
  const gauge = (name: string, help: string, read: (pool: PoolUse) => number) =>
    new Gauge({
      name: `database_${name}`,
      help,
      registers,
      collect() {
        this.remove();
        const pool = use();
        if (pool !== undefined) this.set(read(pool));
      },
    });
  gauge("connections_max", "Most connections to the database.", ({ max }) => max);
  gauge("waiting_transactions", "Transactions that wait for a connection.", ({ waiting }) => waiting);
  return () => registers[0]!.metrics();
}
