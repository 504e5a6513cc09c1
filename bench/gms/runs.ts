/** A large rekey on one database, sealing alone before and after it, and a small group's rekey while a large one runs. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pause } from "../../base/deadline.ts";
import { systemRandom } from "../../base/random.ts";
import { planSeal } from "../../bindings/mikey/plan.ts";
import { migrate } from "../../store/database/migrate.ts";
import { openDatabase } from "../../store/index.ts";
import { HOST, OPERATOR, type RunningGms, startGms } from "../../test/gms/foreign/running-gms.ts";
import { newMembers } from "../../test/gms/memory-gms.ts";
import { type ClientProcess, startClients } from "../../test/load/client-process.ts";
import { startPostgres } from "../../test/support/postgres.ts";
import { onProcessor } from "../../test/support/processor.ts";

export interface GmsPoint {
  readonly database: "pglite" | "postgresql";
  /** Mean of the runs before and after each rekey, of the round that counts. */
  readonly aloneSeconds: number;
  /** From the call to the time that the database gave to the last message stored, in the round with the median ratio. */
  readonly rekeySeconds: number;
  /** How much of that the change took, up to its commit. */
  readonly plannedSeconds: number;
  /** Rate of the rekey to the rate of sealing alone. */
  readonly ratio: number;
  readonly ratios: readonly number[];
  /** Resident set of this process, in octets, over all rounds. */
  readonly memory: { readonly before: number; readonly most: number; readonly after: number };
  /** Rekey of a small group, while a large one runs, until all its members have acknowledged. */
  readonly smallMs: readonly number[];
  /**
   * NOTIFYs acknowledged for each second that the main thread is on a processor, in each round: the rate of one process
   * whose messages are sealed elsewhere. Planning a rekey and storing its messages are included. Empty where the system
   * does not tell the time of a thread.
   */
  readonly notifiesPerSecond: readonly number[];
}

export interface RunOptions {
  readonly members: number;
  readonly workers: number;
  readonly rounds: number;
  readonly progress: (text: string) => void;
}

const LARGE = "sip:large@home.example";
const SMALL = "sip:small@home.example";
const SMALL_MEMBERS = 20;
const SUBSCRIBED = "sip:subscribed@home.example";
const SUBSCRIBED_MEMBERS = 2000;
const LOOK_MS = 200;

export async function measureRekey(database: GmsPoint["database"], options: RunOptions): Promise<GmsPoint> {
  const folder = mkdtempSync(join(tmpdir(), "gms-bench-"));
  const cluster = database === "postgresql" ? await startPostgres() : undefined;
  const db = await openDatabase(cluster ? { url: await cluster.createDatabase() } : { folder });
  await migrate(db);
  const running = await startGms({
    database: db,
    workers: options.workers,
    config: { sip: { host: HOST, tcpPort: 0 } },
  });
  try {
    return await measure(running, database, options);
  } finally {
    await running.close();
    await db.close();
    await cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(
  running: RunningGms,
  database: GmsPoint["database"],
  { members, rounds, progress }: RunOptions,
): Promise<GmsPoint> {
  const { admin } = running.gms;
  progress(`${database}: groups of ${members} and ${SMALL_MEMBERS}`);
  await admin.createGroup(OPERATOR, { uri: LARGE, members: newMembers(members) });
  await admin.createGroup(OPERATOR, { uri: SMALL, members: newMembers(SMALL_MEMBERS, members) });
  await running.sealed(LARGE);
  await sealAlone(running, members);

  const memory = { before: process.memoryUsage.rss(), most: 0, after: 0 };
  const watch = setInterval(() => {
    memory.most = Math.max(memory.most, process.memoryUsage.rss());
  }, 50);
  const taken: { alone: number; rekey: number; planned: number; ratio: number }[] = [];
  for (let round = 1; round <= rounds; round++) {
    const first = await sealAlone(running, members);
    const begun = Date.now();
    const { id } = await admin.rekey(OPERATOR, LARGE);
    const planned = (Date.now() - begun) / 1000;
    const { sealedAt } = await ofRekey(running, id, (status) => status.sealedAt !== undefined);
    // The database has the time of this machine.
    const rekey = (sealedAt! - begun) / 1000;
    const alone = (first + (await sealAlone(running, members))) / 2;
    taken.push({ alone, rekey, planned, ratio: alone / rekey });
    progress(
      `${database}, round ${round} of ${rounds}: ${rekey.toFixed(2)} s, alone ${alone.toFixed(2)} s, ` +
        `${(process.memoryUsage.rss() / 2 ** 20).toFixed(0)} MB`,
    );
  }
  clearInterval(watch);
  memory.after = process.memoryUsage.rss();
  const smallMs = await measureSmall(running, members, rounds, (text) => progress(`${database}, ${text}`));
  const notifiesPerSecond = await measureNotifies(running, members + SMALL_MEMBERS, rounds, (text) =>
    progress(`${database}, ${text}`),
  );
  const sorted = [...taken].sort((a, b) => a.ratio - b.ratio);
  const median = sorted[Math.floor(sorted.length / 2)]!;
  return {
    database,
    aloneSeconds: median.alone,
    rekeySeconds: median.rekey,
    plannedSeconds: median.planned,
    ratio: median.ratio,
    ratios: taken.map(({ ratio }) => ratio),
    memory,
    smallMs,
    notifiesPerSecond,
  };
}

/** Seconds to seal for so many members that were never seen before, and keep nothing. */
async function sealAlone({ world }: RunningGms, members: number): Promise<number> {
  const { initiator, domains } = world.keys.current();
  const request = { kind: "GMK" as const, members: newMembers(members), parameters: {} };
  const begun = performance.now();
  const plan = planSeal(request, { initiator, random: systemRandom, now: Date.now() });
  for await (const _ of world.pool!.sealGroup(plan, { initiator, domains }));
  return (performance.now() - begun) / 1000;
}

/** Milliseconds until all members of the small group have acknowledged, in the midst of a large rekey each time. */
async function measureSmall(
  running: RunningGms,
  members: number,
  rounds: number,
  progress: (text: string) => void,
): Promise<number[]> {
  const { admin } = running.gms;
  const clients = subscribers(running, members, SMALL_MEMBERS);
  await clients.order("subscribe");
  const taken: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const large = await admin.rekey(OPERATOR, LARGE);
    await ofRekey(running, large.id, ({ counts }) => counts.planned < 0.8 * members);
    const begun = performance.now();
    const small = await admin.rekey(OPERATOR, SMALL);
    await ofRekey(running, small.id, ({ counts }) => counts.acknowledged === SMALL_MEMBERS);
    taken.push(performance.now() - begun);
    const { counts } = await admin.rekeyStatus(large.id);
    progress(
      `small group after ${taken.at(-1)!.toFixed(0)} ms, ${counts.planned} of the large one still planned`,
    );
    await ofRekey(running, large.id, ({ sealedAt }) => sealedAt !== undefined);
  }
  await clients.stop();
  return taken;
}

/** Rekeys of a group whose members, from number `first` on, are all subscribed over SIP. */
async function measureNotifies(
  running: RunningGms,
  first: number,
  rounds: number,
  progress: (text: string) => void,
): Promise<number[]> {
  if (onProcessor(process.pid) === undefined) return [];
  const { admin } = running.gms;
  const count = SUBSCRIBED_MEMBERS;
  const members = newMembers(count, first);
  const { rekeys } = await admin.createGroup(OPERATOR, { uri: SUBSCRIBED, members });
  const clients = subscribers(running, first, count);
  const acknowledged = ({ counts }: Status) => counts.acknowledged === count;
  await clients.order("subscribe");
  await ofRekey(running, rekeys[0]!.id, acknowledged);
  const rates: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const before = onProcessor(process.pid)!;
    const { id } = await admin.rekey(OPERATOR, SUBSCRIBED);
    await ofRekey(running, id, acknowledged);
    rates.push(Math.round((1000 * count) / (onProcessor(process.pid)! - before)));
    progress(`round ${round} of ${rounds}: ${rates.at(-1)} NOTIFYs a second of the main thread`);
  }
  await clients.stop();
  return rates;
}

/** Members from number `first` on, in a process of their own. */
function subscribers({ tcp, issuer }: RunningGms, first: number, count: number): ClientProcess {
  const issuerJwk = issuer.exportPrivateJwk();
  return startClients({ port: tcp, issuerJwk, first, count, silent: [], refusing: [] });
}

type Status = Awaited<ReturnType<RunningGms["gms"]["admin"]["rekeyStatus"]>>;

/** Each look counts all members of the rekey in the database, which is work of its own. */
async function ofRekey(
  { gms }: RunningGms,
  id: number,
  reached: (status: Status) => boolean,
): Promise<Status> {
  for (;;) {
    const status = await gms.admin.rekeyStatus(id);
    if (reached(status)) return status;
    await pause(LOOK_MS);
  }
}
