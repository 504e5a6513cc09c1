import { afterEach, expect, it } from "vitest";
import { operator } from "../../roles/gms/common/caller.ts";
import type { ContextOptions, GmsCore } from "../../roles/gms/context.ts";
import { GmsStore } from "../../store/gms/gms-store.ts";
import type { ClaimedChunk } from "../../store/gms/records.ts";
import { onEachDatabase } from "../support/databases.ts";
import {
  makeCore,
  makeWorld,
  memberUri,
  memberUris,
  newMembers,
  sealAll,
  until,
  type World,
} from "./memory-gms.ts";

const GROUP = "sip:fire@home.example";
const SMALL = "sip:small@home.example";

/** Small chunks, so that there are many. */
const LIMITS = { chunkSize: 4, leaseSeconds: 15 };

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** A store that does something at a claim, before messages are saved, or after a failure. */
function watched(
  store: GmsStore,
  hooks: {
    readonly claimed?: (chunk: ClaimedChunk) => void;
    readonly save?: (chunk: ClaimedChunk) => Promise<void>;
    readonly released?: (failure: Parameters<GmsStore["releaseChunk"]>[1]) => void;
  },
): GmsStore {
  return new Proxy(store, {
    get(target, name) {
      const found = Reflect.get(target, name, target);
      if (typeof found !== "function") return found;
      if (name === "claimChunk") {
        return async (claimant: Parameters<GmsStore["claimChunk"]>[0]) => {
          const chunk = await target.claimChunk(claimant);
          if (chunk !== undefined) hooks.claimed?.(chunk);
          return chunk;
        };
      }
      if (name === "saveChunk") {
        return async (...args: Parameters<GmsStore["saveChunk"]>) => {
          await hooks.save?.(args[0]);
          return target.saveChunk(...args);
        };
      }
      if (name === "releaseChunk") {
        return async (...args: Parameters<GmsStore["releaseChunk"]>) => {
          await target.releaseChunk(...args);
          hooks.released?.(args[1]);
        };
      }
      return found.bind(target);
    },
  });
}

onEachDatabase("sealing", (databases) => {
  async function begin(limits: object = LIMITS): Promise<World> {
    const world = await makeWorld({ database: await databases.fresh(), config: { limits } });
    open.push(() => world.close());
    return world;
  }

  function process(world: World, options: Partial<ContextOptions> = {}): GmsCore {
    const core = makeCore(world, options);
    open.push(() => core.stop());
    return core;
  }

  async function requireOneEach(world: World, rekey: number, count: number): Promise<void> {
    const { rows } = await world.db.query<{ n: number }>(
      "SELECT count(*)::integer AS n FROM gms_delivery WHERE rekey = $1",
      [rekey],
    );
    expect(rows[0]!.n).toBe(count);
    const status = (await world.store.rekey(rekey))!;
    expect(status.counts).toMatchObject({ planned: 0, sealed: count });
  }

  it("sealing is shared by two processes, and nothing is sealed twice", async () => {
    const world = await begin();
    const second = await databases.again();
    const claims: string[] = [];
    const worker = (instance: string, store: GmsStore) => {
      const claimed = ({ chunk }: ClaimedChunk) => claims.push(`${instance} ${chunk}`);
      // Each waits for the other at its first chunk, so that both have some.
      return process(world, { instance, store: watched(store, { claimed, save: meet(instance) }) });
    };
    const arrived = new Map<string, () => void>();
    const both = Promise.all(
      ["one", "two"].map((name) => new Promise<void>((resolve) => arrived.set(name, resolve))),
    );
    function meet(instance: string): () => Promise<void> {
      return async () => {
        arrived.get(instance)!();
        await both;
      };
    }
    const one = worker("one", world.store);
    const two = worker("two", GmsStore.open(second, world.envelope, { now: world.now }));
    const { rekeys } = await one.context.admin.createGroup(operator("op"), {
      uri: GROUP,
      members: newMembers(40),
    });
    one.sealer.start();
    two.sealer.start();
    const isSealed = async () => (await world.store.rekey(rekeys[0]!.id))!.sealedAt !== undefined;
    await Promise.race([until(one, isSealed), until(two, isSealed)]);
    await Promise.all([one.stop(), two.stop()]);
    expect(new Set(claims.map((claim) => claim.split(" ")[0]))).toEqual(new Set(["one", "two"]));
    expect(new Set(claims.map((claim) => claim.split(" ")[1])).size).toBe(claims.length);
    expect(claims).toHaveLength(10);
    await requireOneEach(world, rekeys[0]!.id, 40);
  });

  it("sealing is finished by another process when one falls silent, which then saves nothing any more", async () => {
    const world = await begin();
    let go = () => {};
    const stuck = new Promise<void>((resolve) => {
      go = resolve;
    });
    let reached = () => {};
    const atWork = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const lost: string[] = [];
    const save = () => {
      reached();
      return stuck;
    };
    const metrics = { ...makeCore(world).context.metrics, sealFailed: (code: string) => lost.push(code) };
    const silent = process(world, { instance: "silent", store: watched(world.store, { save }), metrics });
    const other = process(world, { instance: "other" });
    const { rekeys } = await other.context.admin.createGroup(operator("op"), {
      uri: GROUP,
      members: newMembers(20),
    });
    const { id } = rekeys[0]!;
    silent.sealer.start();
    await atWork;
    world.clock.now += LIMITS.leaseSeconds * 1000 + 1;
    other.sealer.start();
    await until(other, async () => (await world.store.rekey(id))!.sealedAt !== undefined);
    const octets = async () => (await world.store.gktpOf(memberUri(0)))[0]!.octets;
    const before = await octets();
    go();
    await silent.stop();
    expect(lost).toContain("CLAIM_LOST");
    expect(await octets()).toEqual(before);
    await requireOneEach(world, id, 20);
  });

  it("sealing of a small rekey does not wait for a large one", async () => {
    const world = await begin({ ...LIMITS, chunksInFlight: 1 });
    const order: number[] = [];
    const claimed = ({ rekey }: ClaimedChunk) => order.push(rekey);
    const core = process(world, { store: watched(world.store, { claimed }) });
    const { admin } = core.context;
    const large = await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(100) });
    core.sealer.start();
    await until(core, async () => order.length > 2);
    const small = await admin.createGroup(operator("op"), { uri: SMALL, members: newMembers(8) });
    const smallId = small.rekeys[0]!.id;
    await until(core, async () => (await world.store.rekey(smallId))!.sealedAt !== undefined);
    expect((await world.store.rekey(large.rekeys[0]!.id))!.counts.planned).toBeGreaterThan(40);
    // They take turns: between its two chunks at most one of the other's, and one that was at work already.
    const first = order.indexOf(smallId);
    expect(order.indexOf(smallId, first + 1) - first).toBeLessThanOrEqual(2);
    await until(core, async () => (await world.store.rekey(large.rekeys[0]!.id))!.sealedAt !== undefined);
  });

  it("sealing of a rekey that is superseded meanwhile leaves none of its messages", async () => {
    const world = await begin();
    let superseding: Promise<unknown> | undefined;
    const { admin } = makeCore(world).context;
    const save = async () => {
      superseding ??= admin.rekey(operator("op"), GROUP);
      await superseding;
    };
    const core = process(world, { store: watched(world.store, { save }) });
    const { rekeys } = await core.context.admin.createGroup(operator("op"), {
      uri: GROUP,
      members: newMembers(12),
    });
    await sealAll(core);
    const newest = (await superseding) as { id: number; gmkId: number };
    expect((await world.store.rekey(rekeys[0]!.id))!).toMatchObject({ state: "superseded" });
    for (const uri of memberUris(12)) {
      const records = await world.store.gktpOf(uri);
      expect(records.map(({ gmkId, rekey }) => [gmkId, rekey])).toEqual([[newest.gmkId, newest.id]]);
    }
    await requireOneEach(world, newest.id, 12);
  });
});

it("sealing tries a failed chunk again, ever later, and says what failed", async () => {
  const world = await makeWorld({ config: { limits: LIMITS } });
  open.push(() => world.close());
  const good = world.keys.current();
  let failing = 3;
  const keys = {
    ...world.keys,
    current() {
      if (failing-- > 0) throw new TypeError("a detail that nobody must read");
      return good;
    },
  };
  const quiet = makeCore(world).context;
  const { rekeys } = await quiet.admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(2) });
  const warnings: object[] = [];
  const waits: number[] = [];
  let released = () => {};
  const core = makeCore(world, {
    keys,
    store: watched(world.store, {
      released({ waitMs, error }) {
        expect(error).toBe("INTERNAL: TypeError");
        waits.push(waitMs);
        world.clock.now += waitMs;
        released();
      },
    }),
    log: { ...quiet.log, warn: (facts) => warnings.push(facts) },
  });
  released = () => core.sealer.wake();
  await sealAll(core);
  expect(waits).toHaveLength(3);
  waits.forEach((wait, i) => {
    expect(wait).toBeGreaterThanOrEqual(500 * 2 ** i);
    expect(wait).toBeLessThanOrEqual(1000 * 2 ** i);
  });
  expect((await world.store.rekey(rekeys[0]!.id))!.counts.sealed).toBe(2);
  expect(warnings).toMatchObject([{ attempts: 1 }, { attempts: 2 }, { attempts: 3, code: "INTERNAL" }]);
  expect(JSON.stringify(warnings)).not.toContain("detail");
});

it("sealing uses the workers of a pool", async () => {
  const world = await makeWorld({ workers: 1, config: { limits: { chunkSize: 64 } } });
  open.push(() => world.close());
  const core = makeCore(world);
  await core.context.admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(70) });
  await sealAll(core);
  const [record] = await world.store.gktpOf(memberUri(69));
  expect(await world.open(record!.octets, 69)).toMatchObject({
    outcome: "accepted",
    keyId: record!.gmkId,
  });
});
