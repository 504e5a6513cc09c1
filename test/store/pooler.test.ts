/** Many processes on one PostgreSQL, with and without a pooler before it. */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { defined } from "../../base/defined.ts";
import { type Database, openDatabase } from "../../store/index.ts";
import { describeWith } from "../support/foreign.ts";
import { PGBOUNCER, type Pooler, startPgbouncer } from "../support/pgbouncer.ts";
import { type Cluster, describeWithPostgres, startPostgres } from "../support/postgres.ts";

const PROCESSES = 10;
/** PostgreSQL's default. */
const CONNECTIONS = 100;

let cluster: Cluster;
let url: string;
const open: Database[] = [];
beforeAll(async () => {
  cluster = await startPostgres(CONNECTIONS);
  url = await cluster.createDatabase();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((db) => db.close()));
});
afterAll(() => cluster.stop());

/** Databases as so many processes open them, with the settings that they have by default. */
async function processes(count: number, at: string, listenUrl?: string): Promise<Database[]> {
  for (let i = 0; i < count; i++) {
    open.push(await openDatabase({ url: at, ...defined({ listenUrl }) }));
  }
  return open;
}

/** All connections of all processes at once, each within a transaction. */
async function useAll(all: readonly Database[]): Promise<void> {
  await all[0]!.query("CREATE TABLE IF NOT EXISTS tried (n bigint)");
  const work = all.flatMap((db) =>
    Array.from({ length: 20 }, () =>
      db.transaction(async (sql) => {
        await sql.query("INSERT INTO tried (n) VALUES (1)");
        await sql.query("SELECT pg_sleep(0.02)");
      }),
    ),
  );
  await Promise.all(work);
  const { rows } = await all[0]!.query("SELECT sum(n)::bigint AS n FROM tried");
  expect(rows).toEqual([{ n: all.length * 20 }]);
  await all[0]!.query("DROP TABLE tried");
}

/** Resolves with what is heard, or with undefined when the database says that nothing will be. */
async function heard(listener: Database, teller: Database): Promise<string | undefined> {
  return new Promise((resolve) => {
    const stop = listener.listen!("trial_channel", {
      heard: (payload) => {
        resolve(payload);
        void stop();
      },
      state(listening) {
        if (listening) void teller.query("SELECT pg_notify('trial_channel', 'hello')");
        else {
          resolve(undefined);
          void stop();
        }
      },
    });
  });
}

describeWithPostgres("ten processes on one PostgreSQL", () => {
  it("fit its default limit of connections, with all of them listening", async () => {
    const all = await processes(PROCESSES, url);
    const stops = await Promise.all(
      all.map(
        (db) =>
          new Promise<() => Promise<void>>((resolve) => {
            const stop = db.listen!("trial_channel", {
              heard() {},
              state: (listening) => listening && resolve(() => stop()),
            });
          }),
      ),
    );
    await useAll(all);
    for (const stop of stops) await stop();
  });

  it("hear of each other's commits, and of no transaction that was rolled back", async () => {
    const [one, two] = (await processes(2, url)) as [Database, Database];
    const said: string[] = [];
    await new Promise<void>((resolve) => {
      const stop = one.listen!("trial_channel", {
        heard(payload) {
          said.push(payload);
          if (payload === "kept") void stop().then(resolve);
        },
        async state(listening) {
          if (!listening) return;
          await two
            .transaction(async (sql) => {
              await sql.query("SELECT pg_notify('trial_channel', 'lost')");
              throw new Error("no");
            })
            .catch(() => {});
          await two.query("SELECT pg_notify('trial_channel', 'kept')");
        },
      });
    });
    expect(said).toEqual(["kept"]);
  });

  it("have time limits within each transaction, and leave none behind", async () => {
    const [db] = (await processes(1, url)) as [Database];
    const limits = "SELECT current_setting('statement_timeout') AS a, current_setting('lock_timeout') AS b";
    expect((await db.query(limits)).rows).toEqual([{ a: "30s", b: "10s" }]);
    const idle = "SELECT current_setting('idle_in_transaction_session_timeout') AS c";
    expect((await db.query(idle)).rows).toEqual([{ c: "30s" }]);
  });
});

describeWith("PgBouncer", PGBOUNCER, "behind PgBouncer in transaction mode", () => {
  let pooler: Pooler;
  beforeAll(async () => {
    pooler = await startPgbouncer(cluster, 8);
  });
  afterAll(() => pooler.stop());

  it("lets ten processes work on eight connections, with their time limits", async () => {
    const all = await processes(PROCESSES, pooler.through(url));
    await useAll(all);
    const slow = await openDatabase({ url: pooler.through(url), statementTimeout: 300 });
    open.push(slow);
    await expect(slow.query("SELECT pg_sleep(5)")).rejects.toMatchObject({ code: "STORE_TIMEOUT" });
    const { rows } = await all[0]!.query("SELECT current_setting('statement_timeout') AS a");
    expect(rows).toEqual([{ a: "30s" }]);
  });

  it("hides notifications, which a process notices, and hears where it is given PostgreSQL itself", async () => {
    const [deaf] = (await processes(1, pooler.through(url))) as [Database];
    expect(await heard(deaf, deaf)).toBeUndefined();
    const listening = await openDatabase({ url: pooler.through(url), listenUrl: url });
    open.push(listening);
    expect(await heard(listening, deaf)).toBe("hello");
  });
});
