import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { observedPool } from "./observed.ts";
import { expectAsUnpooled, members, sealAll } from "./sealing.ts";

const REASON = new Error("enough");

describe("back-pressure in a pool", () => {
  it("keeps at most three batches a worker ahead of the consumer", async () => {
    const { pool, world, log } = await observedPool();
    const plan = world.plan({ members: members(80) });
    const batches = pool.sealGroup(plan, world.keys, { batchSize: 4 });
    await batches.next();
    await expect.poll(() => log("run")).toHaveLength(6);
    await sleep(200);
    expect(await log("run")).toHaveLength(6);
    await batches.next();
    await expect.poll(() => log("run")).toHaveLength(7);
    let rest = 0;
    for await (const batch of batches) rest += batch.length;
    expect(rest).toBe(80 - 8);
  });
});

describe("the batches of a pool", () => {
  const sizes = async (batches: AsyncIterable<readonly unknown[]>) => {
    const all: number[] = [];
    for await (const { length } of batches) all.push(length);
    return all;
  };

  it("get smaller towards the end, so that all workers end together, unless another job goes on beside", async () => {
    const { pool, world } = await observedPool();
    const plan = (name: string) => world.plan({ members: members(100, name) });
    const alone = await sizes(pool.sealGroup(plan("a"), world.keys, { batchSize: 32 }));
    expect(alone.reduce((sum, size) => sum + size)).toBe(100);
    expect(alone.at(-2)).toBeLessThan(32);
    const first = pool.sealGroup(plan("b"), world.keys, { batchSize: 32 });
    await first.next();
    expect(await sizes(pool.sealGroup(plan("c"), world.keys, { batchSize: 32 }))).toEqual([32, 32, 32, 4]);
    await first.return();
  });
});

describe("the progress of a pool's job", () => {
  it("counts up to the whole", async () => {
    const { pool, world } = await observedPool();
    const seen: [number, number][] = [];
    const plan = world.plan({ members: members(50) });
    await sealAll(pool, world, plan, { start: 10, batchSize: 10, onProgress: (...now) => seen.push(now) });
    expect(seen.map(([sealed]) => sealed)).toEqual([20, 30, 40, 50]);
    expect(new Set(seen.map(([, total]) => total))).toEqual(new Set([50]));
  });

  it("ends the job with the error of its callback", async () => {
    const { pool, world } = await observedPool();
    const onProgress = () => {
      throw REASON;
    };
    await expect(sealAll(pool, world, world.plan(), { onProgress })).rejects.toBe(REASON);
    expect(await sealAll(pool, world, world.plan())).toHaveLength(3);
  });
});

describe("cancellation of a pool's job", () => {
  it("throws the reason at once, drops what waits, and keeps the workers", async () => {
    const { pool, world, log, hold } = await observedPool();
    const plan = world.plan({ members: members(80) });
    const controller = new AbortController();
    const batches = pool.sealGroup(plan, world.keys, { batchSize: 4, signal: controller.signal });
    const release = await hold();
    const pending = batches.next();
    await expect.poll(async () => (await log("run")).length).toBeGreaterThanOrEqual(2);
    controller.abort(REASON);
    await expect(pending).rejects.toBe(REASON);
    // The workers are not done with what they have; then they forget the job.
    expect(await log("close")).toEqual([]);
    await release();
    await expect.poll(() => log("close")).toHaveLength(2);
    expect((await log("run")).length).toBeLessThanOrEqual(6);
    const again = world.plan({ members: members(9) });
    await expectAsUnpooled(world, again, await sealAll(pool, world, again));
    expect(new Set((await log("run")).map(({ thread }) => thread)).size).toBe(2);
  });

  it("before its start keeps it from starting", async () => {
    const { pool, world, log } = await observedPool();
    const signal = AbortSignal.abort(REASON);
    await expect(sealAll(pool, world, world.plan(), { signal })).rejects.toBe(REASON);
    expect(await log()).toEqual([]);
  });

  it("leaves other jobs alone", async () => {
    const { pool, world } = await observedPool({ delay: 20 });
    const controller = new AbortController();
    const other = world.plan({ members: members(40, "other") });
    const sealing = sealAll(pool, world, other, { batchSize: 4 });
    const stopped = sealAll(pool, world, world.plan({ members: members(40) }), {
      batchSize: 4,
      signal: controller.signal,
      onProgress: () => controller.abort(REASON),
    });
    await expect(stopped).rejects.toBe(REASON);
    await expectAsUnpooled(world, other, await sealing);
  });

  it("happens when the consumer leaves the loop", async () => {
    const { pool, world, log } = await observedPool();
    for await (const _ of pool.sealGroup(world.plan({ members: members(80) }), world.keys, { batchSize: 4 }))
      break;
    await expect.poll(async () => (await log("open")).length - (await log("close")).length).toBe(0);
    expect((await log("run")).length).toBeLessThan(20);
  });
});
