/** File systems of a test's own, where the user that runs the tests may mount. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, onTestFinished } from "vitest";

const mount = (...args: string[]) => execFileSync("mount", args, { stdio: "pipe" });
const unmount = (folder: string) => execFileSync("umount", ["--lazy", folder], { stdio: "pipe" });

function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "mount-"));
  try {
    mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", folder);
    unmount(folder);
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(folder);
  }
}

/** Describes tests that mount; they are skipped with a line where that is not permitted, as in most containers. */
export function describeWithMounts(name: string, tests: () => void): void {
  if (mayMount()) {
    describe(name, tests);
    return;
  }
  console.warn(`skipped: ${name}: mounting is not permitted here`);
  describe.skip(name, tests);
}

/** Mounts an empty disk of that many octets until the test is over. Returns its path. */
export function smallDisk(octets: number): string {
  return mounted("-t", "tmpfs", "-o", `size=${octets}`, "tmpfs");
}

/** Mounts the folder under another path, where nothing may be written, until the test is over. Returns that path. */
export function readOnly(folder: string): string {
  const view = mounted("--bind", folder);
  mount("-o", "remount,bind,ro", view);
  return view;
}

function mounted(...args: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "mount-"));
  mount(...args, folder);
  onTestFinished(() => {
    unmount(folder);
    rmdirSync(folder);
  });
  return folder;
}
