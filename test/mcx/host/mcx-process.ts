/** A process of an MCX server, seen from the test that kills it. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface McxJob {
  readonly databaseUrl: string;
  /** UDP and TCP. */
  readonly port: number;
  readonly members: readonly string[];
  readonly trustedProxies: readonly string[];
}

export type McxSaid =
  | { readonly what: "listening" }
  | { readonly what: "state"; readonly calls: number; readonly totals: Readonly<Record<string, number>> };

export interface McxProcess {
  /** Calls that it serves, and what it has counted. */
  state(): Promise<{ readonly calls: number; readonly totals: Readonly<Record<string, number>> }>;
  kill(): Promise<void>;
  /** Stands still, with its connections open, until `thaw`. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

const SCRIPT = fileURLToPath(new URL("children/mcx.ts", import.meta.url));

/** Resolves when it listens. */
export async function startMcxProcess(job: McxJob): Promise<McxProcess> {
  const child = fork(SCRIPT, [JSON.stringify(job)], { execArgv: ["--import", "tsx"] });
  const ended = new Promise<void>((resolve) => void child.once("exit", () => resolve()));
  const said = (what: McxSaid["what"]) =>
    new Promise<McxSaid>((resolve, reject) => {
      const hear = (message: unknown) => {
        if ((message as McxSaid).what !== what) return;
        child.off("message", hear);
        resolve(message as McxSaid);
      };
      child.on("message", hear);
      void ended.then(() => reject(new Error(`it ended with ${child.exitCode ?? child.signalCode}`)));
    });
  await said("listening");
  return {
    async state() {
      const answer = said("state");
      child.send("state");
      return (await answer) as Extract<McxSaid, { what: "state" }>;
    },
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    async stop() {
      child.send("stop");
      await ended;
    },
  };
}
