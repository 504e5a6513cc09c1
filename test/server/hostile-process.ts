/** A process that attacks servers on loopback, and what a server process takes meanwhile. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const SCRIPT = fileURLToPath(new URL("children/attacker.ts", import.meta.url));

export interface Attack {
  /** Connections that were opened, and that are still open. */
  figures(): Promise<{ readonly opened: number; readonly open: number }>;
  end(): Promise<void>;
}

/** Resolves when all have been opened. The limit of open files is raised as far as the system lets it. */
export async function attack(job: object): Promise<Attack> {
  const command = 'ulimit -n 60000 2>/dev/null || ulimit -n "$(ulimit -Hn)"; exec "$0" "$@"';
  const node = [process.execPath, "--import", "tsx", SCRIPT, JSON.stringify(job)];
  const child = spawn("sh", ["-c", command, ...node], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const exit = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const end = async () => {
    child.stdin.end();
    await exit;
  };
  onTestFinished(end);
  const said = () =>
    new Promise<{ opened: number; open: number }>((resolve) => {
      lines.once("line", (line) => resolve(JSON.parse(line)));
    });
  await said();
  return {
    figures: () => {
      child.stdin.write("\n");
      return said();
    },
    end,
  };
}

/** Resident memory of a process in octets (Linux: proc(5)). */
export function residentMemory(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) * 1024;
}
