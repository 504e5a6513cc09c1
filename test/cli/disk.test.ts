/** Disks that are full, file systems that are read-only, and paths of others: the error names the path and what to do. */
import { spawnSync } from "node:child_process";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { describeWithMounts, readOnly, smallDisk } from "../support/mount.ts";
import { unprivileged } from "../support/postgres.ts";
import { COMMAND } from "./command.ts";
import { cli } from "./kms/kms-process.ts";
import { runCli, spawnCli, temporaryFolder } from "./run-cli.ts";

const TIMEOUT = 300_000;
const PAGE = 4096;
const ALICE = "sip:alice@example.org";

/** Writes the only file of the disk, which takes that many pages of it. */
async function fill(disk: string, pages: number): Promise<void> {
  await writeFile(join(disk, "filler"), new Uint8Array(pages * PAGE));
}

describeWithMounts("a full disk", () => {
  it.each([
    ["no room for the configuration", ["serve"], 16, 16, "config.json"],
    ["no room for the store key", ["serve", "kms"], 16, 15, "store.key"],
    ["no room for the database", ["serve"], 512, 0, "database"],
    ["no room for the database", ["serve", "kms"], 4096, 0, "database"],
  ])("has %s: %j says so and leaves nothing", { timeout: TIMEOUT }, async (_, command, size, taken, name) => {
    const disk = smallDisk(size * PAGE);
    await fill(disk, taken);
    const data = join(disk, "new", "data");
    const run = await spawnCli([...command, "--data-dir", data, "--port", "0", "--json"]);
    expect(run.status, run.stdout).toBe(73);
    expect(run.json()).toMatchObject({
      code: "DISK_FULL",
      message: `${join(data, name)}: no space left on the disk`,
      next: expect.stringContaining("Make room"),
    });
    expect(await readdir(disk)).toEqual(["filler"]);
  });

  it("cuts no output off: a backup and a file of keys are whole or not there", {
    timeout: TIMEOUT,
  }, async () => {
    const data = await folderOfKms();
    const disk = smallDisk(16 * PAGE);
    await fill(disk, 16);
    const backup = await runCli(["backup", join(disk, "all.backup"), "--data-dir", data, "--json"]);
    expect([backup.status, backup.json().code]).toEqual([73, "DISK_FULL"]);
    const init = ["kms", "init", "--kms-uri", "kms.example.org", "--json"];
    const files = ["--secrets", join(disk, "secrets"), "--cert", join(disk, "cert.xml")];
    const made = await runCli([...init, ...files]);
    expect([made.status, made.json().code]).toEqual([73, "DISK_FULL"]);
    expect(await readdir(disk)).toEqual(["filler"]);
  });
});

/** A folder with a user. The command makes the database: no server is needed. */
async function folderOfKms(): Promise<string> {
  const data = join(await temporaryFolder(), "data");
  await mkdir(data);
  await writeFile(join(data, "store.key"), `${"5a".repeat(32)}\n`);
  await writeFile(join(data, "config.json"), JSON.stringify({ kmsUri: "kms.example.org" }));
  await cli("kms", "user", "add", ALICE, "--data-dir", data);
  return data;
}

describeWithMounts("a read-only file system", () => {
  it.each([["serve"], ["serve kms"]])(
    "takes no new folder: %s says so",
    { timeout: TIMEOUT },
    async (command) => {
      const view = readOnly(await temporaryFolder());
      const data = join(view, "new", "data");
      const run = await runCli([...command.split(" "), "--data-dir", data, "--port", "0", "--json"]);
      expect(run.status, run.stdout).toBe(73);
      expect(run.json()).toMatchObject({
        code: "READ_ONLY",
        message: `${dirname(data)}: the file system is read-only`,
        next: expect.stringContaining("may be written"),
      });
      expect(await readdir(view)).toEqual([]);
    },
  );

  it("is named when the database of a folder is in it, and nothing of the folder changes", {
    timeout: TIMEOUT,
  }, async () => {
    const data = await folderOfKms();
    const before = (await readdir(data, { recursive: true })).sort();
    const config = await readFile(join(data, "config.json"), "utf8");
    const view = readOnly(data);
    const run = await runCli(["kms", "user", "list", "--data-dir", view, "--json"]);
    expect(run.status, run.stdout).toBe(73);
    expect(run.json()).toMatchObject({
      code: "READ_ONLY",
      message: `${join(view, "database")}: the file system is read-only`,
    });
    expect((await readdir(data, { recursive: true })).sort()).toEqual(before);
    expect(await readFile(join(data, "config.json"), "utf8")).toBe(config);
  });
});

it("a path that the user may not use ends a command with 77, whether it is read or written", {
  timeout: TIMEOUT,
}, async () => {
  const folder = await temporaryFolder();
  const closed = join(folder, "closed");
  await mkdir(closed);
  const message = join(closed, "message.mikey");
  await writeFile(message, "x");
  // Root may use every path, so there the command runs as another user.
  const user = unprivileged();
  await chmod(folder, 0o755);
  await chmod(closed, user === undefined ? 0 : 0o700);
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [...COMMAND, ...args, "--json"], { ...user, encoding: "utf8" });
  const files = ["--secrets", join(closed, "secrets"), "--cert", join(closed, "cert.xml")];
  for (const args of [
    ["inspect", message],
    ["kms", "init", "--kms-uri", "kms.example.org", ...files],
  ]) {
    const { status, stdout, stderr } = run(...args);
    expect(status, stdout + stderr).toBe(77);
    expect(JSON.parse(stdout)).toMatchObject({
      code: "FILE_DENIED",
      message: expect.stringContaining(closed),
    });
  }
  await chmod(closed, 0o700);
});
