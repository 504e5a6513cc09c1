/** Runs SIPp with a scenario of ../sipp. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const SIPP = "/usr/bin/sipp";

export interface SippRun {
  /** 0 when every call went as the scenario says. */
  readonly code: number | null;
  /** What it says of errors. */
  readonly errors: string;
}

export async function runSipp(
  scenario: string,
  mode: "u1" | "t1",
  port: number,
  calls: number,
): Promise<SippRun> {
  const folder = await mkdtemp(join(tmpdir(), "sipp-"));
  const errorFile = join(folder, "errors");
  const args = [
    ["-sf", fileURLToPath(new URL(`../sipp/${scenario}.xml`, import.meta.url))],
    ["-i", "127.0.0.1", "-t", mode, "-m", String(calls), "-l", String(calls), "-r", "50"],
    ["-nostdin", "-trace_err", "-error_file", errorFile, "-timeout", "40", "-timeout_error"],
    [`127.0.0.1:${port}`],
  ].flat();
  const child = spawn(SIPP, args, { stdio: "ignore", cwd: folder });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  const errors = await readFile(errorFile, "utf8").catch(() => "");
  await rm(folder, { recursive: true });
  return { code, errors };
}
