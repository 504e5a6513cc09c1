/** Runs SIPp with a scenario. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const SIPP = "/usr/bin/sipp";

export interface SippRun {
  /** 0 when every call went as the scenario says. */
  readonly code: number | null;
  /** The errors that SIPp reports. */
  readonly errors: string;
  /** Lines that the scenario logs, one for each `<log>`. */
  readonly log: readonly string[];
}

export interface SippOptions {
  readonly mode: "u1" | "t1";
  /** Port of the other end, on loopback. */
  readonly port: number;
  readonly calls: number;
  /** Values of [field0], [field1] ... for one call after the other. */
  readonly fields?: readonly (readonly string[])[];
  /** Values of other words in brackets. */
  readonly words?: Readonly<Record<string, string>>;
  /** Contents of what `[file name=...]` names. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
  /** User and password for `[authentication]`. */
  readonly login?: { readonly user: string; readonly password: string };
}

export async function runSipp(scenario: URL, options: SippOptions): Promise<SippRun> {
  const { mode, port, calls, fields, words = {}, files = {}, login } = options;
  const folder = await mkdtemp(join(tmpdir(), "sipp-"));
  const errorFile = join(folder, "errors");
  const logFile = join(folder, "log");
  const rowFile = join(folder, "fields");
  const rows = fields?.map((row) => row.join(";")) ?? [];
  await writeFile(rowFile, `SEQUENTIAL\n${rows.join("\n")}\n`);
  for (const [name, octets] of Object.entries(files)) await writeFile(join(folder, name), octets);
  const args = [
    ["-sf", fileURLToPath(scenario)],
    fields === undefined ? [] : ["-inf", rowFile],
    ["-i", "127.0.0.1", "-t", mode, "-m", String(calls), "-l", String(calls), "-r", "50"],
    Object.entries(words).flatMap(([word, value]) => ["-key", word, value]),
    login === undefined ? [] : ["-au", login.user, "-ap", login.password],
    ["-trace_logs", "-log_file", logFile],
    ["-nostdin", "-trace_err", "-error_file", errorFile, "-timeout", "40", "-timeout_error"],
    [`127.0.0.1:${port}`],
  ].flat();
  const child = spawn(SIPP, args, { stdio: "ignore", cwd: folder });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  const errors = await readFile(errorFile, "utf8").catch(() => "");
  const logged = await readFile(logFile, "utf8").catch(() => "");
  await rm(folder, { recursive: true });
  return { code, errors, log: logged.split("\n").filter((line) => line !== "") };
}
