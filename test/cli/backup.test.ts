/** `backup` and `restore`: of servers that run and that stand, on another machine and another database, and what is refused. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPglite } from "../../store/index.ts";
import { type Cluster, describeWithPostgres, startPostgres } from "../support/postgres.ts";
import { STORY_MS, serve } from "./gms/gms-process.ts";
import { cli } from "./kms/kms-process.ts";
import { runCli, temporaryFolder } from "./run-cli.ts";

const GROUP = "sip:fire@example.org";
const MEMBERS = ["sip:alice@example.org", "sip:bob@example.org"];

interface Rekeys {
  rekeys: { rekey: number; gmkId: string; cause: string }[];
}

const groupOf = (data: string) => cli("group", "status", GROUP, "--data-dir", data);
const rekeysOf = async (data: string) => (await groupOf(data)).json<Rekeys>().rekeys;

/** Waits until the GMS has given the group a GMK in place of those of the backup. */
async function restoredRekey(data: string): Promise<Rekeys["rekeys"][number]> {
  for (;;) {
    const found = (await rekeysOf(data)).find(({ cause }) => cause === "restored from a backup");
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

describe("backup and restore", { timeout: STORY_MS }, () => {
  it("a backup of running servers restores the group on another machine, with a new GMK", async () => {
    const folder = await temporaryFolder();
    const data = join(folder, "data");
    const servers = await serve(data);
    await cli("group", "create", GROUP, ...MEMBERS, "--data-dir", data);
    const file = join(folder, "running.backup");
    const made = await cli("backup", file, "--data-dir", data);
    expect(made.json()).toMatchObject({ status: "ok", rows: expect.any(Number) });
    await expectApart(file, data);
    // Changes after the backup are lost.
    const lost = (await cli("group", "rekey", GROUP, "--data-dir", data)).json<{
      rekey: number;
      gmkId: string;
    }>();
    await servers.end("SIGKILL");

    const other = join(folder, "other");
    const key = join(data, "store.key");
    await cli("restore", file, "--data-dir", other, "--store-key", key);
    expect((await readdir(other)).sort()).toEqual(["config.json", "database", "store.key"]);
    const again = await serve(other);
    const rekey = await restoredRekey(other);
    expect(rekey.gmkId).not.toBe(lost.gmkId);
    expect(rekey.rekey).toBeGreaterThan(lost.rekey);
    expect(again.log()).toContain("the database was restored from a backup");
    expect((await cli("kms", "audit", "--data-dir", other)).stdout).toContain('"restore"');
  });
});

/** Neither the store key nor anything that it protects is in the file in clear. */
async function expectApart(file: string, data: string): Promise<void> {
  const text = gunzipSync(await readFile(file)).toString();
  expect(text).toContain(GROUP);
  const key = (await readFile(join(data, "store.key"), "utf8")).trim();
  expect(text.toLowerCase()).not.toContain(key.toLowerCase());
  const token = JSON.parse(await readFile(join(data, "token.key"), "utf8")) as { d: string };
  expect(text).not.toContain(token.d);
}

/** A folder with a user. The command makes the database: no server is needed. */
async function standing(folder: string): Promise<string> {
  const data = join(folder, "data");
  await mkdir(data);
  await writeFile(join(data, "store.key"), `${"5a".repeat(32)}\n`);
  await writeFile(join(data, "config.json"), JSON.stringify({ kmsUri: "kms.example.org" }));
  await cli("kms", "user", "add", MEMBERS[0]!, "--data-dir", data);
  return data;
}

describe("restore refuses", { timeout: STORY_MS }, () => {
  let folder: string;
  let file: string;
  let key: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "backup-"));
    const data = await standing(folder);
    key = join(data, "store.key");
    file = join(folder, "good.backup");
    await cli("backup", file, "--data-dir", data);
  });

  afterAll(() => rm(folder, { recursive: true }));

  const restore = async (backup: string, ...args: string[]) => {
    const target = await temporaryFolder();
    const run = await runCli([
      "restore",
      backup,
      "--data-dir",
      target,
      "--store-key",
      key,
      "--json",
      ...args,
    ]);
    return {
      status: run.status,
      left: await readdir(target),
      ...run.json<{ code?: string; next?: string }>(),
    };
  };

  it("a file that was cut off, was changed or is no backup, and leaves nothing behind", async () => {
    const octets = await readFile(file);
    const text = gunzipSync(octets).toString();
    const lines = text.trimEnd().split("\n");
    const files: Record<string, [Uint8Array, string]> = {
      cut: [octets.subarray(0, octets.length - 40), "BACKUP_DAMAGED"],
      "without its last lines": [gzipSync(`${lines.slice(0, -2).join("\n")}\n`), "BACKUP_DAMAGED"],
      changed: [gzipSync(text.replace("sip:alice@example.org", "sip:mallo@example.org")), "BACKUP_DAMAGED"],
      text: [Buffer.from("not a backup"), "NOT_A_BACKUP"],
      "other gzip": [gzipSync("{}\n"), "NOT_A_BACKUP"],
      newer: [gzipSync(text.replace('"version":1', '"version":2')), "BACKUP_TOO_NEW"],
    };
    for (const [name, [content, code]] of Object.entries(files)) {
      await writeFile(join(folder, "bad.backup"), content);
      expect(await restore(join(folder, "bad.backup")), name).toMatchObject({
        code,
        left: [],
        next: expect.any(String),
      });
    }
  });

  it("a store key with another check value, and a missing store key", async () => {
    const other = join(folder, "other.key");
    await writeFile(other, `${"6b".repeat(32)}\n`);
    const target = await temporaryFolder();
    const wrong = await runCli(["restore", file, "--data-dir", target, "--store-key", other, "--json"]);
    expect([wrong.status, wrong.json().code]).toEqual([78, "WRONG_STORE_KEY"]);
    const { storeKey } = (await cli("restore", file, "--check", "--store-key", key)).json<{
      storeKey: string;
    }>();
    expect(wrong.json().message).toContain(`the backup needs ${storeKey}`);
    const missing = await runCli(["restore", file, "--data-dir", target, "--json"]);
    expect([missing.status, missing.json().code]).toEqual([66, "STORE_KEY_MISSING"]);
    expect(await readdir(target)).toEqual([]);
  });

  it("a database with tables; and backup refuses a newer database, none, or an existing output file", async () => {
    const target = await temporaryFolder();
    await cli("restore", file, "--data-dir", target, "--store-key", key);
    const again = await runCli(["restore", file, "--data-dir", target, "--json"]);
    expect([again.status, again.json().code]).toEqual([73, "TARGET_NOT_EMPTY"]);
    const over = await runCli(["backup", file, "--data-dir", target, "--json"]);
    expect([over.status, over.json().code]).toEqual([73, "FILE_EXISTS"]);
    // Nothing is copied of which it is not known what it is, and nothing is nothing.
    const db = await openPglite(join(target, "database"));
    await db.query("INSERT INTO schema_migration SELECT max(version) + 1, 'newer' FROM schema_migration");
    await db.close();
    const newer = await runCli(["backup", join(folder, "newer.backup"), "--data-dir", target, "--json"]);
    expect([newer.status, newer.json().code]).toEqual([78, "STORE_TOO_NEW"]);
    await rm(join(target, "database"), { recursive: true });
    const none = await runCli(["backup", join(folder, "none.backup"), "--data-dir", target, "--json"]);
    expect([none.status, none.json().code]).toEqual([78, "NO_DATABASE"]);
    expect((await readdir(folder)).filter((name) => /^(?:none|newer)/.test(name))).toEqual([]);
  });
});

describeWithPostgres("from PGlite to PostgreSQL", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startPostgres();
  }, STORY_MS);
  afterAll(() => cluster?.stop());

  it("one command moves a folder to PostgreSQL, and one moves it back", {
    timeout: STORY_MS,
  }, async () => {
    const folder = await temporaryFolder();
    const data = await standing(folder);
    const users = async (dataDir: string) => (await cli("kms", "user", "list", "--data-dir", dataDir)).json();
    const before = await users(data);
    await cli("backup", join(folder, "move.backup"), "--data-dir", data);
    await cli(
      "restore",
      join(folder, "move.backup"),
      "--data-dir",
      data,
      "--database",
      await cluster.createDatabase(),
    );
    await rm(join(data, "database"), { recursive: true });
    expect(await users(data)).toEqual(before);
    await cli("kms", "user", "add", MEMBERS[1]!, "--data-dir", data);

    const back = join(folder, "back");
    await cli("backup", join(folder, "back.backup"), "--data-dir", data);
    await cli(
      "restore",
      join(folder, "back.backup"),
      "--data-dir",
      back,
      "--store-key",
      join(data, "store.key"),
    );
    expect(await users(back)).toEqual(await users(data));
    // Nothing of where a database was goes along.
    expect(await readFile(join(back, "config.json"), "utf8")).not.toContain("postgresql");
  });
});
