/**
 * Throughput against workers. On the compiled package, as published: workers are started from files. Node only.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { World } from "../cli/bench/world.ts";
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
  try {
    for (const workers of COUNTS) pools.push(await createPool({ core, workers }));
    const best = pools.map(() => Infinity);
    // The first round warms up each worker and is not kept.
    for (let round = 0; round <= rounds; round++) {
      for (const [i, pool] of pools.entries()) {
        const seconds = await sealAll(client, pool, world, round === 0 ? receivers >> 2 : receivers);
        if (round > 0) best[i] = Math.min(best[i]!, seconds);
      }
    }
    const points = pools.map(({ workers, memory }, i) => ({
      workers,
      receivers,
      seal: Math.round(receivers / best[i]!),
      speedup: Number((best[0]! / best[i]!).toFixed(2)),
      tablesShared: memory.shared,
      tableBytes: memory.tableBytes,
      workerBytes: Math.max(...memory.workers.map(({ bytes }) => bytes)),
    }));
    return { points, notes: [] };
  } finally {
    for (const pool of pools) await pool.destroy();
    world.destroy();
    core.destroy();
  }
}

/** Seconds for all messages of one plan. */
async function sealAll(client: Client, pool: Pool, world: World, receivers: number): Promise<number> {
  const { gms, domain, now } = world;
  const { systemRandom } = client;
  const members = world.freshUris(receivers).map((uri) => ({ uri }));
  const plan = client.planSeal(
    { kind: "GMK", members, parameters: { text: "bench" } },
    { initiator: gms, random: systemRandom, now },
  );
  let sealed = 0;
  const started = performance.now();
  for await (const batch of pool.sealGroup(plan, { initiator: gms, domains: [domain] }))
    sealed += batch.length;
  const seconds = (performance.now() - started) / 1000;
  client.destroyPlan(plan);
  if (sealed !== receivers) throw new Error(`${sealed} of ${receivers} messages`);
  return seconds;
}

/** A module of dist/; its types are those of the source. */
function compiled<T>(path: string): Promise<T> {
  return import(pathToFileURL(join(ROOT, "dist", path)).href) as Promise<T>;
}
