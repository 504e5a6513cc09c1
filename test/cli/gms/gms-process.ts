/** `mikey-sakke serve` and `serve gms` as processes of their own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { onTestFinished } from "vitest";
import { COMMAND } from "../command.ts";

/** The line that the servers print once they listen. */
export interface GmsListening {
  readonly status: "listening";
  readonly kmsUri: string;
  readonly kmsUrl: string;
  readonly gmsUri: string;
  readonly xcapRoot: string;
  readonly sip: Readonly<Record<string, string>>;
  readonly adminUrl: string;
  readonly dataDir: string;
  readonly ca: string;
  readonly pid: number;
}

export interface GmsProcess extends GmsListening {
  log(): string;
  /** Its exit status, or the signal that ended it. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

export interface Client {
  /** The first event of which that is true; those of before count. */
  event(wanted: (event: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

/** Workers run from what was built, and here the sources do. */
const ENVIRONMENT = { ...process.env, MIKEY_SAKKE_GMS_WORKERS: "0" };

/** A story waits for many processes. */
export const STORY_MS = 300_000;

/** Starts on any ports, unless `args` have one, and ends with the test. */
export async function serve(
  dataDir: string,
  args: readonly string[] = [],
  environment: Record<string, string> = {},
): Promise<GmsProcess> {
  const [what, rest] = args[0] === "gms" ? [["serve", "gms"], args.slice(1)] : [["serve"], args];
  const all = [...what, "--data-dir", dataDir, "--port", "0", ...rest, "--json"];
  const child = start(all, environment);
  let [stdout, stderr] = ["", ""];
  child.stderr!.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  const isListening = await new Promise<boolean>((resolve) => {
    child.stdout!.setEncoding("utf8").on("data", (text) => {
      stdout += text;
      if (/^\{"status":"listening".*\n/.test(stdout)) resolve(true);
    });
    child.once("close", () => resolve(false));
  });
  if (!isListening) throw new Error(`${all.join(" ")}: ${stdout}\n${stderr}`);
  const said = JSON.parse(stdout.slice(0, stdout.indexOf("\n"))) as GmsListening;
  return { ...said, log: () => stderr, end: (signal) => ended(child, signal) };
}

/** `client run` of a user, on the servers of a folder; ends with the test. */
export function runClient(dataDir: string, user: string, ...args: readonly string[]): Client {
  const child = start(["client", "run", "--local", dataDir, "--user", user, ...args, "--json"], {});
  child.stderr!.resume();
  const events: Record<string, unknown>[] = [];
  let woken = () => {};
  let over = false;
  void (async () => {
    let rest = "";
    for await (const chunk of child.stdout!.setEncoding("utf8")) {
      rest += chunk;
      const lines = rest.split("\n");
      rest = lines.pop()!;
      for (const line of lines) events.push(JSON.parse(line));
      woken();
    }
    over = true;
    woken();
  })();
  return {
    async event(wanted) {
      for (;;) {
        const found = events.find(wanted);
        if (found !== undefined) return found;
        if (over) throw new Error(`client run ended: ${JSON.stringify(events, null, 1)}`);
        await new Promise<void>((resolve) => {
          woken = resolve;
        });
      }
    },
    end: (signal) => ended(child, signal),
  };
}

function start(args: readonly string[], environment: Record<string, string>): ChildProcess {
  const env = { ...ENVIRONMENT, ...environment };
  const child = spawn(process.execPath, [...COMMAND, ...args], { env });
  onTestFinished(async () => {
    await ended(child, "SIGKILL");
  });
  return child;
}

async function ended(child: ChildProcess, signal: NodeJS.Signals) {
  if (child.exitCode === null && child.signalCode === null) {
    const exit = once(child, "exit");
    child.kill(signal);
    await exit;
  }
  return child.exitCode ?? child.signalCode;
}
