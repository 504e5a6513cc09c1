/**
 * Three GMS processes on one PostgreSQL behind Kamailio: one of them is killed, stands still, or is stopped, and all
 * members have the next key soon. What is asserted is that they have it long before their subscriptions would run out; the
 * seconds that it took are told. `npm run test:failover` has 200 members for each transport.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KAMAILIO, type SipProxy, startKamailio } from "../../sip/support/kamailio.ts";
import { describeWith } from "../../support/foreign.ts";
import { freePort } from "../../support/free-port.ts";
import { type Cluster, describeWithPostgres, startPostgres } from "../../support/postgres.ts";
import { type GmsProcess, rekeyAtLast, startGmsProcess } from "../kill/gms-process.ts";
import type { GmsJob } from "../kill/protocol.ts";
import type { World } from "../memory-gms.ts";
import { type Device, keyOf, startDevice, stopDevices, untilNewKey } from "./device.ts";
import { HOST } from "./running-gms.ts";
import { shareDatabase } from "./shared-database.ts";

const LONG = process.env.MIKEY_SAKKE_LONG !== undefined;
const MEMBERS = LONG ? 200 : 12;
/** A subscription lasts an hour, so that whoever only waits for its end has no key by then. */
const LIMIT_MS = 60_000;
const PROCESSES = 3;

describeWithPostgres("failover on PostgreSQL", () => {
  describeWith("Kamailio", KAMAILIO, "three GMS processes behind Kamailio", () => {
    let cluster: Cluster;
    let world: World;
    let job: Omit<GmsJob, "instance">;
    let token: (userUri: string) => Promise<string>;
    const folder = mkdtempSync(join(tmpdir(), "failover-"));
    const ports: number[] = [];
    const processes: GmsProcess[] = [];
    let proxy: SipProxy;

    beforeAll(async () => {
      cluster = await startPostgres();
      ({ world, job, token } = await shareDatabase(cluster, { prepared: LONG }));
      for (let i = 0; i < PROCESSES; i++) ports.push(await freePort());
      for (let i = 0; i < PROCESSES; i++) await begin(i);
      const servers = join(folder, "servers.list");
      writeFileSync(servers, ports.map((port) => `1 sip:${HOST}:${port};transport=tcp\n`).join(""));
      const config = new URL("kamailio/dispatcher.cfg", import.meta.url);
      proxy = await startKamailio({ config, defines: { SERVERS: servers } });
      await processes[0]!.order({ op: "create", members: MEMBERS });
    }, 300_000);
    afterAll(async () => {
      for (const each of processes) await each.kill();
      await proxy?.stop();
      await world?.close();
      await cluster?.stop();
      rmSync(folder, { recursive: true });
    });

    async function begin(i: number): Promise<void> {
      const sip = { host: HOST, tcpPort: ports[i]!, udpPort: ports[i]!, trustedProxies: [HOST] };
      // Without workers a process answers nobody while it seals a chunk.
      const limits = { chunkSize: 16 };
      processes[i] = startGmsProcess({ ...job, instance: `gms-${i}`, config: { sip, limits } });
      await processes[i]!.listening;
    }

    /** The ways in which a process fails, and how it comes back. */
    const faults: Record<string, { strike(i: number): unknown; mend(i: number): Promise<void> }> = {
      "is killed": { strike: (i) => processes[i]!.kill(), mend: begin },
      "stands still": {
        strike: (i) => processes[i]!.freeze(),
        mend: async (i) => processes[i]!.thaw(),
      },
      "is stopped": { strike: (i) => processes[i]!.stop(), mend: begin },
    };

    describe.each(["TCP", "UDP"] as const)("with members over %s", (kind) => {
      let devices: Device[] = [];
      beforeAll(async () => {
        devices = await Promise.all(
          Array.from({ length: MEMBERS }, (_, member) =>
            startDevice({ world, member, transport: kind, ports: [proxy.port], token }),
          ),
        );
        await untilNewKey(devices, new Set([undefined]), LIMIT_MS);
      }, 300_000);
      afterAll(async () => {
        await stopDevices(devices);
      }, 120_000);

      it.each(Object.keys(faults))(
        "gives everybody the next key soon when one process %s",
        async (name) => {
          const struck = Object.keys(faults).indexOf(name);
          const before = new Set(devices.map(keyOf));
          const marks = devices.map(({ events }) => events.length);
          const { strike, mend } = faults[name]!;
          const striking = strike(struck);
          const took = await Promise.all([
            untilNewKey(devices, before, LIMIT_MS),
            rekeyAtLast(processes[(struck + 1) % PROCESSES]!),
          ]).then(([milliseconds]) => milliseconds);
          await striking;
          const moved = devices.filter(({ events }, i) =>
            events.slice(marks[i]).some(({ type }) => type === "subscribed"),
          );
          const causes: Record<string, number> = {};
          for (const [i, { events }] of devices.entries()) {
            for (const event of events.slice(marks[i])) {
              if (event.type !== "subscription-lost") continue;
              const cause = `${event.cause}${event.status === undefined ? "" : ` ${event.status}`}`;
              causes[cause] = (causes[cause] ?? 0) + 1;
            }
          }
          console.log(
            `${kind}, one of ${PROCESSES} ${name}: ${MEMBERS} members have the next key after ` +
              `${(took / 1000).toFixed(1)} s, ${moved.length} of them by a new subscription; lost: ${JSON.stringify(causes)}`,
          );
          // It had subscribers, so that the test is about them.
          expect(moved.length).toBeGreaterThan(0);
          await mend(struck);
        },
        LIMIT_MS + 120_000,
      );
    });
  });
});
