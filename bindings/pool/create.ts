/** The parts that every pool is made from, whatever its workers do. */

import { MikeySakkeError } from "../../base/errors.ts";
import { type Build, type Core, load } from "../core/core.ts";
import { generatorTable, P256_GENERATOR_TABLE } from "../eccsi/tables.ts";
import { generatorTables, SAKKE_GENERATOR_TABLES } from "../sakke/tables.ts";
import { processors, type WorkerSource } from "./host.ts";
import { type PoolMemory, Scheduler } from "./scheduler.ts";

/** Most members or users of a chunk; bounds the memory of a worker. */
export const MAX_BATCH = 1024;
/** Operands and results of MAX_BATCH members at some 700 octets, and scratch of P-256. */
const OPERAND_BYTES = 2 ** 20;
/** Receivers that share inversions: those of one run through the core. */
const CORE_BATCH = 64;
/** Smaller chunks share inversions among too few. */
const SMALL_CHUNK = 16;
/** Members that the core takes together in either build; what is left over costs as much. */
const LANES = 4;

export interface PoolOptions {
  /** Number of workers. Default: one for each processor. */
  readonly workers?: number;
  /**
   * The core whose tables the workers read, made by `load({ shared: true })`. Without it the pool makes one, and destroys
   * it when it is itself destroyed.
   */
  readonly core?: Core;
  /** Build of the core that the pool makes. Default "auto". */
  readonly build?: Build | "auto";
  /** Whether the core that the pool makes works on shared memory where the host has it. Default true. */
  readonly shared?: boolean;
  /** How many times a chunk is done again after its worker failed. Default 2. */
  readonly redo?: number;
  /** A worker that needs longer for a chunk, or to start, has failed. Default one minute. */
  readonly timeoutMs?: number;
  /** The URL of the worker's file, if a bundler has moved it. */
  readonly workerUrl?: URL;
  /** Told when the workers have started, and after each job. */
  readonly onMemory?: (memory: PoolMemory) => void;
}

/** Starts the workers of a pool. */
export async function startPool(source: WorkerSource, options: PoolOptions): Promise<Scheduler> {
  const { workers = processors(), redo = 2, timeoutMs = 60_000, build = "auto", shared = true } = options;
  const { workerUrl, onMemory } = options;
  requireCount(workers, 1, "workers");
  requireCount(redo, 0, "redo");
  const core = options.core ?? (await load({ build, shared }));
  const setup = {
    core,
    source: workerUrl === undefined ? source : { url: () => workerUrl, web: undefined },
    tables: core.shared ? sharedTables(core) : [],
    regionBytes: core.shared ? regionBytes(core) : 0,
    timeoutMs,
  };
  const scheduler = new Scheduler(setup, { workers, redo, onMemory, ownsCore: options.core === undefined });
  try {
    await scheduler.start();
  } catch (error) {
    await scheduler.destroy();
    throw error;
  }
  return scheduler;
}

/**
 * Cuts `n` members into chunks of at most `batchSize`. For idle workers they get smaller towards the end: then all finish
 * at about the same time, though one may be slower than another. Workers that have other jobs too go on with those, and
 * small chunks would only cost them what members share (2 % for 256 members in batches of 64).
 */
export function cutChunks(
  n: number,
  batchSize: number,
  { workers, busy }: { readonly workers: number; readonly busy: boolean },
): [from: number, to: number][] {
  requireCount(batchSize, 1, "batchSize");
  if (batchSize > MAX_BATCH) throw usage(`batchSize: ${batchSize}, must be at most ${MAX_BATCH}`);
  const chunks: [number, number][] = [];
  for (let from = 0; from < n; ) {
    const share = busy ? batchSize : LANES * Math.ceil((n - from) / (2 * workers - 1) / LANES);
    const to = Math.min(n, from + Math.min(batchSize, Math.max(SMALL_CHUNK, share)));
    chunks.push([from, to]);
    from = to;
  }
  return chunks;
}

function sharedTables(core: Core): [string, number][] {
  const { points, powers } = generatorTables(core);
  const [p, g] = SAKKE_GENERATOR_TABLES;
  return [
    [p, points],
    [g, powers],
    [P256_GENERATOR_TABLE, generatorTable(core)],
  ];
}

/** Room for the largest task of a worker, which is encapsulation. */
function regionBytes(core: Core): number {
  const { wasm } = core;
  const { points } = generatorTables(core);
  return wasm.workspaceBytes() + wasm.sakkeEncapsulateScratch(points, points, CORE_BATCH) + OPERAND_BYTES;
}

function requireCount(value: number, least: number, name: string): void {
  if (!Number.isSafeInteger(value) || value < least)
    throw usage(`${name}: ${value}, must be ${least} or more`);
}

function usage(text: string): MikeySakkeError {
  return new MikeySakkeError("usage", "BAD_OPTION", text);
}
