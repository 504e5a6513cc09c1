/**
 * Measures how long `mikey-sakke serve` takes until it listens, and what it holds when nothing happens. Needs dist/;
 * Linux.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pause } from "../base/deadline.ts";
import { ROOT } from "./compile.ts";

/** Ms without work before memory is looked at: what only a start needs is given back by then. */
const IDLE_MS = 10_000;

export interface ServerStart {
  /** Seconds until a server on a new data folder listens, which makes database, keys and certificates. */
  readonly firstSeconds: number;
  /** Seconds until the next one on that folder does. */
  readonly laterSeconds: number;
  /** Octets resident after IDLE_MS without requests. */
  readonly idleBytes: number;
}

interface Started {
  readonly seconds: number;
  readonly idleBytes: number;
}

export async function measureServerStart(): Promise<ServerStart> {
  const folder = mkdtempSync(join(tmpdir(), "mikey-sakke-start-"));
  try {
    const first = await start(folder, 0);
    const later = await start(folder, IDLE_MS);
    return { firstSeconds: first.seconds, laterSeconds: later.seconds, idleBytes: later.idleBytes };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function start(folder: string, idleMs: number): Promise<Started> {
  const ports = ["--port", "0", "--sip-port", "0", "--console-port", "0"];
  const options = ["--data-dir", folder, "--json", "--log-level", "error", ...ports];
  const started = performance.now();
  const server = spawn(process.execPath, [join(ROOT, "dist/cli/main.js"), "serve", ...options], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(server, "close");
  try {
    const listening = await Promise.race([
      once(server.stdout, "data").then(() => true),
      ended.then(() => false),
    ]);
    if (!listening) throw new Error(`mikey-sakke serve ended with status ${server.exitCode}`);
    const seconds = (performance.now() - started) / 1000;
    await pause(idleMs);
    return { seconds, idleBytes: residentBytes(server.pid!) };
  } finally {
    server.kill("SIGTERM");
    await ended;
  }
}

/** proc(5): VmRSS is in kB. */
function residentBytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  if (kilobytes === undefined) throw new Error(`no VmRSS of process ${pid}`);
  return 1024 * Number(kilobytes);
}
