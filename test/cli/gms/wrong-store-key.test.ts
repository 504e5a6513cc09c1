/** A database that another server has made, and a folder with a store key of its own. */
import { access, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Envelope } from "../../../store/database/envelope.ts";
import { migrate } from "../../../store/database/migrate.ts";
import { openDatabase } from "../../../store/index.ts";
import { type Cluster, describeWithPostgres, startPostgres } from "../../support/postgres.ts";
import { spawnCli, temporaryFolder } from "../run-cli.ts";

describeWithPostgres("serve on PostgreSQL", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startPostgres();
  });
  afterAll(() => cluster?.stop());

  it.each([
    ["made at the first start", false],
    ["named by --config", true],
  ])(
    "a server whose store key differs from its database's is refused, and leaves nothing: configuration %s",
    async (_, isNamed) => {
      const url = await cluster.createDatabase();
      const db = await openDatabase({ url, max: 1 });
      await migrate(db);
      (await Envelope.open(db, new Uint8Array(32).fill(7))).destroy();
      await db.close();
      const folder = await temporaryFolder();
      const data = join(folder, "data");
      const config = join(folder, "config.json");
      await writeFile(config, JSON.stringify({ kmsUri: "kms.example.org", database: { url } }));
      const given = isNamed ? ["--config", config] : ["--database", url, "--kms-uri", "kms.example.org"];
      const run = await spawnCli(["serve", "kms", "--data-dir", data, ...given, "--port", "0", "--json"]);
      expect(run.json()).toMatchObject({ code: "WRONG_STORE_KEY" });
      await expect(access(data)).rejects.toMatchObject({ code: "ENOENT" });
    },
  );
});
