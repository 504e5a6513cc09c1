/** Light clients in a process of their own, so that they do not take the time of what is under load. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { DevelopmentIssuer } from "../../roles/server/development-tokens.ts";

export interface ClientsJob {
  /** Port of the GMS for SIP over TCP. */
  readonly port: number;
  readonly issuerJwk: ReturnType<DevelopmentIssuer["exportPrivateJwk"]>;
  /** Numbers of the members that they are. */
  readonly first: number;
  readonly count: number;
  /** Members that do not answer, and that answer 488, once armed. */
  readonly silent: readonly number[];
  readonly refusing: readonly number[];
}

/** Each is answered with ClientsStats: "subscribe" when all have an answer. */
export type ClientsOrder = "subscribe" | "arm" | "stats";

export interface ClientsStats {
  readonly subscribed: number;
  readonly notifies: number;
  readonly withMessage: number;
  readonly accepted: number;
  readonly refusals: readonly (readonly [number, number])[];
}

export interface ClientProcess {
  order(order: ClientsOrder): Promise<ClientsStats>;
  stop(): Promise<void>;
}

const SCRIPT = fileURLToPath(new URL("children/clients.ts", import.meta.url));

export function startClients(job: ClientsJob): ClientProcess {
  const args = ["--import", "tsx", SCRIPT, JSON.stringify(job)];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const waiting: { resolve(stats: ClientsStats): void; reject(error: Error): void }[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    waiting.shift()?.resolve(JSON.parse(line) as ClientsStats);
  });
  child.stdin.on("error", () => undefined);
  const ended = new Promise<void>((resolve) => {
    child.on("close", (code) => {
      for (const { reject } of waiting.splice(0)) reject(new Error(`the clients ended with ${code}`));
      resolve();
    });
  });
  return {
    order: (order) =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        child.stdin.write(`${order}\n`);
      }),
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}
