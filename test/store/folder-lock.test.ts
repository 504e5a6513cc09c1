/** The lock of a folder: whose owner is gone is taken over, by one. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { lockFolder } from "../../store/database/folder-lock.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lock-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const LOCKED = expect.objectContaining({ kind: "usage", code: "STORE_LOCKED" });

/** Writes a lock as this process would, changed. */
function leave(name: string, changes: Record<string, unknown>): void {
  const unlock = lockFolder(folder);
  const [file] = readdirSync(folder);
  const owner = JSON.parse(readFileSync(join(folder, file!), "utf8"));
  unlock();
  for (const left of readdirSync(folder)) rmSync(join(folder, left));
  writeFileSync(join(folder, name), JSON.stringify({ ...owner, ...changes }));
}

it("a folder lock is held until it is given up", () => {
  const unlock = lockFolder(folder);
  expect(() => lockFolder(folder)).toThrow(LOCKED);
  unlock();
  lockFolder(folder)();
});

it("a folder lock is taken over from a process that is gone, from another with its pid, and after a restart", () => {
  const gone = spawnSync("true").pid;
  for (const changes of [{ pid: gone }, { start: "1" }, { boot: "another" }]) {
    leave("lock.7", changes);
    const unlock = lockFolder(folder);
    expect(readdirSync(folder)).toEqual(["lock.8"]);
    unlock();
  }
});

it("a folder lock is not taken over from another container, whose processes cannot be seen", () => {
  leave("lock.7", { namespace: "another" });
  expect(() => lockFolder(folder)).toThrow(LOCKED);
  expect(() => lockFolder(folder)).toThrow(/delete .*lock\.7/);
});

it("a folder lock tolerates what a crash of the machine left unreadable", () => {
  writeFileSync(join(folder, "lock.3"), "");
  lockFolder(folder)();
});

it("a folder lock counts on: an older number that turns up again is not the lock", () => {
  const unlock = lockFolder(folder);
  unlock();
  lockFolder(folder);
  writeFileSync(join(folder, "lock.1"), "");
  expect(() => lockFolder(folder)).toThrow(LOCKED);
});
