/** The parts that GMS processes on one database share: keys of the domain, and the issuer of tokens. */
import { migrate } from "../../../store/database/migrate.ts";
import { type DatabaseOptions, openDatabase } from "../../../store/index.ts";
import type { Cluster } from "../../support/postgres.ts";
import type { GmsJob } from "../kill/protocol.ts";
import { makeWorld, type World, type WorldOptions } from "../memory-gms.ts";
import { makeIssuer } from "./running-gms.ts";

export interface SharedDatabase {
  readonly world: World;
  /** The job of each process, but for its name and the ports in its configuration. */
  readonly job: Omit<GmsJob, "instance">;
  readonly token: (userUri: string) => Promise<string>;
}

type Options = Pick<WorldOptions, "prepared">;

export async function shareDatabase(cluster: Cluster, options: Options = {}): Promise<SharedDatabase> {
  return share({ url: await cluster.createDatabase(), max: 4 }, options);
}

/** The database is empty. On PGlite only one process at a time can have it. */
export async function share(database: DatabaseOptions, options: Options = {}): Promise<SharedDatabase> {
  const db = await openDatabase(database);
  await migrate(db);
  await db.close();
  const world = await makeWorld({ now: Date.now(), ...options });
  const issuer = await makeIssuer();
  return {
    world,
    job: { database, workers: 0, issuerJwk: issuer.exportPrivateJwk(), config: {} },
    token: (userUri) => issuer.token({ userUri, now: Date.now() }),
  };
}
