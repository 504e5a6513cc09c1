/** A pool whose workers write down what becomes of them: workers/observed.mjs. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Pool, PoolOptions } from "../../../bindings/pool/index.ts";
import { createPool } from "./dist.ts";
import { type PoolWorld, poolWorld } from "./sealing.ts";

export interface LogEntry {
  readonly event: "open" | "run" | "close";
  readonly thread: number;
  readonly before: { readonly key: boolean; readonly ssk: boolean; readonly rsk: number };
  readonly cleared: { readonly key: boolean; readonly ssk: boolean };
  readonly members: number;
}

export interface Observed {
  readonly pool: Pool;
  readonly world: PoolWorld;
  /** Keeps the chunks that are begun from now on at work until the function that it returns is called. */
  hold(): Promise<() => Promise<void>>;
  /** Returns the entries that the workers have written so far. */
  log(event?: LogEntry["event"]): Promise<LogEntry[]>;
}

/** Ends with the test. `delay`: milliseconds that each chunk takes longer. */
export async function observedPool(options: PoolOptions & { delay?: number } = {}): Promise<Observed> {
  const { delay = 0, ...rest } = options;
  const folder = await mkdtemp(join(tmpdir(), "mikey-sakke-pool-"));
  // Each worker gets a copy of the environment as it is now.
  process.env.POOL_TEST_FOLDER = folder;
  process.env.POOL_TEST_DELAY = `${delay}`;
  const workerUrl = new URL("./workers/observed.mjs", import.meta.url);
  const pool = await createPool({ workers: 2, workerUrl, ...rest });
  onTestFinished(async () => {
    await pool.destroy();
    await rm(folder, { recursive: true });
  });
  return {
    pool,
    world: poolWorld(pool.core),
    async hold() {
      const gate = join(folder, "gate");
      await writeFile(gate, "");
      return () => rm(gate);
    },
    async log(event) {
      const text = await readFile(join(folder, "log"), "utf8").catch(() => "");
      const entries = text.split("\n").filter(Boolean);
      return entries.map((line) => JSON.parse(line) as LogEntry).filter((e) => !event || e.event === event);
    },
  };
}
