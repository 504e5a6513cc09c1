/** PGlite on a folder: one process at a time, and nothing committed is lost, however the process ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { openDatabase } from "../../store/database/open.ts";
import { openPglite } from "../../store/database/pglite.ts";
import { ALICE, issuedKey, openStore } from "./records.ts";

const WRITER = fileURLToPath(new URL("writer.ts", import.meta.url));
const KILLS = 3;

// Every test makes a database in a process or two, and that takes seconds on a machine with nothing else to do.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let folder: string;
let children: ChildProcess[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pglite-"));
  children = [];
});
afterEach(async () => {
  await Promise.all(children.map(killed));
  rmSync(folder, { recursive: true, force: true });
});

function startWriter(): ChildProcess {
  const child = spawn(process.execPath, ["--import", "tsx", WRITER, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  return child;
}

/** Resolves when the child is gone, after kill -9. */
async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

/** The periods a writer has committed when there are `count`; it goes on. */
async function committed(child: ChildProcess, count: number): Promise<number[]> {
  const periods: number[] = [];
  for await (const line of createInterface({ input: child.stdout! })) {
    periods.push(Number(line));
    if (periods.length === count) return periods;
  }
  throw new Error("the writer ended by itself");
}

it("PGlite keeps all that was committed before kill -9, time and again, and opens without being told", async () => {
  let last = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const writer = startWriter();
    const periods = await committed(writer, 20 + 7 * kill);
    await killed(writer);
    const db = await openDatabase({ folder });
    const store = await openStore(db);
    const expected = [last, ...periods].filter((p) => p > 0).map((period) => issuedKey(ALICE, period));
    expect(await store.issuedFor(expected)).toEqual(expected);
    // A period that was committed but not yet printed may be there too, but no part of one.
    const { rows } = await db.query<{ n: number; last: number }>(
      "SELECT count(*) AS n, max(period_no) AS last FROM kms_issued",
    );
    last = rows[0]!.last;
    expect(rows[0]!.n).toBe(last);
    await db.close();
  }
});

it("PGlite starts anew when the first start was killed", async () => {
  const writer = startWriter();
  const half = join(folder, "database.new");
  while (!existsSync(join(half, "base"))) await new Promise((resolve) => setTimeout(resolve, 5));
  await killed(writer);
  expect(existsSync(join(folder, "database"))).toBe(false);
  const db = await openPglite(folder);
  expect((await db.query("SELECT 1 AS a")).rows).toEqual([{ a: 1 }]);
  expect(existsSync(half)).toBe(false);
  await db.close();
});

it("a PGlite folder belongs to one process, which is named to the next", async () => {
  const writer = startWriter();
  await committed(writer, 1);
  await expect(openPglite(folder)).rejects.toMatchObject({
    kind: "usage",
    code: "STORE_LOCKED",
    message: `${folder}: process ${writer.pid} uses it`,
  });
  await killed(writer);
  const db = await openPglite(folder);
  await expect(openPglite(folder)).rejects.toMatchObject({
    code: "STORE_LOCKED",
    message: `${folder}: process ${process.pid} uses it`,
  });
  await Promise.all([db.close(), db.close()]);
  await (await openPglite(folder)).close();
});

it("a PGlite folder is readable by its owner only, and has no odd files left", async () => {
  const inside = join(folder, "data");
  for (let i = 0; i < 2; i++) await (await openPglite(inside)).close();
  expect(statSync(inside).mode & 0o077).toBe(0);
  expect(readdirSync(inside).sort()).toEqual(["database", "lock.2"]);
});

it("PGlite runs with fsync, and WAL by a system call that it has", async () => {
  const db = await openPglite(folder);
  const settings = ["fsync", "full_page_writes", "synchronous_commit", "wal_sync_method"];
  const values: Record<string, unknown> = {};
  for (const name of settings) Object.assign(values, (await db.query(`SHOW ${name}`)).rows[0]);
  expect(values).toEqual({
    fsync: "on",
    full_page_writes: "on",
    synchronous_commit: "on",
    wal_sync_method: "fsync",
  });
  await db.close();
});

it("PGlite refuses a folder that holds something else", async () => {
  mkdirSync(join(folder, "database"));
  writeFileSync(join(folder, "database", "PG_VERSION"), "9\n");
  await expect(openPglite(folder)).rejects.toMatchObject({ kind: "transport", code: "STORE_UNREADABLE" });
});

it("keeps 16 MB of pages in memory, on a folder and without one", async () => {
  for (const place of [folder, undefined]) {
    const db = await openPglite(place);
    const { rows } = await db.query<{ shared_buffers: string }>("SHOW shared_buffers");
    expect(rows).toEqual([{ shared_buffers: "16MB" }]);
    await db.close();
  }
});
