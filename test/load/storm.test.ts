/**
 * A rekey of a group whose members are all subscribed: 1 in 100 never answers, 1 in 100 answers 488. The others are done
 * while the silent ones are still waited for, and the report names these. MIKEY_SAKKE_LONG=1 makes it larger, on
 * PostgreSQL, and measures what a member costs, as `npm run test:load` does.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defined } from "../../base/defined.ts";
import { migrate } from "../../store/database/migrate.ts";
import { type Database, openDatabase } from "../../store/index.ts";
import { GROUP, HOST, OPERATOR, type RunningGms, startGms } from "../gms/foreign/running-gms.ts";
import { memberUri, newMembers } from "../gms/memory-gms.ts";
import { type Cluster, startPostgres } from "../support/postgres.ts";
import { onProcessor } from "../support/processor.ts";
import { type ClientProcess, startClients } from "./client-process.ts";

const LONG = process.env.MIKEY_SAKKE_LONG === "1";
const MEMBERS = LONG ? 5000 : 500;
/** Milliseconds of processor that the process may take for each member of a rekey, sealing included. */
const COST = 1.8;
/** Timer F of RFC 3261: 64 times T1. */
const TIMER_F = 32_000;
const SILENT = every(100, 0);
const REFUSING = every(100, 1);
const OTHERS = MEMBERS - SILENT.length - REFUSING.length;

function every(step: number, from: number): number[] {
  return Array.from({ length: MEMBERS / step }, (_, i) => from + i * step);
}

describe(`a storm of NOTIFYs to ${MEMBERS} subscribers`, () => {
  let running: RunningGms;
  let clients: ClientProcess;
  let cluster: Cluster | undefined;
  let database: Database | undefined;

  beforeAll(async () => {
    if (LONG) {
      cluster = await startPostgres();
      database = await openDatabase({ url: await cluster.createDatabase() });
      await migrate(database);
    }
    running = await startGms({
      ...defined({ database }),
      workers: 1,
      config: { sip: { host: HOST, tcpPort: 0 }, limits: { deliveryTries: 1, subscriptions: MEMBERS } },
    });
    const { admin } = running.gms;
    await admin.createGroup(OPERATOR, { uri: GROUP, members: newMembers(MEMBERS) });
    await running.sealed();
    const issuerJwk = running.issuer.exportPrivateJwk();
    const job = {
      port: running.tcp,
      issuerJwk,
      first: 0,
      count: MEMBERS,
      silent: SILENT,
      refusing: REFUSING,
    };
    clients = startClients(job);
  }, 300_000);
  afterAll(async () => {
    await clients?.stop();
    await running?.close();
    await database?.close();
    await cluster?.stop();
  });

  const names = async (rekey: number, state: "refused" | "sealed" | "unreachable") =>
    (await running.gms.admin.deliveries(rekey, { state, limit: MEMBERS })).map(({ memberUri }) => memberUri);
  const countsOf = async (rekey: number) => (await running.gms.admin.rekeyStatus(rekey)).counts;
  const report = (what: string, since: number) =>
    LONG && process.stderr.write(`${what}: ${((performance.now() - since) / 1000).toFixed(1)} s\n`);

  it("serves subscribers who answer while it waits for the silent ones, and names the rest", async () => {
    const { admin } = running.gms;
    let begun = performance.now();
    const { subscribed, refusals } = await clients.order("subscribe");
    expect(refusals).toEqual([]);
    expect(subscribed).toBe(MEMBERS);
    const [first] = await admin.rekeys({ groupUri: GROUP, limit: 1 });
    const acknowledged = async (rekey: number) => (await countsOf(rekey)).acknowledged;
    await expect.poll(() => acknowledged(first!.id), { timeout: 120_000, interval: 100 }).toBe(MEMBERS);
    report(`${MEMBERS} subscribed, with the first key acknowledged`, begun);

    await clients.order("arm");
    begun = performance.now();
    const [before, mainBefore] = [process.cpuUsage(), onProcessor(process.pid)];
    const { id } = await admin.rekey(OPERATOR, GROUP);
    await expect.poll(() => acknowledged(id), { timeout: TIMER_F, interval: 100 }).toBe(OTHERS);
    report(`rekey acknowledged by ${OTHERS}`, begun);
    const { user, system } = process.cpuUsage(before);
    const main = (onProcessor(process.pid)! - mainBefore!) / MEMBERS;
    const cost = (user + system) / 1000 / MEMBERS;
    if (LONG) {
      const rate = Math.round(1000 / main);
      process.stderr.write(`processor: ${cost.toFixed(2)} ms a member, sealing included\n`);
      process.stderr.write(
        `main thread: ${main.toFixed(2)} ms, that is ${rate} a second with sealing elsewhere\n`,
      );
      expect(cost).toBeLessThan(COST);
    }
    await expect.poll(async () => (await countsOf(id)).refused).toBe(REFUSING.length);
    expect(await names(id, "refused")).toEqual(REFUSING.map(memberUri));
    expect(await names(id, "sealed")).toEqual(SILENT.map(memberUri));
    const { accepted } = await clients.order("stats");
    expect(accepted).toBe(MEMBERS + OTHERS);
    if (!LONG) return;

    const unreachable = async () => (await countsOf(id)).unreachable;
    await expect.poll(unreachable, { timeout: 3 * TIMER_F, interval: 500 }).toBe(SILENT.length);
    report("silent ones given up", begun);
    expect(await names(id, "unreachable")).toEqual(SILENT.map(memberUri));
    expect((await admin.rekeyStatus(id)).state).toBe("done");
  }, 600_000);
});
