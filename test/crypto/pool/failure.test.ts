import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { client, createPool } from "./dist.ts";
import { observedPool } from "./observed.ts";
import { expectAsUnpooled, members, sealAll } from "./sealing.ts";

const faulty = (fault: string, times: number) => [
  ...members(20),
  { uri: `sip:fault-${fault}-${times}@home.example` },
  ...members(20, "later"),
];

describe("a worker that fails", () => {
  it.each(["exit", "error", "uncaught", "trap", "memory"])(
    "by %s is replaced, and its batch is done again",
    async (fault) => {
      const { pool, world, log } = await observedPool();
      const plan = world.plan({ members: faulty(fault, 2) });
      await expectAsUnpooled(world, plan, await sealAll(pool, world, plan, { batchSize: 8 }));
      // Two workers at first, and one for each that was lost.
      expect(new Set((await log("run")).map(({ thread }) => thread)).size).toBeGreaterThanOrEqual(3);
      expect(pool.workers).toBe(2);
    },
  );

  it("by never answering counts as failed after the time limit", async () => {
    const { pool, world } = await observedPool({ timeoutMs: 3000 });
    const plan = world.plan({ members: faulty("hang", 1) });
    await expectAsUnpooled(world, plan, await sealAll(pool, world, plan, { batchSize: 8 }));
  });

  it("is replaced without shared memory as well", async () => {
    const { pool, world } = await observedPool({ shared: false });
    const plan = world.plan({ members: faulty("exit", 1) });
    await expectAsUnpooled(world, plan, await sealAll(pool, world, plan, { batchSize: 8 }));
  });

  it("while it is idle is replaced with the next batch", async () => {
    const { pool, world, log } = await observedPool({ workers: 1 });
    await sealAll(pool, world, world.plan({ members: faulty("later", 1) }));
    await sleep(500);
    const again = world.plan();
    await expectAsUnpooled(world, again, await sealAll(pool, world, again));
    expect(new Set((await log("run")).map(({ thread }) => thread)).size).toBe(2);
  });
});

describe("a batch that no worker survives", () => {
  it("ends its job with an error, after the allowed number of tries", async () => {
    const { pool, world, log } = await observedPool({ redo: 1, workers: 1 });
    const poison = world.plan({ members: faulty("exit", 99).slice(20) });
    const sealing = sealAll(pool, world, poison, { batchSize: 1 });
    await expect(sealing).rejects.toMatchObject({
      kind: "crypto",
      code: "WORKER_FAILED",
      message: "chunk 0 failed with 2 workers: the worker ended with exit code 7",
      cause: new Error("the worker ended with exit code 7"),
    });
    expect(await log("run")).toHaveLength(2);
    const good = world.plan();
    await expectAsUnpooled(world, good, await sealAll(pool, world, good));
  });

  it("does not touch other jobs", async () => {
    const { pool, world } = await observedPool();
    const good = world.plan({ members: members(60) });
    const poison = world.plan({ members: faulty("trap", 99) });
    const [sealed, failed] = await Promise.allSettled([
      sealAll(pool, world, good, { batchSize: 4 }),
      sealAll(pool, world, poison, { batchSize: 4 }),
    ]);
    expect(failed).toMatchObject({ status: "rejected", reason: { code: "WORKER_FAILED" } });
    if (sealed.status === "rejected") throw sealed.reason;
    await expectAsUnpooled(world, good, sealed.value);
  });
});

describe("a pool whose workers do not start", () => {
  const failing = (name: string) => createPool({ workers: 2, workerUrl: new URL(name, import.meta.url) });

  it.each(["./workers/missing.mjs", "./workers/broken.mjs"])("is refused: %s", async (name) => {
    await expect(failing(name)).rejects.toMatchObject({ kind: "crypto", code: "NO_WORKER" });
  });

  it("gives back the memory of the core that it was given", async () => {
    const core = await client.load({ shared: true });
    const first = await createPool({ workers: 1, core });
    await first.destroy();
    const used = core.usedBytes;
    const workerUrl = new URL("./workers/missing.mjs", import.meta.url);
    await expect(createPool({ workers: 2, core, workerUrl })).rejects.toMatchObject({ code: "NO_WORKER" });
    expect(core.usedBytes).toBe(used);
    core.destroy();
  });
});
