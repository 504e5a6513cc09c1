/** Two GMS processes on one PostgreSQL share a rekey, none does a part twice, and when one is killed the other finishes. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { migrate } from "../../../store/database/migrate.ts";
import { type DatabaseOptions, openDatabase } from "../../../store/index.ts";
import { LightClients } from "../../load/light-clients.ts";
import { type Cluster, describeWithPostgres, startPostgres } from "../../support/postgres.ts";
import { HOST, makeIssuer } from "../foreign/running-gms.ts";
import { GMS_URI, memberUris } from "../memory-gms.ts";
import { checkGroup } from "./check.ts";
import { type GmsProcess, startGmsProcess } from "./gms-process.ts";

const MEMBERS = 600;
const CHUNK = 16;

describeWithPostgres("two GMS processes on one database", () => {
  let cluster: Cluster;
  let database: DatabaseOptions;
  let token: (userUri: string) => Promise<string>;
  let processes: GmsProcess[] = [];
  beforeAll(async () => {
    cluster = await startPostgres();
  });
  afterAll(() => cluster.stop());

  async function startTwo(): Promise<[GmsProcess, GmsProcess]> {
    database = { url: await cluster.createDatabase(), max: 4 };
    const db = await openDatabase(database);
    await migrate(db);
    await db.close();
    const issuer = await makeIssuer();
    token = (userUri) => issuer.token({ userUri, now: Date.now() });
    const [one, other] = ["one", "other"].map((instance) =>
      startGmsProcess({
        database,
        workers: 1,
        instance,
        issuerJwk: issuer.exportPrivateJwk(),
        config: {
          sip: { host: HOST, tcpPort: 0 },
          limits: { chunkSize: CHUNK, leaseSeconds: 2, pollMs: 50 },
        },
      }),
    );
    processes = [one!, other!];
    await Promise.all(processes.map(({ listening }) => listening));
    return [one!, other!];
  }

  it("share the work, and deliver each what its subscribers have to get", async () => {
    const [one, other] = await startTwo();
    const subscribe = async (gms: GmsProcess, first: number) => {
      const { tcp: port } = await gms.listening;
      const identities = memberUris(10, first);
      const clients = await LightClients.open({
        host: HOST,
        port,
        gmsUri: GMS_URI,
        identities,
        token,
        connections: 1,
      });
      return clients;
    };
    const rekey = await one.order({ op: "create", members: MEMBERS });
    const clients = [await subscribe(one, 0), await subscribe(other, 10)];
    await Promise.all(clients.map((c) => c.subscribe()));
    await other.order({ op: "sealed" });
    await one.order({ op: "acknowledged", rekey: rekey!, count: 20 });
    expect(one.sealed).toBeGreaterThan(0);
    expect(other.sealed).toBeGreaterThan(0);
    expect(one.sealed + other.sealed).toBe(MEMBERS);
    for (const each of clients) each.close();
    await Promise.all([one.stop(), other.stop()]);
    await checkGroup(database, [], 0);
  });

  it("go on where one of them is killed", async () => {
    const [one, other] = await startTwo();
    await one.order({ op: "create", members: MEMBERS });
    await expect.poll(() => Math.min(one.sealed, other.sealed), { interval: 5 }).toBeGreaterThan(0);
    await one.kill();
    expect(one.sealed + other.sealed).toBeLessThan(MEMBERS);
    await other.order({ op: "sealed" });
    await other.stop();
    // The sum lacks what the killed process had stored and not yet reported.
    expect(one.sealed + other.sealed).toBeLessThanOrEqual(MEMBERS);
    expect(one.sealed + other.sealed).toBeGreaterThanOrEqual(MEMBERS - 2 * CHUNK);
    await checkGroup(database, [], 0);
  });
});
