/** Two servers on one PostgreSQL are one KMS. */
import { cp, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Cluster, describeWithPostgres, startPostgres } from "../../support/postgres.ts";
import { runCli, temporaryFolder } from "../run-cli.ts";
import { cli, provisionArgs, STORY_MS, serveKms } from "./kms-process.ts";

const ALICE = "sip:alice@example.org";
const BOB = "sip:bob@example.org";

describeWithPostgres("serve kms on PostgreSQL", () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startPostgres();
  }, STORY_MS);
  afterAll(() => cluster?.stop());

  it("gives a user the same keys from either process, and the commands the same users", {
    timeout: STORY_MS,
  }, async () => {
    const folder = await temporaryFolder();
    const url = await cluster.createDatabase();
    const one = await serveKms(join(folder, "one"), "--database", url);
    await mkdir(join(folder, "two"));
    for (const name of ["config.json", "store.key", "token.key"]) {
      await cp(join(one.dataDir, name), join(folder, "two", name));
    }
    const two = await serveKms(join(folder, "two"));
    const keySets = async (kms: typeof one, out: string) => {
      await cli(...provisionArgs(kms, ALICE, join(folder, out)));
      const text = await readFile(join(folder, out, "keys.xml"), "utf8");
      return Array.from(text.matchAll(/<KmsKeySet[\s\S]*?<\/KmsKeySet>/g), ([keySet]) => keySet);
    };
    expect(await keySets(two, "b")).toEqual(await keySets(one, "a"));

    // Revoked at one, refused by the other.
    await cli("kms", "user", "revoke", "--data-dir", one.dataDir, ALICE);
    const refused = await runCli([...provisionArgs(two, ALICE, join(folder, "c")), "--json"]);
    expect(refused.status).toBe(1);

    // Without a server the commands go to the same database.
    await two.end("SIGTERM");
    await one.end("SIGKILL");
    await cli("kms", "user", "add", "--data-dir", two.dataDir, BOB);
    const users = await cli("kms", "user", "list", "--data-dir", one.dataDir);
    expect(users.json()).toMatchObject({ users: [{ uri: ALICE, reason: "revoked" }, { uri: BOB }] });
    const other = await runCli([
      "serve",
      "kms",
      "--data-dir",
      one.dataDir,
      "--database",
      `${url}x`,
      "--json",
    ]);
    expect(other.status).toBe(78);
    expect(other.json()).toMatchObject({ code: "OTHER_DATABASE" });
  });
});
