import { describe, expect, it, vi } from "vitest";
import type { Core } from "../../../bindings/index.ts";
import type { PoolMemory } from "../../../bindings/pool/index.ts";
import { client, createPool } from "./dist.ts";
import { observedPool } from "./observed.ts";
import { members, poolWorld, sealAll } from "./sealing.ts";

const memoryOf = (core: Core) => new Uint8Array(core.memory.buffer);
const holds = (core: Core, secret: Uint8Array) => Buffer.from(memoryOf(core)).includes(Buffer.from(secret));

describe("the secrets of a pool", () => {
  it("are sent to workers with a batch, without the RSK, and are cleared when the job ends", async () => {
    const { pool, world, log } = await observedPool({ workers: 2 });
    await sealAll(pool, world, world.plan({ members: members(1) }));
    await expect.poll(() => log("close")).toHaveLength(1);
    const [open, run, close] = await log();
    expect(open).toMatchObject({ event: "open", before: { key: true, ssk: true, rsk: 0 } });
    expect(run).toMatchObject({ event: "run", members: 1 });
    expect(close).toMatchObject({ event: "close", cleared: { key: true, ssk: true } });
  });

  it("are cleared in the workers when the pool is destroyed during a job", async () => {
    const { pool, world, log } = await observedPool({ delay: 50 });
    const batches = pool.sealGroup(world.plan({ members: members(80) }), world.keys, { batchSize: 4 });
    await batches.next();
    const next = batches.next().then(() => batches.next());
    await Promise.all([
      expect(next).rejects.toMatchObject({ kind: "usage", code: "DESTROYED" }),
      pool.destroy(),
    ]);
    const closed = await log("close");
    expect(closed).toHaveLength((await log("open")).length);
    for (const { cleared } of closed) expect(cleared).toEqual({ key: true, ssk: true });
  });

  it("are not left in shared memory, not even by a worker that crashed", async () => {
    const core = await client.load({ shared: true });
    const { pool } = await observedPool({ core, redo: 0 });
    const world = poolWorld(core);
    const { ssk } = world.keySet("sip:gms@home.example");
    const used = core.usedBytes;
    const plan = world.plan({ members: [...members(30), { uri: "sip:fault-memory-1@home.example" }] });
    await expect(sealAll(pool, world, plan, { batchSize: 4 })).rejects.toMatchObject({
      code: "WORKER_FAILED",
    });
    await sealAll(pool, world, plan);
    expect(holds(core, plan.key)).toBe(false);
    expect(holds(core, ssk)).toBe(false);
    await pool.destroy();
    expect(core.usedBytes).toBeLessThan(used);
    core.destroy();
    expect(memoryOf(core).every((octet) => octet === 0)).toBe(true);
  });

  it("leave the memory of a core as it was when the pool is gone", async () => {
    const core = await client.load({ shared: true });
    const world = poolWorld(core);
    // Makes the tables that stay.
    await (await createPool({ workers: 1, core })).destroy();
    const before = memoryOf(core).slice();
    const pool = await createPool({ workers: 2, core });
    await sealAll(pool, world, world.plan({ members: members(40) }));
    await pool.destroy();
    const after = memoryOf(core);
    expect(Buffer.compare(after.subarray(0, before.length), before)).toBe(0);
    expect(after.subarray(before.length).every((octet) => octet === 0)).toBe(true);
    core.destroy();
  });
});

describe("the tables of a pool", () => {
  it("stay for a job although the KMS domain is destroyed meanwhile, and are freed after it", async () => {
    const { pool, world, log } = await observedPool({ delay: 20 });
    const before = pool.memory.tableBytes;
    const plan = world.plan({ members: members(40) });
    const batches = pool.sealGroup(plan, world.keys, { batchSize: 4 });
    const messages = (await batches.next()).value ?? [];
    const expected = await client.sealSlice(plan, { ...world.keys, random: client.systemRandom });
    world.domain.destroy();
    expect(pool.memory.tableBytes).toBe(before);
    for await (const batch of batches) messages.push(...batch);
    messages.forEach(({ octets }, i) => {
      expect(octets.subarray(0, -129)).toEqual(expected[i]!.octets.subarray(0, -129));
    });
    await expect.poll(async () => (await log("open")).length - (await log("close")).length).toBe(0);
    await expect.poll(() => pool.memory.tableBytes).toBeLessThan(before);
  });
});

describe("the reported memory of a pool", () => {
  it("counts tables once where memory is shared", async () => {
    const told: PoolMemory[] = [];
    const { pool, world } = await observedPool({ onMemory: (memory) => told.push(memory) });
    await sealAll(pool, world, world.plan());
    expect(told).toHaveLength(2);
    expect(told.at(-1)).toEqual(pool.memory);
    const { shared, tableBytes, workers } = pool.memory;
    expect(shared).toBe(true);
    expect(tableBytes).toBe(pool.core.tables.bytes);
    expect(workers).toHaveLength(2);
    for (const worker of workers) {
      expect(worker.tableBytes).toBe(0);
      expect(worker.bytes).toBeGreaterThan(2 ** 20);
      expect(worker.bytes).toBeLessThan(16 * 2 ** 20);
    }
  });

  it("counts tables in each worker where it is not shared", async () => {
    const { pool, world } = await observedPool({ shared: false });
    await sealAll(pool, world, world.plan({ members: members(20) }));
    const { shared, tableBytes, workers } = pool.memory;
    expect(shared).toBe(false);
    for (const worker of workers) {
      expect(worker.tableBytes).toBe(tableBytes);
      expect(worker.bytes).toBeGreaterThan(tableBytes);
    }
  });

  it("is that of one module for all workers", async () => {
    const compile = vi.spyOn(WebAssembly, "compile");
    const pool = await createPool({ workers: 2 });
    expect(compile).toHaveBeenCalledTimes(1);
    compile.mockRestore();
    await pool.destroy();
  });
});

describe("destroying a pool", () => {
  it("may be repeated, and leaves nothing that could be used", async () => {
    const { pool, world } = await observedPool();
    const plan = world.plan();
    await Promise.all([pool.destroy(), pool.destroy()]);
    await pool.destroy();
    await expect(sealAll(pool, world, plan)).rejects.toMatchObject({ kind: "usage", code: "DESTROYED" });
    expect(() => pool.core.requireAlive()).toThrow(client.MikeySakkeError);
  });

  it("leaves the core that the pool was given alone", async () => {
    const core = await client.load({ shared: true });
    await (await createPool({ workers: 1, core })).destroy();
    core.requireAlive();
    core.destroy();
  });
});
