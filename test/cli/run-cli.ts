/** Runs the command line tool: inside the test, which is quick, or as a process of its own. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { utf8 } from "../../base/bytes.ts";
import { registerAll } from "../../cli/commands/index.ts";
import { run } from "../../cli/terminal/command.ts";
import { COMMAND } from "./command.ts";

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

export function spawnCli(
  args: readonly string[],
  input: string | Uint8Array = "",
  environment: Readonly<Record<string, string>> = {},
): Promise<Run> {
  return startCli(args, input, environment).ended;
}

export interface Running {
  /** Waits until the text is in standard output or standard error. Gives the standard output; rejects when the process ends first. */
  shows(text: string): Promise<string>;
  kill(signal: NodeJS.Signals): void;
  readonly pid: number;
  readonly ended: Promise<Run & { readonly signal: NodeJS.Signals | null }>;
}

/** Starts a command that goes on until it is stopped. */
export function startCli(
  args: readonly string[],
  input: string | Uint8Array = "",
  environment: Readonly<Record<string, string>> = {},
): Running {
  const env = { ...process.env, ...environment };
  const child = spawn(process.execPath, [...COMMAND, ...args], { env });
  const written = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text) => {
      written[name] += text;
      child.emit("written");
    });
  }
  const ended: Running["ended"] = new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status, signal) => {
      resolve({ status, signal, ...written, json: () => JSON.parse(written.stdout) });
    });
  });
  // The child may end without reading.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  return {
    shows: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if ((written.stdout + written.stderr).includes(text)) resolve(written.stdout);
        };
        look();
        child.on("written", look);
        child.on("close", (status) => {
          reject(new Error(`${args.join(" ")} ended with ${status}:\n${written.stdout}${written.stderr}`));
        });
      }),
    kill: (signal) => void child.kill(signal),
    pid: child.pid!,
    ended,
  };
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
