/** Throughput of the FMA build against the size of a batch. */
import { sample } from "../cli/bench/sampling.ts";
import type { World } from "../cli/bench/world.ts";
import type { BatchPoint } from "./report.ts";

export const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/** Best of `rounds`, the sizes in turn within each. `budget` in ms for each size and round. */
export async function measureBatches(world: World, rounds: number, budget: number): Promise<BatchPoint[]> {
  const best = new Map(BATCH_SIZES.map((size) => [size, { encapsulate: Infinity, seal: Infinity }]));
  const { encryption } = world.domain;
  for (let round = 0; round < rounds; round++) {
    for (const size of BATCH_SIZES) {
      let uids: Uint8Array[] = [];
      let uris: string[] = [];
      const encapsulate = await sample(
        {
          name: "sakke.encapsulate.batch",
          operations: size,
          prepare: () => {
            uids = world.freshUids(size);
          },
          run: () => encryption.encapsulateBatch(uids, world.ssv),
        },
        budget,
      );
      const seal = await sample(
        {
          name: "imessage.seal.batch",
          operations: size,
          prepare: () => {
            uris = world.freshUris(size);
          },
          run: () => world.seal(uris),
        },
        budget,
      );
      const kept = best.get(size)!;
      kept.encapsulate = Math.min(kept.encapsulate, ...encapsulate);
      kept.seal = Math.min(kept.seal, ...seal);
    }
  }
  return Array.from(best, ([size, { encapsulate, seal }]) => ({
    size,
    encapsulate: Math.round(1e6 / encapsulate),
    seal: Math.round(1e6 / seal),
  }));
}
