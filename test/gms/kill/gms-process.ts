/** A GMS process, seen from the test that kills it. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { GmsJob, Order, Said } from "./protocol.ts";

const SCRIPT = fileURLToPath(new URL("children/gms.ts", import.meta.url));

export interface GmsProcess {
  readonly pid: number;
  /** Rejects when the process ends before. */
  readonly listening: Promise<{ readonly tcp: number; readonly udp: number }>;
  /** Messages that it has sealed and stored. */
  readonly sealed: number;
  /** Resolves to undefined when the process ends before it has answered. Orders are followed one after the other. */
  order(order: Order): Promise<number | undefined>;
  kill(): Promise<void>;
  /** Stands still, with its connections open, until `thaw`. */
  freeze(): void;
  thaw(): void;
  /** Lets it end by itself. */
  stop(): Promise<void>;
}

export function startGmsProcess(job: GmsJob): GmsProcess {
  const args = ["--import", "tsx", SCRIPT, JSON.stringify(job)];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "pipe"] });
  const waiting: { resolve(value: number | undefined): void; reject(error: Error): void }[] = [];
  let [sealed, rest, errors, killed] = [0, "", "", false];
  let heard: (at: { tcp: number; udp: number }) => void;
  let lost: (error: Error) => void;
  const listening = new Promise<{ tcp: number; udp: number }>((resolve, reject) => {
    [heard, lost] = [resolve, reject];
  });
  listening.catch(() => undefined);
  const hear = (said: Said) => {
    if (said.what === "listening") heard(said);
    else if (said.what === "sealed") sealed += said.count;
    else if (said.what === "done") waiting.shift()?.resolve(said.value);
    else waiting.shift()?.reject(new Error(said.error));
  };
  child.stdin.on("error", () => undefined);
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) hear(JSON.parse(line) as Said);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const ended = new Promise<void>((resolve) => {
    child.on("close", (code) => {
      lost(new Error(`it ended with ${code}: ${errors}`));
      for (const { resolve, reject } of waiting.splice(0)) {
        if (killed) resolve(undefined);
        else reject(new Error(`it ended with ${code}: ${errors}`));
      }
      resolve();
    });
  });
  return {
    pid: child.pid!,
    listening,
    get sealed() {
      return sealed;
    },
    order(order) {
      if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(undefined);
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        child.stdin.write(`${JSON.stringify(order)}\n`);
      });
    },
    async kill() {
      killed = true;
      child.kill("SIGKILL");
      await ended;
    },
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    async stop() {
      child.stdin.end();
      await ended;
      if (child.exitCode !== 0) throw new Error(`it ended with ${child.exitCode}: ${errors}`);
    },
  };
}

/** Asks for a rekey again until it is taken, as an operator does: the database may be away, or locked by a process that died. */
export async function rekeyAtLast(gms: GmsProcess): Promise<void> {
  const taken = () =>
    gms.order({ op: "rekey" }).then(
      () => true,
      () => false,
    );
  while (!(await taken())) await new Promise((resolve) => setTimeout(resolve, 100));
}
