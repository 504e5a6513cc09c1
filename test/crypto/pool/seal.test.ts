import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Pool } from "../../../bindings/pool/index.ts";
import { seededRandom } from "../../support/random.ts";
import { client, createPool, MAX_BATCH } from "./dist.ts";
import {
  AWAY,
  expectAsUnpooled,
  HOME,
  members,
  NOW,
  type PoolWorld,
  poolKms,
  poolWorld,
  sealAll,
} from "./sealing.ts";

describe.each([{ shared: true }, { shared: false }])("a pool, shared memory: $shared", ({ shared }) => {
  let pool: Pool;
  let world: PoolWorld;

  beforeAll(async () => {
    pool = await createPool({ workers: 2, shared });
    world = poolWorld(pool.core);
  });
  afterAll(() => pool.destroy());

  it.each([1, 2, 3, 63, 64, 65, ...(shared ? [1000] : [])])("seals for %i members in order", async (n) => {
    const plan = world.plan({ members: members(n) });
    await expectAsUnpooled(world, plan, await sealAll(pool, world, plan));
  });

  it("has nothing to do for 0 members", async () => {
    const plan = world.plan({ members: members(3) });
    expect(await sealAll(pool, world, plan, { start: 3 })).toEqual([]);
  });

  it("goes on from a given member", async () => {
    const plan = world.plan({ members: members(40) });
    await expectAsUnpooled(world, plan, await sealAll(pool, world, plan, { start: 23 }), 23);
  });

  it.each([1, 7, 64, MAX_BATCH])("keeps to batches of at most %i", async (batchSize) => {
    const plan = world.plan({ members: members(20) });
    const sizes: number[] = [];
    for await (const batch of pool.sealGroup(plan, world.keys, { batchSize })) sizes.push(batch.length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(batchSize);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(20);
  });

  it("seals the largest batch in one piece", { timeout: 120_000 }, async () => {
    const one = await createPool({ workers: 1, shared, core: pool.core });
    try {
      const plan = world.plan({ members: members(MAX_BATCH) });
      const messages = await sealAll(one, world, plan, { batchSize: MAX_BATCH });
      expect(messages).toHaveLength(MAX_BATCH);
    } finally {
      await one.destroy();
    }
  });

  it("seals two plans at a time", async () => {
    const plans = [world.plan({ members: members(150) }), world.plan({ members: members(90, "other") })];
    const sealed = await Promise.all(plans.map((plan) => sealAll(pool, world, plan)));
    for (const [i, plan] of plans.entries()) await expectAsUnpooled(world, plan, sealed[i]!);
  });

  it("makes messages that their members open: parameters, hidden identities, to self, two KMSs", async () => {
    const away = poolKms(pool.core, AWAY);
    const carol = "sip:carol@away.example";
    const plan = world.plan({
      members: [...members(9), { uri: carol, kmsUri: AWAY }],
      parameters: { text: "fire" },
      hideResponder: true,
      toSelf: true,
    });
    const keys = { ...world.keys, domains: [world.domain, away.domain] };
    const messages = [];
    for await (const batch of pool.sealGroup(plan, keys, { batchSize: 4 })) messages.push(...batch);
    for (const [i, { uri }] of plan.members.entries()) {
      const kms = uri === carol ? away : world;
      const receiver = client.Receiver.load([world.domain, away.domain], [kms.keySet(uri)]);
      const opened = await client.openMessage(messages[i]!.octets, {
        receiver,
        state: new client.MemoryReceiverState(),
        now: NOW,
        allow: ["GMK"],
        authorise: client.authoriseAnyoneUnsafe,
      });
      if (opened.outcome !== "accepted") throw new Error(opened.outcome);
      expect(opened.key.reveal()).toEqual(plan.key);
      receiver.destroy();
    }
    away.domain.destroy();
  });

  it("seals under the certificate of T, where the KMS has several", async () => {
    const older = { ...world.certificate, certUri: "https://kms.home.example/1", validTo: NOW + 1000 };
    const next = poolKms(pool.core, HOME, "next");
    const newer = { ...next.certificate, certUri: "https://kms.home.example/2", validFrom: NOW + 1000 };
    const domains = [newer, older].map((certificate) => client.KmsDomain.load(pool.core, certificate));
    const keySets = [world.keySet(world.initiator.uri), next.keySet(world.initiator.uri)];
    keySets.forEach((keySet, i) => {
      keySets[i] = { ...keySet, certUri: [older, newer][i]!.certUri };
    });
    const initiator = client.Initiator.load(domains, keySets);
    for (const [i, now] of [NOW, NOW + 2000].entries()) {
      const request = { kind: "GMK" as const, members: members(5), hideInitiator: true };
      const plan = client.planSeal(request, { initiator, random: seededRandom("change"), now });
      const domain = domains[1 - i]!;
      const mine = { ...world, domain, initiator, keys: { initiator, domains: [] } };
      await expectAsUnpooled(mine, plan, await sealAll(pool, mine, plan));
    }
    for (const domain of domains) domain.destroy();
  });

  it("refuses to seal with keys of another core", async () => {
    const core = await client.load();
    const other = poolWorld(core);
    const plan = other.plan();
    await expect(sealAll(pool, other, plan)).rejects.toMatchObject({ kind: "usage", code: "OTHER_CORE" });
    core.destroy();
  });

  it("reports faults of a plan as sealing without a pool does", async () => {
    const plan = world.plan({ members: [{ uri: "sip:x@far.example", kmsUri: "kms.far.example" }] });
    await expect(sealAll(pool, world, plan)).rejects.toMatchObject({ kind: "usage", code: "UNKNOWN_KMS" });
    const late = { ...world.plan(), time: client.ntpFromUnixMs(NOW + 60 * 24 * 3600 * 1000) };
    await expect(sealAll(pool, world, late)).rejects.toMatchObject({ code: "NO_SIGNING_KEY" });
    const good = world.plan();
    await expectAsUnpooled(world, good, await sealAll(pool, world, good));
  });

  it.each([{ batchSize: 0 }, { batchSize: MAX_BATCH + 1 }, { batchSize: 1.5 }])(
    "refuses the seal options %o",
    async (options) => {
      await expect(sealAll(pool, world, world.plan(), options)).rejects.toMatchObject({ code: "BAD_OPTION" });
    },
  );
});

describe("the options of a pool", () => {
  it.each([{ workers: 0 }, { workers: 1.5 }, { redo: -1 }])("are refused: %o", async (options) => {
    await expect(createPool(options)).rejects.toMatchObject({ kind: "usage", code: "BAD_OPTION" });
  });

  it("choose the build", async () => {
    const pool = await createPool({ workers: 1, build: "simd" });
    try {
      expect(pool.core.build).toBe("simd");
      const world = poolWorld(pool.core);
      const plan = world.plan({ members: members(5) });
      await expectAsUnpooled(world, plan, await sealAll(pool, world, plan));
    } finally {
      await pool.destroy();
    }
  });
});
