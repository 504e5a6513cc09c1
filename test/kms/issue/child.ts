/** A process that issues (children/issue.mjs), seen from the test that kills it. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { DatabaseOptions } from "../../../store/index.ts";
import { PERIOD, STORE_KEY } from "./issuing.ts";

const SCRIPT = fileURLToPath(new URL("children/issue.mjs", import.meta.url));

export interface Issuing {
  /** Resolves when the process has said that so many users' keys are saved, or has ended. */
  saved(count: number): Promise<void>;
  kill(): void;
  /** All that it said, when it has ended. */
  readonly ended: Promise<Told>;
}

export interface Told {
  /** Digest of the keys of a user that were handed over. */
  readonly keys: ReadonlyMap<string, string>;
  /** Users whose keys it said were saved by itself. */
  readonly saved: number;
  readonly finished: boolean;
  /** Kind and code of the error that it ended with. */
  readonly failed: string | undefined;
  readonly errors: string;
}

export function startIssuing(
  database: DatabaseOptions,
  options: { readonly deliver?: boolean } = {},
): Issuing {
  const job = {
    database,
    storeKey: Buffer.from(STORE_KEY).toString("hex"),
    periodNo: PERIOD,
    deliver: options.deliver === true,
  };
  const child = spawn(process.execPath, [SCRIPT, JSON.stringify(job)], { stdio: ["ignore", "pipe", "pipe"] });
  const keys = new Map<string, string>();
  let [saved, finished, rest, errors] = [0, false, "", ""];
  let failed: string | undefined;
  let [wanted, reached] = [Infinity, () => {}];
  const hear = (line: string) => {
    const [what, first = "", second = ""] = line.split(" ");
    if (what === "key") keys.set(first, second);
    if (what === "saved") saved = Number(first);
    if (what === "finished") finished = true;
    if (what === "failed") failed = `${first} ${second}`;
    if (saved >= wanted) reached();
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    lines.forEach(hear);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const ended = new Promise<Told>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => {
      reached();
      resolve({ keys, saved, finished, failed, errors });
    });
  });
  return {
    saved: (count) =>
      new Promise((resolve) => {
        [wanted, reached] = [count, resolve];
        if (saved >= count || child.exitCode !== null || child.signalCode !== null) resolve();
      }),
    kill: () => child.kill("SIGKILL"),
    ended,
  };
}
