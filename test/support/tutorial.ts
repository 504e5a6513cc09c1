/** Follows a tutorial as a reader does: each block in its order, in one folder. The comment above a block tells how it is run. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { onTestFinished } from "vitest";
import type { CodeBlock } from "./code-blocks.ts";

/** How the block is run; undefined where it is not. */
export type Way = "to its end" | "in the background" | "refused";

const WAYS: Readonly<Record<string, Way>> = {
  run: "to its end",
  "run in the background": "in the background",
  "run, and expect a refusal": "refused",
};
/** What a server or a device prints when it is at work. */
const AT_WORK = /, ready at |^subscribed at /m;

export const wayOf = ({ mark }: CodeBlock): Way | undefined => WAYS[mark ?? ""];

/** Throws where a block does not end as it must: with status 0, or 1 where a refusal is expected. */
export async function follow(
  blocks: readonly CodeBlock[],
  { cwd, env }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<void> {
  const background: ChildProcess[] = [];
  try {
    for (const block of blocks) {
      const way = wayOf(block);
      if (way === "in the background") background.push(await started(block.body, cwd, env));
      else if (way !== undefined) toItsEnd(block.body, way === "refused" ? 1 : 0, cwd, env);
    }
  } finally {
    // Devices before the servers that they use.
    for (const child of background.reverse()) await ended(child);
  }
  const statuses = background.map(({ exitCode }) => exitCode);
  if (statuses.some((status) => status !== 0)) throw new Error(`in the background: ${statuses.join(", ")}`);
}

function toItsEnd(body: string, wanted: number, cwd: string, env: NodeJS.ProcessEnv): void {
  const { status, stdout, stderr } = spawnSync("bash", ["-euo", "pipefail", "-c", body], {
    cwd,
    env,
    encoding: "utf8",
  });
  if (status !== wanted) throw new Error(`status ${status}, not ${wanted}: ${body}\n${stdout}${stderr}`);
}

async function started(body: string, cwd: string, env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const child = spawn("bash", ["-euc", `exec ${body}`], { cwd, env });
  // Also where the test's time is over before its end.
  onTestFinished(() => void child.kill("SIGKILL"));
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  for await (const text of child.stdout.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
    said += text;
    if (AT_WORK.test(said)) return child;
  }
  throw new Error(`${body}: ${said}`);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  await exit;
}
