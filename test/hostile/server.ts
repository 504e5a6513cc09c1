/** `mikey-sakke serve` from what was built, as a process of its own, with SIP over all transports at both servers. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** The line that the server prints once it listens. */
export interface Listening {
  readonly kmsUri: string;
  readonly kmsUrl: string;
  readonly kmsAdminUrl: string;
  readonly gmsUri: string;
  readonly xcapRoot: string;
  readonly adminUrl: string;
  readonly sip: Readonly<Record<SipWay, string>>;
  readonly mcxUri: string;
  readonly mcxSip: Readonly<Record<SipWay, string>>;
  readonly mcxAdminUrl: string;
  readonly ca: string;
}

export const SIP_WAYS = ["udp", "tcp", "tls", "ws", "wss"] as const;
export type SipWay = (typeof SIP_WAYS)[number];

export interface ServerProcess extends Listening {
  readonly pid: number;
  readonly dataDir: string;
  /** Lines of its log, in JSON; others are what the runtime wrote. */
  lines(): readonly string[];
  isRunning(): boolean;
  /** Rejects with the status and the last lines of the log if the process ends before it is told to. */
  readonly died: Promise<never>;
  /** Resident octets. */
  memory(): Promise<number>;
  /** SIGTERM, and the status or the signal that ended it. */
  stop(): Promise<number | NodeJS.Signals | null>;
  kill(): Promise<void>;
}

/** The MCX server listens on UDP and TCP unless told otherwise. */
const ENVIRONMENT = {
  MIKEY_SAKKE_MCX_SIP_TLS_PORT: "0",
  MIKEY_SAKKE_MCX_SIP_WS_PORT: "0",
  MIKEY_SAKKE_MCX_SIP_WSS_PORT: "0",
};
const STOP_MS = 60_000;

export async function startServer(dataDir: string): Promise<ServerProcess> {
  const args = [MAIN, "serve", "--data-dir", dataDir, "--port", "0", "--json"];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...ENVIRONMENT },
    stdio: ["ignore", "pipe", "pipe"],
  });
  // Should the tests be ended before their time.
  const end = () => void child.kill("SIGKILL");
  process.once("exit", end);
  child.once("exit", () => process.off("exit", end));
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  let said = "";
  for await (const text of child.stdout.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
    said += text;
    if (said.includes("\n")) break;
  }
  child.stdout.resume();
  const pid = child.pid!;
  let isStopping = false;
  const died = new Promise<never>((_, reject) => {
    child.once("exit", (code, signal) => {
      const last = log.trimEnd().split("\n").slice(-20).join("\n");
      if (!isStopping) reject(new Error(`the servers ended with ${code ?? signal}:\n${last}`));
    });
  });
  died.catch(() => undefined);
  const ended = (signal: NodeJS.Signals) => {
    isStopping = true;
    return endOf(child, signal);
  };
  if (!said.includes('"listening"')) throw new Error(`serve: ${said}\n${log}`);
  return {
    ...(JSON.parse(said) as Listening),
    pid,
    dataDir,
    lines: () => log.split("\n").filter((line) => line !== ""),
    isRunning: () => child.exitCode === null && child.signalCode === null,
    died,
    memory: () => residentOctets(pid),
    stop: () => ended("SIGTERM"),
    kill: async () => void (await ended("SIGKILL")),
  };
}

async function residentOctets(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

async function endOf(child: ChildProcess, signal: NodeJS.Signals) {
  if (child.exitCode === null && child.signalCode === null) {
    const exit = once(child, "exit");
    child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await exit;
    clearTimeout(timer);
  }
  return child.exitCode ?? child.signalCode;
}
