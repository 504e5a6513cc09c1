/** A KMS as a process of its own, `mikey-sakke serve kms`, and what is asked of it on the command line. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { COMMAND } from "../command.ts";
import { type Run, runCli, spawnCli } from "../run-cli.ts";

/** The line that `serve kms --json` prints once it listens. */
export interface Listening {
  readonly status: "listening";
  readonly kmsUri: string;
  readonly url: string;
  readonly adminUrl: string;
  readonly ca: string;
  readonly dataDir: string;
  readonly developmentTokens: boolean;
  readonly pid: number;
}

export interface KmsProcess extends Listening {
  /** Standard error so far. */
  log(): string;
  /** Its exit status, or the signal that ended it. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

/** Starts on any port, unless `args` have one, and ends with the test. */
export async function serveKms(dataDir: string, ...args: readonly string[]): Promise<KmsProcess> {
  const port = args.includes("--port") ? [] : ["--port", "0"];
  const all = ["serve", "kms", "--data-dir", dataDir, ...port, ...args, "--json"];
  const child = spawn(process.execPath, [...COMMAND, ...all]);
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  const end = (signal: NodeJS.Signals) => ended(child, signal);
  onTestFinished(async () => {
    await end("SIGKILL");
  });
  const line = await firstLine(child);
  // An error is an object of several lines.
  if (!line?.startsWith('{"status":"listening"')) throw new Error(`serve kms: ${line}\n${stderr}`);
  return { ...(JSON.parse(line) as Listening), log: () => stderr, end };
}

async function firstLine({ stdout }: ChildProcess): Promise<string | undefined> {
  let text = "";
  for await (const chunk of stdout!.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
    text += chunk;
    if (text.includes("\n")) return text.slice(0, text.indexOf("\n"));
  }
  return undefined;
}

async function ended(child: ChildProcess, signal: NodeJS.Signals) {
  if (child.exitCode === null && child.signalCode === null) {
    const exit = once(child, "exit");
    child.kill(signal);
    await exit;
  }
  return child.exitCode ?? child.signalCode;
}

/** A story waits for many processes. */
export const STORY_MS = 300_000;

/** Runs a command as a process of its own; it must end with 0. */
export async function cliProcess(...args: readonly string[]): Promise<Run> {
  return wellEnded(args, await spawnCli([...args, "--json"]));
}

/** Runs a command within the test, which is quicker; it must end with 0. */
export async function cli(...args: readonly string[]): Promise<Run> {
  return wellEnded(args, await runCli([...args, "--json"]));
}

/** Progress that says that something has been done: "users: 400/4000". */
const BEGUN = /: [1-9]\d*\/\d/;

/** Runs a command and sends SIGINT when it has shown that it goes forward. */
export async function interrupted(
  args: readonly string[],
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [...COMMAND, ...args]);
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    const had = BEGUN.test(stderr);
    stderr += text;
    if (!had && BEGUN.test(stderr)) child.kill("SIGINT");
  });
  const [status] = (await once(child, "close")) as [number | null];
  return { status, stdout, stderr };
}

function wellEnded(args: readonly string[], run: Run): Run {
  if (run.status === 0) return run;
  throw new Error(`mikey-sakke ${args.join(" ")}: ${run.status}\n${run.stdout}${run.stderr}`);
}

/** The arguments of `provision` for a user of a KMS, into a folder beside the KMS's own. */
export function provisionArgs(kms: KmsProcess, user: string, out: string): string[] {
  const access = ["--kms-url", kms.url, "--ca", kms.ca, "--development-token", kms.dataDir];
  return ["provision", ...access, "--user", user, "--out", out];
}

/** Files that `provision --out` writes, as options of `seal` and `open`. */
export function keysIn(folder: string): string[] {
  return ["--cert", join(folder, "kms.xml"), "--keys", join(folder, "keys.xml")];
}
