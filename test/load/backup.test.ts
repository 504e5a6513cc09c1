/**
 * A backup under load: the command makes it while a GMS gives the members of a group one GMK after the other. The GMS goes on,
 * is killed, and the backup is restored into another folder and another database. `npm run test:load` has 200 clients;
 * without it there is no test here.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { toHex } from "../../base/bytes.ts";
import { type DatabaseOptions, openDatabase } from "../../store/index.ts";
import { cli, cliProcess } from "../cli/kms/kms-process.ts";
import { temporaryFolder } from "../cli/run-cli.ts";
import { type Device, keyOf, startDevice, stopDevices, untilNewKey } from "../gms/foreign/device.ts";
import { GROUP, HOST } from "../gms/foreign/running-gms.ts";
import { share } from "../gms/foreign/shared-database.ts";
import { rekeyAtLast, startGmsProcess } from "../gms/kill/gms-process.ts";
import { GMS_URI, HOME_KMS, STORE_KEY } from "../gms/memory-gms.ts";
import { freePort } from "../support/free-port.ts";
import { type Cluster, describeWithPostgres, startPostgres } from "../support/postgres.ts";

const CLIENTS = 200;
const LIMIT_MS = 300_000;
const RESTORED = "restored from a backup";

interface Gmk {
  readonly gmk_id: number;
  readonly cause: string;
}

/** Returns all GMKs that a GMS has made in that database. */
async function gmksOf(database: DatabaseOptions): Promise<Gmk[]> {
  const db = await openDatabase(database);
  try {
    const text = "SELECT g.gmk_id, r.cause FROM gms_gmk g JOIN gms_rekey r ON r.gmk = g.id";
    return (await db.query<Gmk>(text)).rows;
  } finally {
    await db.close();
  }
}

/** Returns the GMKs themselves that a member holds of the group, to be compared. */
function heldBy({ ring }: Device): string[] {
  return ring.keys(GROUP).flatMap(({ key }) => (key === undefined ? [] : [toHex(key.reveal())]));
}

interface Place {
  readonly dataDir: string;
  readonly database: DatabaseOptions;
}

/** Makes a place for the database of a GMS: PostgreSQL, or the folder in a data folder. */
type MakePlace = () => Promise<Place>;

const onPostgres = (cluster: Cluster): MakePlace => {
  return async () => ({
    dataDir: await temporaryFolder(),
    database: { url: await cluster.createDatabase(), max: 4 },
  });
};

const onPglite: MakePlace = async () => {
  const dataDir = await temporaryFolder();
  return { dataDir, database: { folder: join(dataDir, "database") } };
};

async function backUpUnderLoad(makePlace: MakePlace): Promise<void> {
  const { dataDir, database } = await makePlace();
  const { url } = database;
  const { world, job, token } = await share(database, { prepared: true });
  onTestFinished(() => world.close());
  const port = await freePort();
  // All clients have one address here.
  const limits = { chunkSize: 16, waitingPerAddress: CLIENTS };
  const config = { sip: { host: HOST, tcpPort: port }, limits };
  const first = startGmsProcess({ ...job, instance: "first", config, dataDir });
  onTestFinished(() => first.kill());
  await first.listening;
  await first.order({ op: "create", members: CLIENTS });
  const devices = await Promise.all(
    Array.from({ length: CLIENTS }, (_, member) =>
      startDevice({ world, member, transport: "TCP", ports: [port], token }),
    ),
  );
  onTestFinished(() => stopDevices(devices));
  await untilNewKey(devices, new Set([undefined]), LIMIT_MS);

  const key = join(dataDir, "store.key");
  await writeFile(key, `${toHex(STORE_KEY)}\n`);
  const gms = { gmsUri: GMS_URI, kmsUri: HOME_KMS, ...(url !== undefined && { database: { url } }) };
  await writeFile(join(dataDir, "config.json"), JSON.stringify({ gms }));

  let [busy, rekeys] = [true, 0];
  const load = (async () => {
    for (; busy; rekeys++) await rekeyAtLast(first);
  })();
  const file = join(dataDir, "all.backup");
  let begun = performance.now();
  // A load that goes on after a failure would leave the process no time for anything else.
  const { rows, octets } = (
    await cliProcess("backup", file, "--data-dir", dataDir).finally(() => {
      busy = false;
    })
  ).json<{ rows: number; octets: number }>();
  const backupSeconds = (performance.now() - begun) / 1000;
  const during = rekeys;
  await load;
  // The GMS goes on after the backup, and all members have what it does not know.
  const before = new Set(devices.map(keyOf));
  await rekeyAtLast(first);
  await untilNewKey(devices, before, LIMIT_MS);
  await first.kill();
  const lost = await gmksOf(database);
  const held = new Set(devices.flatMap(({ ring }) => ring.keys(GROUP).map(({ gmkId }) => gmkId)));
  const heldKeys = new Set(devices.flatMap(heldBy));

  const other = await makePlace();
  const into = other.database.url === undefined ? [] : ["--database", other.database.url];
  begun = performance.now();
  await cli("restore", file, "--data-dir", other.dataDir, "--store-key", key, ...into);
  const restoreSeconds = (performance.now() - begun) / 1000;
  const known = new Set((await gmksOf(other.database)).map(({ gmk_id }) => gmk_id));
  const second = startGmsProcess({ ...job, database: other.database, instance: "second", config });
  onTestFinished(() => second.kill());
  await second.listening;
  const lostIds = new Set([...lost.map(({ gmk_id }) => gmk_id), ...held]);
  const took = await untilNewKey(devices, new Set([undefined, ...lostIds]), LIMIT_MS);
  await second.kill();

  const made = (await gmksOf(other.database)).filter(({ gmk_id }) => !known.has(gmk_id));
  expect(made.map(({ cause }) => cause)).toEqual([RESTORED]);
  expect(new Set(devices.map(keyOf))).toEqual(new Set(made.map(({ gmk_id }) => gmk_id)));
  // The backup lacks what came after it: GMKs were made meanwhile, and none of those comes a second time.
  expect(lost.length).toBeGreaterThan(known.size);
  expect(lostIds.has(made[0]!.gmk_id)).toBe(false);
  const newKeys = new Set(devices.map(({ ring }) => toHex(ring.current(GROUP)!.key.reveal())));
  expect(newKeys.size).toBe(1);
  expect(heldKeys.has([...newKeys][0]!)).toBe(false);
  console.log(
    `${CLIENTS} clients, ${during} rekeys during the backup: ${rows} rows, ${octets} octets in ` +
      `${backupSeconds.toFixed(1)} s; restored in ${restoreSeconds.toFixed(1)} s; all have the new GMK ` +
      `${(took / 1000).toFixed(1)} s after the restored GMS listens`,
  );
}

describe.runIf(process.env.MIKEY_SAKKE_LONG)("a backup under load", { timeout: 4 * LIMIT_MS }, () => {
  describeWithPostgres("of a GMS on PostgreSQL", () => {
    it(`gives all of ${CLIENTS} members the same new GMK once it is restored elsewhere, and no GMK twice`, async () => {
      const cluster = await startPostgres();
      onTestFinished(() => cluster.stop());
      await backUpUnderLoad(onPostgres(cluster));
    });
  });

  describe("of a GMS on PGlite", () => {
    it(`gives all of ${CLIENTS} members the same new GMK once it is restored elsewhere, and no GMK twice`, () =>
      backUpUnderLoad(onPglite));
  });
});
