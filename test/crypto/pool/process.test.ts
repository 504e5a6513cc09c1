import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** Runs a script that is to end by itself. */
function run(script: string): Promise<{ status: number | null; stdout: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path("./workers/life.mjs"), script], {
      stdio: ["ignore", "pipe", "inherit"],
      timeout: 30_000,
    });
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
    });
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, stdout }));
  });
}

describe("a process with a pool", () => {
  it.each(["destroyed", "destroyed-early", "crashed", "idle"])("ends by itself: %s", async (script) => {
    expect(await run(script)).toEqual({ status: 0, stdout: `${script}\n` });
  });
});
