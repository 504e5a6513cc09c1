/** Tests what a claim reads, where the planner's statistics are of a time when rekeys had one member who was away. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { fill, fillDue } from "../../../bench/scale/fill.ts";
import { Envelope } from "../../../store/database/envelope.ts";
import { openDatabase } from "../../../store/database/open.ts";
import type { Database } from "../../../store/database/sql.ts";
import { GmsStore } from "../../../store/gms/gms-store.ts";
import { type Cluster, describeWithPostgres, startPostgres } from "../../support/postgres.ts";
import { KEK } from "./records.ts";

describeWithPostgres("a claim with old statistics", () => {
  let cluster: Cluster;
  let db: Database;
  beforeAll(async () => {
    cluster = await startPostgres();
    db = await openDatabase({ url: await cluster.createDatabase(), max: 1 });
  });
  afterAll(async () => {
    await db.close();
    await cluster.stop();
  });

  it("reads what it claims, not the rekey once more for each member", async () => {
    await fill(db, { members: 20_000, rekeys: 2000 });
    await db.query("ANALYZE");
    await fillDue(db, "a", 2048);
    // Earlier counts are flushed to the server now, so that they do not fall into the next transaction.
    await db.query("SELECT pg_stat_force_next_flush()");
    let read = 0;
    const counted: Database = {
      kind: db.kind,
      close: () => db.close(),
      transaction: (work, options) => db.transaction(work, options),
      query: (text, params) =>
        db.transaction(async (sql) => {
          const result = await sql.query(text, params);
          const { rows } = await sql.query<{ n: number }>(
            "SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint AS n FROM pg_stat_xact_user_tables",
          );
          read = rows[0]!.n;
          return result as never;
        }),
    };
    const store = GmsStore.open(counted, await Envelope.open(db, KEK));
    const claims = await store.claimDeliveries({ instance: "a", leaseMs: 15_000, limit: 256 });
    expect(claims).toHaveLength(256);
    // The entry of the queue, again to write it, its message's state and its rekey.
    expect(read).toBeLessThan(5 * 256);
  });
});
