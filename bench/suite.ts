/** A whole run, the same in Node and in a browser. */
import type { Build, Core } from "../bindings/core/core.ts";
import { load, MikeySakkeError, SakkeReceiver } from "../bindings/index.ts";
import type { Row } from "../cli/bench/row.ts";
import { packageRows } from "../cli/bench/rows.ts";
import { rounded } from "../cli/bench/sampling.ts";
import { World } from "../cli/bench/world.ts";
import { SAKKE } from "../test/crypto/reference/params.ts";
import { baselineRows, products, requireAgreement } from "./baseline.ts";
import { issueRow, measureStart, type Start } from "./core-rows.ts";
import { gmpRows } from "./gmp.ts";
import { Kernel } from "./kernel.ts";
import { nobleRows, requireNobleAgreement } from "./noble.ts";
import type { BatchPoint } from "./report.ts";
import { type Contender, type Effort, measure, type Samples } from "./rounds.ts";
import { measureBatches } from "./scaling.ts";

/** Under 120 s and 25 s on a Zen 3 core at 2.4 GHz. */
export const FULL: SuiteEffort = {
  rounds: 12,
  budget: 30,
  seconds: 60,
  starts: 3,
  batchRounds: 3,
  batchBudget: 50,
  receivers: 2000,
  poolRounds: 14,
};
export const QUICK: SuiteEffort = {
  rounds: 2,
  budget: 5,
  seconds: 10,
  starts: 1,
  batchRounds: 1,
  batchBudget: 1,
  receivers: 400,
  poolRounds: 1,
};

export interface SuiteEffort extends Effort {
  readonly starts: number;
  readonly batchRounds: number;
  readonly batchBudget: number;
  /** Receivers in each run of the pool, see workers.ts. */
  readonly receivers: number;
  readonly poolRounds: number;
}

export interface SuiteResult {
  readonly build: Build;
  readonly samples: Samples;
  readonly start: Partial<Record<Build, Start>>;
  readonly preparedBytes: Partial<Record<Build, number>>;
  readonly batches: readonly BatchPoint[];
  readonly notes: readonly string[];
}

/** Gives the binary of assembly/bench.ts for a build. */
export type KernelSource = (build: Build) => Promise<Uint8Array>;

/** Runs everything that needs one thread only. Throws when the core, the reference and the other libraries do not agree. */
export async function runSuite(
  kernelOf: KernelSource,
  effort: SuiteEffort,
  progress: (text: string) => void,
): Promise<SuiteResult> {
  const notes: string[] = [];
  const cores = new Map<Build, Core>();
  for (const build of ["fma", "simd"] as const) {
    try {
      cores.set(build, await load({ build }));
    } catch (error) {
      if (!(error instanceof MikeySakkeError)) throw error;
      notes.push(`The ${build} build does not run here: ${error.message}.`);
    }
  }
  const worlds = new Map(Array.from(cores, ([build, core]) => [build, new World(core)]));
  const contenders: Partial<Record<Contender, Row[]>> = {};
  for (const [build, world] of worlds) {
    requireAgreement(world);
    requireNobleAgreement(world.core);
    const [message] = await world.seal([world.memberKeys.userUri]);
    const kernel = await Kernel.load(await kernelOf(build));
    requireProduct(kernel);
    contenders[build] = [kernel.row(), issueRow(world), ...packageRows(world, message!.octets)];
    contenders.bigint ??= baselineRows(world, message!.octets);
    contenders.noble ??= nobleRows(world);
  }
  contenders.gmp = await gmpRows();
  const samples = await measure(contenders, effort, (round) =>
    progress(`round ${round} of ${effort.rounds}`),
  );
  const start: Partial<Record<Build, Start>> = {};
  for (const [build, world] of worlds) {
    progress(`start of the ${build} build`);
    start[build] = await bestStart(world, build, effort.starts);
  }
  const preparedBytes = Object.fromEntries(
    Array.from(cores, ([build, core]) => [build, SakkeReceiver.preparedBytes(core)]),
  );
  progress("batch sizes");
  const [build, first] = worlds.entries().next().value!;
  const batches = await measureBatches(first, effort.batchRounds, effort.batchBudget);
  for (const world of worlds.values()) world.destroy();
  for (const core of cores.values()) core.destroy();
  return { build, samples, start, preparedBytes, batches, notes };
}

function requireProduct(kernel: Kernel): void {
  kernel.steps.multiply(3);
  if (kernel.value !== products(SAKKE.Px, SAKKE.Py, 3)) {
    throw new Error("the kernel and the reference disagree");
  }
}

/** The best of each time. */
async function bestStart(world: World, build: Build, times: number): Promise<Start> {
  let best: Start | undefined;
  for (let i = 0; i < times; i++) {
    const next = await measureStart(world, build);
    best = {
      ...next,
      loadMs: rounded(Math.min(next.loadMs, best?.loadMs ?? Infinity)),
      tablesMs: rounded(Math.min(next.tablesMs, best?.tablesMs ?? Infinity)),
      nextKmsMs: rounded(Math.min(next.nextKmsMs, best?.nextKmsMs ?? Infinity)),
    };
  }
  return best!;
}
