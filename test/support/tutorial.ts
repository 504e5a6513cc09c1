/** Follows a tutorial as a reader does: each block in its order, in one folder. The comment above a block tells how it is run. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { onTestFinished } from "vitest";
import type { CodeBlock } from "./code-blocks.ts";
import { firstDifference } from "./shown-output.ts";

/** How the block is run; undefined where it is not. */
export type Way = "to its end" | "in the background" | "refused";

const WAYS: Readonly<Record<string, Way>> = {
  run: "to its end",
  "run in the background": "in the background",
  "run, and expect a refusal": "refused",
};
/** The line that a server or a device prints when it is at work. */
const AT_WORK = /, ready at |^subscribed at /m;

/** The block has what the one before prints on standard output. */
const OUTPUT = "it prints";
/** Milliseconds for what stays at work to print what the page shows. */
const PRINTED_MS = 30_000;

export const isOutput = ({ mark }: CodeBlock): boolean => mark === OUTPUT;

export const wayOf = ({ mark }: CodeBlock): Way | undefined => WAYS[mark ?? ""];

/**
 * Throws where a block does not end as it must, with status 0, or 1 where a refusal is expected, and where it prints something
 * else than the page shows.
 */
export async function follow(
  blocks: readonly CodeBlock[],
  { cwd, env }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<void> {
  const background: Started[] = [];
  try {
    for (const [i, block] of blocks.entries()) {
      const way = wayOf(block);
      const next = blocks[i + 1];
      const shown = next !== undefined && isOutput(next) ? next.body : undefined;
      if (way === "in the background") {
        const server = await started(block.body, cwd, env);
        background.push(server);
        if (shown !== undefined) await untilPrinted(shown, server);
      } else if (way !== undefined) {
        const printed = toItsEnd(block.body, way === "refused" ? 1 : 0, cwd, env);
        if (shown !== undefined) requireShown(shown, printed);
      }
    }
  } finally {
    // Devices before the servers that they use.
    for (const { child } of background.reverse()) await ended(child);
  }
  const statuses = background.map(({ child }) => child.exitCode);
  if (statuses.some((status) => status !== 0)) throw new Error(`in the background: ${statuses.join(", ")}`);
}

/** Runs a script to its end, which must have the status that is wanted, and returns its standard output. */
export function toItsEnd(body: string, wanted: number, cwd: string, env: NodeJS.ProcessEnv): string {
  const { status, stdout, stderr } = spawnSync("bash", ["-euo", "pipefail", "-c", body], {
    cwd,
    env,
    encoding: "utf8",
  });
  if (status !== wanted) throw new Error(`status ${status}, not ${wanted}: ${body}\n${stdout}${stderr}`);
  return stdout;
}

function requireShown(shown: string, printed: string): void {
  const line = firstDifference(shown, printed);
  if (line !== undefined) throw new Error(`the page shows: ${line}\nprinted was:\n${printed}`);
}

async function untilPrinted(shown: string, { printed }: Started): Promise<void> {
  const end = Date.now() + PRINTED_MS;
  while (firstDifference(shown, printed()) !== undefined && Date.now() < end) await setTimeout(100);
  requireShown(shown, printed());
}

export interface Started {
  readonly child: ChildProcess;
  /** Returns its standard output so far. */
  printed(): string;
}

/** Starts a script in the background, and resolves once its standard output matches `atWork`. */
export async function started(
  body: string,
  cwd: string,
  env: NodeJS.ProcessEnv,
  atWork = AT_WORK,
): Promise<Started> {
  const child = spawn("bash", ["-euc", `exec ${body}`], { cwd, env });
  // Also where the test's time is over before its end.
  onTestFinished(() => void child.kill("SIGKILL"));
  let [said, wrong] = ["", ""];
  child.stderr.setEncoding("utf8").on("data", (text) => {
    wrong += text;
  });
  child.stdout.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  while (!atWork.test(said)) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${body}: ${said}${wrong}`);
    await setTimeout(20);
  }
  return { child, printed: () => said };
}

/** Ends it with SIGTERM, unless it has ended by itself. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  await exit;
}
