/**
 * Throughput against workers. On the compiled package, as published: workers are started from files. Node only.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { timing } from "../cli/bench/sampling.ts";
import type { World } from "../cli/bench/world.ts";
import { Ceiling } from "./ceiling.ts";
import { ROOT } from "./compile.ts";
import type { WorkersPoint } from "./report.ts";

export interface WorkersResult {
  readonly points: readonly WorkersPoint[];
  readonly notes: readonly string[];
}

const COUNTS = [1, 2];

type Client = typeof import("../bindings/index.ts");
type Pools = typeof import("../bindings/pool/index.ts");
type Worlds = typeof import("../cli/bench/world.ts");
type Pool = Awaited<ReturnType<Pools["createPool"]>>;

/** Nothing but a note where dist/ was not built. The pools take turns in each round; all work on one core's tables. */
export async function measureWorkers(receivers: number, rounds: number): Promise<WorkersResult> {
  if (!existsSync(join(ROOT, "dist/cli/bench/world.js"))) {
    return { points: [], notes: ["No throughput against workers: run npm run build first."] };
  }
  const client = await compiled<Client>("bindings/index.js");
  const { createPool } = await compiled<Pools>("bindings/pool/index.js");
  const { World } = await compiled<Worlds>("cli/bench/world.js");
  const core = await client.load({ shared: true });
  const world = new World(core);
  const pools: Pool[] = [];
  const ceiling = new Ceiling(Math.max(...COUNTS));
  try {
    for (const workers of COUNTS) pools.push(await createPool({ core, workers }));
    const runs: Run[][] = pools.map(() => []);
    const loops: number[][] = pools.map(() => []);
    // The first round warms up each worker and is not kept.
    for (let round = 0; round <= rounds; round++) {
      for (const [i, pool] of pools.entries()) {
        const run = await sealAll(client, pool, world, round === 0 ? receivers >> 2 : receivers);
        const loop = await ceiling.run(pool.workers);
        if (round === 0) continue;
        runs[i]!.push(run);
        loops[i]!.push(loop);
      }
    }
    const best = runs.map((all) => Math.min(...all.map(({ seconds }) => seconds)));
    const points = pools.map(({ workers, memory }, i) => ({
      workers,
      receivers,
      seal: Math.round(receivers / best[i]!),
      speedup: rounded2(best[0]! / best[i]!),
      medianSpeedup: rounded2(timing(runs[i]!.map((run, at) => runs[0]![at]!.seconds / run.seconds)).median),
      busyCores: rounded2(timing(runs[i]!.map(({ seconds, busy }) => busy / seconds)).median),
      machineSpeedup: rounded2(timing(loops[i]!.map((s, at) => (workers * loops[0]![at]!) / s)).median),
      tablesShared: memory.shared,
      tableBytes: memory.tableBytes,
      workerBytes: Math.max(...memory.workers.map(({ bytes }) => bytes)),
    }));
    return { points, notes: [] };
  } finally {
    await ceiling.destroy();
    for (const pool of pools) await pool.destroy();
    world.destroy();
    core.destroy();
  }
}

interface Run {
  readonly seconds: number;
  /** Processor time of this thread and of all workers, in seconds. */
  readonly busy: number;
}

/** All messages of one plan. */
async function sealAll(client: Client, pool: Pool, world: World, receivers: number): Promise<Run> {
  const { gms, domain, now } = world;
  const { systemRandom } = client;
  const members = world.freshUris(receivers).map((uri) => ({ uri }));
  const plan = client.planSeal(
    { kind: "GMK", members, parameters: { text: "bench" } },
    { initiator: gms, random: systemRandom, now },
  );
  let sealed = 0;
  const before = process.cpuUsage();
  const started = performance.now();
  for await (const batch of pool.sealGroup(plan, { initiator: gms, domains: [domain] }))
    sealed += batch.length;
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(before);
  client.destroyPlan(plan);
  if (sealed !== receivers) throw new Error(`${sealed} of ${receivers} messages`);
  return { seconds, busy: (user + system) / 1e6 };
}

function rounded2(value: number): number {
  return Number(value.toFixed(2));
}

/** A module of dist/; its types are those of the source. */
function compiled<T>(path: string): Promise<T> {
  return import(pathToFileURL(join(ROOT, "dist", path)).href) as Promise<T>;
}
