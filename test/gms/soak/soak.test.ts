/**
 * Three GMS processes on one PostgreSQL, members who know all three, and faults one after the other for as long as the run
 * lasts: a process is killed, stands still or is stopped, the database dies. Members over UDP lose every tenth datagram
 * each way all the time. After each fault everybody has to have the key of a rekey that was made during it.
 * `npm run test:soak` runs for an hour; the faults follow from a seed, which is told.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freePort } from "../../support/free-port.ts";
import { type Cluster, describeWithPostgres, startPostgres } from "../../support/postgres.ts";
import { seededRandom } from "../../support/random.ts";
import { type Device, keyOf, startDevice, stopDevices, untilNewKey } from "../foreign/device.ts";
import { HOST } from "../foreign/running-gms.ts";
import { shareDatabase } from "../foreign/shared-database.ts";
import { type GmsProcess, rekeyAtLast, startGmsProcess } from "../kill/gms-process.ts";
import type { GmsJob } from "../kill/protocol.ts";
import type { World } from "../memory-gms.ts";
import { type LossyRelay, startLossyRelay } from "./lossy-relay.ts";

const LONG = process.env.MIKEY_SAKKE_LONG !== undefined;
const MINUTES = Number(process.env.MIKEY_SAKKE_SOAK_MINUTES ?? 60);
const RUN_MS = LONG ? MINUTES * 60_000 : 20_000;
const MEMBERS = LONG ? 60 : 6;
const PROCESSES = 3;
const LOSS = 0.1;
/** Members over UDP are behind this address. */
const RELAY = "127.0.0.9";
/** A subscription lasts an hour: whoever only waits for its end has no key by then. */
const LIMIT_MS = 300_000;
/** The limit of the long run, for a machine that has nothing else to do. */
const LONG_LIMIT_MS = 30_000;
const SEED = process.env.MIKEY_SAKKE_SEED ?? "soak";

interface Recovery {
  readonly fault: string;
  /** Milliseconds from the end of the fault until all have the new key; 0 where they had it before. */
  readonly took: number;
}

describeWithPostgres("a soak of three GMS processes on PostgreSQL", () => {
  const random = seededRandom(SEED);
  const fraction = () => new DataView(random(2).buffer).getUint16(0) / 65_536;
  /** Between the two, in milliseconds; a short run has a tenth of it. */
  const between = (low: number, high: number) => (low + (high - low) * fraction()) / (LONG ? 1 : 10);
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const processes: GmsProcess[] = [];
  const ports: number[] = [];
  const relays: LossyRelay[] = [];
  let cluster: Cluster;
  let world: World;
  let job: Omit<GmsJob, "instance">;
  let devices: Device[] = [];

  beforeAll(async () => {
    cluster = await startPostgres();
    const shared = await shareDatabase(cluster);
    ({ world, job } = shared);
    const { token } = shared;
    for (let i = 0; i < PROCESSES; i++) {
      ports.push(await freePort());
      await begin(i);
      relays.push(
        await startLossyRelay({
          host: RELAY,
          target: { host: HOST, port: ports[i]! },
          loss: LOSS,
          fraction: Math.random,
        }),
      );
    }
    await processes[0]!.order({ op: "create", members: MEMBERS });
    const rotated = (list: readonly number[], by: number) =>
      list.map((_, i) => list[(i + by) % list.length]!);
    devices = await Promise.all(
      Array.from({ length: MEMBERS }, (_, member) => {
        const transport = member % 2 === 0 ? "TCP" : "UDP";
        const all = transport === "TCP" ? ports : relays.map(({ port }) => port);
        const host = transport === "TCP" ? HOST : RELAY;
        return startDevice({ world, member, transport, host, ports: rotated(all, member >> 1), token });
      }),
    );
    await untilNewKey(devices, new Set([undefined]), LIMIT_MS);
  }, 900_000);

  afterAll(async () => {
    await stopDevices(devices);
    for (const each of processes) await each.kill();
    for (const each of relays) await each.close();
    await world?.close();
    await cluster?.stop();
  }, 120_000);

  async function begin(i: number): Promise<void> {
    const sip = { host: HOST, tcpPort: ports[i]!, udpPort: ports[i]! };
    processes[i] = startGmsProcess({ ...job, instance: `gms-${i}`, config: { sip } });
    await processes[i]!.listening;
  }

  /** Faults of process `i` or of the database, which last until the promise of `mend` resolves. */
  const faults: Record<string, { strike(i: number): unknown; mend(i: number): Promise<unknown> }> = {
    "a process is killed": { strike: (i) => processes[i]!.kill(), mend: begin },
    "a process stands still": {
      strike: (i) => processes[i]!.freeze(),
      mend: async (i) => processes[i]!.thaw(),
    },
    "a process is stopped": { strike: (i) => processes[i]!.stop(), mend: begin },
    "the database dies": { strike: () => cluster.crash(), mend: () => cluster.start() },
  };

  /** Octets that the process holds in memory. */
  const resident = (pid: number) =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) * 1024;

  it(
    "leaves nobody without the newest key after any of the faults, and memory stays flat",
    async () => {
      const recoveries: Recovery[] = [];
      const memory: number[] = [];
      const end = performance.now() + RUN_MS;
      console.log(`seed ${SEED}: ${MEMBERS} members, ${Math.round(RUN_MS / 1000)} s`);
      while (performance.now() < end || recoveries.length < Object.keys(faults).length) {
        const names = Object.keys(faults);
        // A short run has each of them once.
        const at = LONG ? Math.floor(fraction() * names.length) : recoveries.length % names.length;
        const name = names[at]!;
        // Process 0 is never ended, so that its memory can be followed.
        const struck =
          name === "a process stands still" ? recoveries.length % PROCESSES : 1 + (recoveries.length % 2);
        const before = new Set(devices.map(keyOf));
        await faults[name]!.strike(struck);
        const rekeyed = rekeyAtLast(processes[(struck + 1) % PROCESSES]!);
        await pause(between(2_000, 20_000));
        await faults[name]!.mend(struck);
        await rekeyed;
        const took = await untilNewKey(devices, before, LIMIT_MS);
        recoveries.push({ fault: name, took });
        memory.push(resident(processes[0]!.pid));
        if (LONG) console.log(`${name}: all have the key ${(took / 1000).toFixed(1)} s after its end`);
        await pause(between(1_000, 10_000));
      }
      for (const name of Object.keys(faults)) {
        const times = recoveries.filter(({ fault }) => fault === name).map(({ took }) => took);
        const longest = (Math.max(...times, 0) / 1000).toFixed(1);
        console.log(
          `${name}: ${times.length} times, all had the key ${longest} s after its end at the latest`,
        );
      }
      const mib = (octets: number) => Math.round(octets / 1024 / 1024);
      console.log(`memory of process 0: ${mib(memory[0]!)} MiB at first, ${mib(memory.at(-1)!)} MiB at last`);
      const [lost, passed] = [relays.map((each) => each.lost), relays.map((each) => each.passed)];
      console.log(`datagrams: ${lost.join(" + ")} lost of ${passed.join(" + ")} that came through`);
      expect(Math.min(...passed)).toBeGreaterThan(0);
      if (!LONG) return;
      expect(Math.min(...lost)).toBeGreaterThan(0);
      expect(Math.max(...recoveries.map(({ took }) => took))).toBeLessThan(LONG_LIMIT_MS);
      const quarter = Math.ceil(memory.length / 4);
      const median = (list: readonly number[]) => [...list].sort((a, b) => a - b)[list.length >> 1]!;
      const [early, late] = [median(memory.slice(quarter, 2 * quarter)), median(memory.slice(-quarter))];
      expect(late).toBeLessThan(1.2 * early + 16 * 1024 * 1024);
    },
    RUN_MS + 600_000,
  );
});
