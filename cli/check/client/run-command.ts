/** Starts the client under test by a command of the tester, which learns from its environment where the servers are. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { ClientPlace } from "./over.ts";

/** Milliseconds from SIGTERM to SIGKILL. */
const STOP_MS = 5000;

export interface StartedClient {
  /** Ends the command with all that it has started. */
  stop(): Promise<void>;
}

export interface RunOptions {
  readonly command: string;
  readonly userUri: string;
  readonly place: ClientPlace;
  /** By purpose, as `prepareClientCheck` has them. */
  readonly files: Readonly<Record<string, string>>;
  /** Gets what the client prints. */
  readonly log: string;
  /** When it ends by itself. */
  readonly ended: (status: string) => void;
}

/** The command runs in a shell and in a process group of its own. */
export function runClient({ command, userUri, place, files, log, ended }: RunOptions): StartedClient {
  const out = openSync(log, "w", 0o600);
  const child = spawn(command, {
    shell: true,
    detached: true,
    stdio: ["ignore", out, out],
    env: { ...process.env, ...environmentOf(userUri, place, files) },
  });
  closeSync(out);
  let isStopping = false;
  const exit = new Promise<void>((resolve) => {
    child.once("error", resolve);
    child.once("exit", (status, signal) => {
      if (!isStopping) ended(signal ?? String(status));
      resolve();
    });
  });
  return {
    async stop() {
      isStopping = true;
      signalGroup(child, "SIGTERM");
      const late = setTimeout(() => signalGroup(child, "SIGKILL"), STOP_MS);
      await exit;
      clearTimeout(late);
    },
  };
}

/** The variables that docs/check.md lists. */
export function environmentOf(
  userUri: string,
  { kmsUrl, kmsUri, gmsUri, mcxUri, xcapRoot, group, sip }: ClientPlace,
  files: Readonly<Record<string, string>>,
): Record<string, string> {
  const all = {
    user: userUri,
    "kms-url": kmsUrl,
    "kms-uri": kmsUri,
    "gms-uri": gmsUri,
    ...(mcxUri !== undefined && { "mcx-uri": mcxUri }),
    "xcap-root": xcapRoot,
    group,
    ...Object.fromEntries(Object.entries(sip).map(([transport, uri]) => [`sip-${transport}`, uri])),
    ...files,
  };
  return Object.fromEntries(
    Object.entries(all).map(([name, value]) => [`CHECK_${name.toUpperCase().replaceAll("-", "_")}`, value]),
  );
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // All of them have ended.
  }
}
