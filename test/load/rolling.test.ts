/**
 * A rolling upgrade: three GMS processes on one PostgreSQL are stopped and started again one after the other, with a rekey
 * while each is away. `npm run test:rolling` has 500 clients; without it there is no test here. All clients are in the
 * process of the test, so they have prepared keys: without, their arithmetic alone takes three seconds of one core for each rekey.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Receiver } from "../../bindings/identity/receiver.ts";
import type { ClientKeys } from "../../roles/identity/index.ts";
import { type Device, keyOf, startDevice, stopDevices, untilNewKey } from "../gms/foreign/device.ts";
import { HOST } from "../gms/foreign/running-gms.ts";
import { shareDatabase } from "../gms/foreign/shared-database.ts";
import { type GmsProcess, rekeyAtLast, startGmsProcess } from "../gms/kill/gms-process.ts";
import type { GmsJob } from "../gms/kill/protocol.ts";
import type { World } from "../gms/memory-gms.ts";
import { freePort } from "../support/free-port.ts";
import { type Cluster, describeWithPostgres, startPostgres } from "../support/postgres.ts";

const CLIENTS = 500;
const PROCESSES = 3;
/** No client is longer without the key of the others. */
const LIMIT_MS = 10_000;
const START_MS = 600_000;

/** Keys of a member, prepared as on a device that has had some messages. */
function preparedKeys({ home, away, member, now }: World, who: number): ClientKeys {
  const { keys, uri } = member(who);
  const receiver = Receiver.load([home.domain, away.domain], [home.keySet(uri, now())], { prepare: true });
  return { ...keys, receiver, destroy: () => receiver.destroy() };
}

describe.runIf(process.env.MIKEY_SAKKE_LONG)("a rolling upgrade", () => {
  describeWithPostgres("with three GMS processes", () => {
    let cluster: Cluster;
    let world: World;
    let job: Omit<GmsJob, "instance">;
    let devices: Device[] = [];
    let keys: ClientKeys[] = [];
    const ports: number[] = [];
    const processes: GmsProcess[] = [];

    async function begin(i: number): Promise<void> {
      // All clients have one address here, and several hundred of them move at once.
      const limits = { chunkSize: 16, waitingPerAddress: CLIENTS };
      const config = { sip: { host: HOST, tcpPort: ports[i]! }, limits };
      processes[i] = startGmsProcess({ ...job, instance: `gms-${i}`, config });
      await processes[i]!.listening;
    }

    beforeAll(async () => {
      cluster = await startPostgres();
      const shared = await shareDatabase(cluster);
      ({ world, job } = shared);
      const { token } = shared;
      keys = Array.from({ length: CLIENTS }, (_, member) => preparedKeys(world, member));
      for (let i = 0; i < PROCESSES; i++) ports.push(await freePort());
      for (let i = 0; i < PROCESSES; i++) await begin(i);
      await processes[0]!.order({ op: "create", members: CLIENTS });
      // A third of the clients begins at each process.
      devices = await Promise.all(
        Array.from({ length: CLIENTS }, (_, member) => {
          const first = member % PROCESSES;
          const own = [...ports.slice(first), ...ports.slice(0, first)];
          return startDevice({ world, member, transport: "TCP", ports: own, token, keys: keys[member]! });
        }),
      );
      await untilNewKey(devices, new Set([undefined]), START_MS);
    }, START_MS);
    afterAll(async () => {
      await stopDevices(devices);
      for (const each of keys) each.destroy();
      for (const each of processes) await each.kill();
      await world?.close();
      await cluster?.stop();
    }, START_MS);

    it.each(Array.from({ length: PROCESSES }, (_, i) => i))(
      "leaves no client without a key while process %i is replaced",
      async (i) => {
        const before = new Set(devices.map(keyOf));
        const marks = devices.map(({ events }) => events.length);
        const replaced = processes[i]!.stop().then(() => begin(i));
        const [took] = await Promise.all([
          untilNewKey(devices, before, START_MS),
          rekeyAtLast(processes[(i + 1) % PROCESSES]!),
        ]);
        await replaced;
        const moved = devices.filter(({ events }, n) =>
          events.slice(marks[n]).some(({ type }) => type === "subscribed"),
        );
        const seconds = (took / 1000).toFixed(1);
        console.log(
          `process ${i}: ${CLIENTS} clients have the next key after ${seconds} s, ${moved.length} moved`,
        );
        expect(moved.length).toBeGreaterThan(0);
        expect(took).toBeLessThan(LIMIT_MS);
      },
      START_MS,
    );
  });
});
