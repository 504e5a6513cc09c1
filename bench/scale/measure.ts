/** Measures each statement of a GMS process on tables of a given size: time, processor, rows written, octets of WAL. */
import { performance } from "node:perf_hooks";
import pg from "pg";
import { pause } from "../../base/deadline.ts";
import { type Database, Envelope, GmsStore, openDatabase } from "../../store/index.ts";
import type { Cluster } from "../../test/support/postgres.ts";
import { onProcessor } from "../../test/support/processor.ts";
import { fill, fillDue, type Size } from "./fill.ts";

export interface Cost {
  readonly name: string;
  /** Median, as the process sees it. */
  readonly ms: number;
  /** Mean time of the server on a processor, which other work on the machine does not lengthen. Linux only. */
  readonly processorMs?: number;
  readonly rows: number;
  readonly walOctets: number;
}

export interface ScalePoint extends Size {
  readonly costs: readonly Cost[];
  /** The load of one idle process with `present` subscribed members, per second. */
  readonly idle: Idle;
}

export interface Idle {
  readonly present: number;
  readonly statements: number;
  readonly rows: number;
  readonly walOctets: number;
}

const INSTANCE = "process-1";
const BATCH = 256;
const ROUNDS = 11;
const PRESENT = 5000;
const IDLE_SECONDS = 20;
const KEK = new Uint8Array(32).fill(1);
const memberUri = (i: number) => `sip:user${String(i).padStart(8, "0")}@home.example`;
const some = (count: number, from = 0) => Array.from({ length: count }, (_, i) => memberUri(from + i));

export async function measureScale(cluster: Cluster, size: Size): Promise<ScalePoint> {
  const url = await cluster.createDatabase();
  // One session, which can be told to give its statistics.
  const db = await openDatabase({ url, max: 1 });
  try {
    const store = GmsStore.open(db, await Envelope.open(db, KEK));
    await fill(db, size);
    await settle(url);
    const server = (await db.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")).rows[0]!.pid;
    const costs: Cost[] = [];
    const cost = async (name: string, work: () => Promise<unknown>, rounds = ROUNDS) => {
      costs.push(await measured(db, server, name, work, rounds));
    };
    await store.renewLease(INSTANCE, 3_600_000);
    await cost("claim of a chunk, none planned", () =>
      store.claimChunk({ instance: INSTANCE, leaseMs: 15_000 }),
    );
    const claim = () => store.claimDeliveries({ instance: INSTANCE, leaseMs: 15_000, limit: BATCH });
    await cost("claim of messages, none due", claim);
    await cost("1,000 members come", () => store.present(INSTANCE, some(1000)), 3);
    await cost("1,000 members go", () => store.absent(INSTANCE, some(1000)), 3);
    const rekey = await fillDue(db, INSTANCE, BATCH * (ROUNDS + 1));
    let claimed: Awaited<ReturnType<typeof claim>> = [];
    await cost(`claim of ${BATCH} messages`, async () => {
      claimed = await claim();
    });
    let answered = 0;
    await cost(`outcome of ${BATCH} messages`, async () => {
      const uris = some(BATCH, BATCH * answered++);
      await store.record(uris.map((uri) => ({ rekey, memberUri: uri, state: "acknowledged" as const })));
    });
    // The last batch too, or it would be claimed again and again while the process idles.
    await store.record(
      some(BATCH, BATCH * ROUNDS).map((uri) => ({ rekey, memberUri: uri, state: "acknowledged" as const })),
    );
    if (claimed.length < BATCH) throw new Error(`${claimed.length} messages claimed`);
    await cost("giving up, nobody waits too long", () => store.giveUp({ olderThanMs: 3_600_000 }));
    await cost("counts", () => store.counts());
    await cost("renewal of the lease", () => store.renewLease(INSTANCE, 3_600_000));
    return { ...size, costs, idle: await idle(db, store, url) };
  } finally {
    await db.close();
  }
}

/** Runs the maintenance that PostgreSQL would start by itself, so that it is not counted as work of the statements. */
async function settle(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query("ALTER SYSTEM SET autovacuum = off");
  await client.query("SELECT pg_reload_conf()");
  await client.query("VACUUM (ANALYZE)");
  await client.query("CHECKPOINT");
  await client.end();
}

async function walOctets(db: Database): Promise<number> {
  const { rows } = await db.query<{ n: number }>("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint AS n");
  return rows[0]!.n;
}

/** Octets of WAL are those of the whole cluster, where nobody else is at work. */
async function measured(
  db: Database,
  server: number,
  name: string,
  work: () => Promise<unknown>,
  rounds: number,
): Promise<Cost> {
  const times: number[] = [];
  const before = await walOctets(db);
  const written = await rowsWritten(db);
  const from = onProcessor(server);
  for (let i = 0; i < rounds; i++) {
    const began = performance.now();
    await work();
    times.push(performance.now() - began);
  }
  const to = onProcessor(server);
  const after = await walOctets(db);
  const rows = (await rowsWritten(db)) - written;
  times.sort((a, b) => a - b);
  return {
    name,
    ms: times[Math.floor(rounds / 2)]!,
    ...(from !== undefined && to !== undefined && { processorMs: (to - from) / rounds }),
    rows: rows / rounds,
    walOctets: (after - before) / rounds,
  };
}

/** Statistics come late unless each session is made to give its own. */
async function rowsWritten(db: Database): Promise<number> {
  await db.query("SELECT pg_stat_force_next_flush()");
  const { rows } = await db.query<{ n: number }>(
    "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint AS n FROM pg_stat_user_tables",
  );
  return rows[0]!.n;
}

/** Delivers everything that waits for present members, so that an idle process is measured. */
async function deliverAll(store: GmsStore): Promise<void> {
  for (;;) {
    const claims = await store.claimDeliveries({ instance: INSTANCE, leaseMs: 15_000, limit: BATCH });
    if (claims.length === 0) return;
    await store.record(
      claims.map(({ rekey, memberUri }) => ({ rekey, memberUri, state: "acknowledged" as const })),
    );
  }
}

/** The statements that a process runs while nothing happens: its lease, its looks at the store, its schedule. */
async function idle(db: Database, store: GmsStore, url: string): Promise<Idle> {
  for (let i = 0; i < PRESENT; i += 1000) await store.present(INSTANCE, some(1000, i));
  await deliverAll(store);
  const groups = Array.from(
    { length: PRESENT / 10 },
    (_, i) => `sip:group${String(i).padStart(8, "0")}@home.example`,
  );
  let statements = 0;
  const every = (seconds: number, ...work: (() => Promise<unknown>)[]) => ({ seconds, work });
  const plan = [
    every(
      1,
      () => store.change((tx) => tx.claimDueGroups(1)),
      () => store.change((tx) => tx.claimDueRevocations(1)),
    ),
    every(
      5,
      () => store.renewLease(INSTANCE, 15_000),
      () => store.giveUp({ olderThanMs: 3_600_000, everyMs: 2500 }),
    ),
    every(
      5,
      () => store.now(),
      () => store.secondsAhead("sip:gms@home.example"),
    ),
    every(10, () => store.claimChunk({ instance: INSTANCE, leaseMs: 15_000 })),
    every(10, () => store.claimDeliveries({ instance: INSTANCE, leaseMs: 15_000, limit: BATCH })),
    every(10, () => store.revisions(groups)),
    every(20, () => store.counts(30_000)),
  ];
  await settle(url);
  const before = await walOctets(db);
  const written = await rowsWritten(db);
  const began = performance.now();
  for (let second = 0; second < IDLE_SECONDS; second++) {
    for (const { seconds, work } of plan) {
      if (second % seconds !== 0) continue;
      for (const one of work) {
        await one();
        statements++;
      }
    }
    const next = began + (second + 1) * 1000 - performance.now();
    await pause(Math.max(0, next));
  }
  const seconds = (performance.now() - began) / 1000;
  const after = await walOctets(db);
  return {
    present: PRESENT,
    statements: statements / seconds,
    rows: ((await rowsWritten(db)) - written) / seconds,
    walOctets: (after - before) / seconds,
  };
}
