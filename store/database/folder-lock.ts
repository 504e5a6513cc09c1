/**
 * One process at a time on a folder. A lock is the file `lock.<n>` with the greatest n, whose owner is a process; it
 * is over when its owner gave it up or is no more, so that kill -9 leaves nothing to clear. Taking over is making
 * `lock.<n+1>`, which only one can do. The greatest is never deleted, or two might take over at once.
 */
import { randomUUID } from "node:crypto";
import {
  linkSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { MikeySakkeError } from "../../base/errors.ts";

interface Owner {
  readonly pid: number;
  /** When the process started, as the system counts it: pids come back. */
  readonly start: string;
  /** The run of the system, in which `start` counts. */
  readonly boot: string;
  /** Pids of another namespace (a container) say nothing here. */
  readonly namespace: string;
}

const NAME = /^lock\.(\d+)$/;

/** Returns what gives the lock up. Throws a usage error STORE_LOCKED that names the owner. */
export function lockFolder(folder: string): () => void {
  for (;;) {
    const last = greatest(folder);
    const owner = last === 0 ? undefined : ownerOf(join(folder, `lock.${last}`));
    if (owner !== undefined) requireGone(folder, last, owner);
    const mine = join(folder, `lock.${last + 1}`);
    if (!create(folder, mine)) continue;
    if (greatest(folder) !== last + 1) {
      // The list was old: others have come and gone since.
      rmSync(mine, { force: true });
      continue;
    }
    for (const n of locks(folder)) if (n <= last) rmSync(join(folder, `lock.${n}`), { force: true });
    // On a disk without room to say so, it is over with this process.
    return () => void attempt(() => replace(folder, mine, ""));
  }
}

function locks(folder: string): number[] {
  return readdirSync(folder).flatMap((name) => {
    const match = NAME.exec(name);
    return match === null ? [] : [Number(match[1])];
  });
}

function greatest(folder: string): number {
  return Math.max(0, ...locks(folder));
}

/** Undefined where nobody owns it: given up, deleted just now, or left unreadable by a crash of the machine. */
function ownerOf(file: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Owner;
  } catch {
    return undefined;
  }
}

function requireGone(folder: string, n: number, owner: Owner): void {
  const here = self();
  if (owner.boot !== here.boot) return;
  if (owner.namespace !== here.namespace) {
    const hint = `process ${owner.pid} of another container uses it, or did: delete ${join(folder, `lock.${n}`)} if it is gone`;
    throw new MikeySakkeError("usage", "STORE_LOCKED", `${folder}: ${hint}`);
  }
  const start = startOf(owner.pid);
  if (start === undefined || start !== owner.start) return;
  throw new MikeySakkeError("usage", "STORE_LOCKED", `${folder}: process ${owner.pid} uses it`);
}

function self(): Owner {
  const { pid } = process;
  return {
    pid,
    start: startOf(pid) ?? "",
    boot: attempt(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()) ?? "",
    namespace: attempt(() => readlinkSync("/proc/self/ns/pid")) ?? "",
  };
}

/** Undefined where there is no such process, or only what its parent has not collected yet. */
function startOf(pid: number): string | undefined {
  if (process.platform !== "linux") return isAlive(pid) ? "" : undefined;
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  // The name in parentheses may hold anything; the state follows it, the start is the 20th after it (proc(5)).
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields === undefined || "ZX".includes(fields[0]!) ? undefined : fields[19];
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Whole or not at all, and only where there is none. */
function create(folder: string, file: string): boolean {
  const whole = join(folder, `new-lock-${randomUUID()}`);
  try {
    writeFileSync(whole, JSON.stringify(self()), { mode: 0o600 });
    linkSync(whole, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(whole, { force: true });
  }
}

function replace(folder: string, file: string, text: string): void {
  const whole = join(folder, `new-lock-${randomUUID()}`);
  try {
    writeFileSync(whole, text, { mode: 0o600 });
    renameSync(whole, file);
  } finally {
    rmSync(whole, { force: true });
  }
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
