/** The parts that GMS processes on one PostgreSQL share: database, keys of the domain, and the issuer of tokens. */
import { migrate } from "../../../store/database/migrate.ts";
import { openDatabase } from "../../../store/index.ts";
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

export async function shareDatabase(
  cluster: Cluster,
  options: Pick<WorldOptions, "prepared"> = {},
): Promise<SharedDatabase> {
  const database = { url: await cluster.createDatabase(), max: 4 };
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
