/** Runs the command line tool: inside the test, which is quick, or as a process of its own. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { utf8 } from "../../bindings/bytes.ts";
import { run } from "../../cli/command.ts";
import { registerAll } from "../../cli/commands/index.ts";

const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));

export interface Run {
  status: number | null;
  stdout: string;
  stderr: string;
  /** Standard output as JSON. */
  json<T = Record<string, unknown>>(): T;
}

export async function runCli(args: readonly string[], input: string | Uint8Array = ""): Promise<Run> {
  const written = { stdout: "", stderr: "" };
  const stream = (name: keyof typeof written) => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  const status = await run(
    args,
    { stdin: chunksOf(input), stdout: stream("stdout"), stderr: stream("stderr") },
    registerAll,
  );
  return { status, ...written, json: () => JSON.parse(written.stdout) };
}

async function* chunksOf(input: string | Uint8Array): AsyncGenerator<Uint8Array> {
  const octets = typeof input === "string" ? utf8(input) : input;
  for (let at = 0; at < octets.length; at += 100) yield octets.subarray(at, at + 100);
}

export function spawnCli(args: readonly string[], input: string | Uint8Array = ""): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", "tsx", MAIN, ...args]);
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (status) => {
      resolve({ status, stdout, stderr, json: () => JSON.parse(stdout) });
    });
    // The child may end without reading.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

/** A folder for one test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "mikey-sakke-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

export function vector(name: string): string {
  return fileURLToPath(new URL(`../vectors/${name}`, import.meta.url));
}
