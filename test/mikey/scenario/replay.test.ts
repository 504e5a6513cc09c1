/** A message is accepted once; a key may be renewed; what was kept in store counts by its T (RFC 3830 5.4). */
import { beforeAll, describe, expect, it } from "vitest";
import { ntpFromUnixMs } from "../../../bindings/identity/ntp.ts";
import { openMessage } from "../../../bindings/mikey/open.ts";
import type { SealPlan } from "../../../bindings/mikey/plan.ts";
import { MemoryReceiverState, type ReceiverState } from "../../../bindings/mikey/receiver-state.ts";
import { sealMessage } from "../../../bindings/mikey/seal.ts";
import { seededRandom } from "../../support/random.ts";
import { refusedBy } from "../../support/refused-by.ts";
import { ALICE, DAY_MS, makeWorld, NOW, type World } from "../../support/world.ts";

let world: World;
const random = seededRandom("replay");

beforeAll(async () => {
  world = await makeWorld();
});

async function seal(atMs = NOW, same?: SealPlan) {
  const known = same ? { key: same.key, keyId: same.keyId, rand: same.rand } : {};
  const request = { kind: "GMK" as const, members: [{ uri: ALICE }], parameters: {}, ...known };
  const { plan, messages } = await sealMessage(request, { initiator: world.gms, domains: [], random }, atMs);
  return { plan, octets: messages[0]!.octets };
}

/** The other signature that verifies: s and q - s (RFC 6507 5.2.2 looks at Jx only). */
function malleate(octets: Uint8Array): Uint8Array {
  const q = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const at = octets.length - 129 + 32;
  const hex = (x: bigint) => x.toString(16).padStart(64, "0");
  const s = BigInt(
    `0x${[...octets.subarray(at, at + 32)].map((x) => x.toString(16).padStart(2, "0")).join("")}`,
  );
  const out = octets.slice();
  for (let i = 0; i < 32; i++) out[at + i] = Number.parseInt(hex(q - s).slice(2 * i, 2 * i + 2), 16);
  return out;
}

describe("a message in live delivery", () => {
  it("is accepted once", async () => {
    const { octets } = await seal();
    const context = world.context();
    await openMessage(octets, context);
    await refusedBy("REPLAYED", () => openMessage(octets, context));
  });

  it("is recognised under its second signature", async () => {
    const { octets } = await seal();
    const twin = malleate(octets);
    await expect(openMessage(twin, world.context())).resolves.toMatchObject({ outcome: "accepted" });
    const context = world.context();
    await openMessage(octets, context);
    await refusedBy("REPLAYED", () => openMessage(twin, context));
  });

  it("is accepted once of two copies that arrive at the same time", async () => {
    const { octets } = await seal();
    const context = world.context();
    const both = await Promise.allSettled([openMessage(octets, context), openMessage(octets, context)]);
    expect(both.map((r) => r.status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(both.find((r) => r.status === "rejected")!.reason).toMatchObject({ code: "REPLAYED" });
  });

  it("is not remembered when it was refused", async () => {
    const { octets } = await seal();
    const context = world.context();
    const forged = octets.slice();
    forged[octets.length - 100]! ^= 1;
    await refusedBy("BAD_SIGNATURE", () => openMessage(forged, context));
    await refusedBy("INITIATOR_NOT_AUTHORISED", () =>
      openMessage(octets, { ...context, authorise: () => false }),
    );
    await expect(openMessage(octets, context)).resolves.toMatchObject({ outcome: "accepted" });
  });

  it("renews a key when it is sealed anew, but an older message for that key is refused", async () => {
    const context = world.context();
    const first = await seal(NOW - 2000);
    const second = await seal(NOW - 1000, first.plan);
    const third = await seal(NOW, first.plan);
    await expect(openMessage(first.octets, context)).resolves.toMatchObject({ renewed: false });
    await expect(openMessage(third.octets, context)).resolves.toMatchObject({ renewed: true });
    await refusedBy("NOT_NEWER", () => openMessage(second.octets, context));
  });

  it("needs a T within the window", async () => {
    const { octets } = await seal();
    for (const now of [NOW + 60_001, NOW - 60_001]) {
      await refusedBy("TIME_OUTSIDE_WINDOW", () =>
        openMessage(octets, world.context({ now, windowMs: 60_000 })),
      );
    }
    for (const now of [NOW + 60_000, NOW - 60_000]) {
      await expect(openMessage(octets, world.context({ now, windowMs: 60_000 }))).resolves.toBeDefined();
    }
  });
});

describe("a message in delivery from a store", () => {
  const stored = { delivery: "stored" as const };

  it("may be old within the present key period, and is accepted once", async () => {
    const { octets } = await seal();
    const context = world.context({ ...stored, now: NOW + 5 * DAY_MS });
    await openMessage(octets, context);
    await refusedBy("NOT_NEWER", () => openMessage(octets, context));
  });

  it("is refused if it is from the future", async () => {
    const { octets } = await seal();
    await refusedBy("TIME_OUTSIDE_WINDOW", () =>
      openMessage(octets, world.context({ ...stored, now: NOW - 300_001 })),
    );
  });

  it("is refused if older than the newest T for its key, however that came", async () => {
    const state = new MemoryReceiverState();
    const first = await seal(NOW - 3000);
    const second = await seal(NOW - 2000, first.plan);
    await openMessage(second.octets, world.context({ state }));
    await refusedBy("NOT_NEWER", () => openMessage(first.octets, world.context({ ...stored, state })));
    await refusedBy("NOT_NEWER", () => openMessage(first.octets, world.context({ state })));
  });

  it("of another key may come in any order", async () => {
    const context = world.context(stored);
    const [first, second] = [await seal(NOW - 9000), await seal(NOW - 1000)];
    for (const { octets } of [second, first]) {
      await expect(openMessage(octets, context)).resolves.toMatchObject({ renewed: false });
    }
  });
});

describe("the receiver state in memory", () => {
  const message = (digest: string, atMs: number) => ({
    digest,
    time: ntpFromUnixMs(atMs),
    notBefore: ntpFromUnixMs(atMs - 300_000),
  });
  const record = {
    kind: "PCK" as const,
    keyId: 0x10000000,
    initiator: "i",
    fingerprint: "f",
    time: ntpFromUnixMs(NOW),
    revoked: false,
  };
  const enter = (state: ReceiverState, digest: string, atMs: number) =>
    state.commit(digest, message(digest, atMs), () => record);

  it("refuses by age what it had to forget", () => {
    const state = new MemoryReceiverState({ maxMessages: 2 });
    for (const [i, digest] of ["a", "b", "c"].entries())
      expect(enter(state, digest, NOW + i * 1000)).toBe(true);
    expect(state.seen(message("a", NOW))).toBe(true);
    expect(state.seen(message("other", NOW))).toBe(true);
    expect(state.seen(message("other", NOW + 1000))).toBe(false);
    expect(state.seen(message("b", NOW + 1000))).toBe(true);
    expect(enter(state, "late", NOW)).toBe(false);
  });

  it("makes room by dropping what the window refuses anyway", () => {
    const state = new MemoryReceiverState({ maxMessages: 2 });
    enter(state, "a", NOW);
    enter(state, "b", NOW + 400_000);
    enter(state, "c", NOW + 400_001);
    expect(state.seen(message("other", NOW + 399_000))).toBe(false);
  });

  it("refuses everything up to a time after a loss", async () => {
    const { octets } = await seal();
    const lost = new MemoryReceiverState({ refuseUpTo: ntpFromUnixMs(NOW + 300_000) });
    await refusedBy("REPLAYED", () => openMessage(octets, world.context({ state: lost })));
    const later = await seal(NOW + 301_000);
    await expect(
      openMessage(later.octets, world.context({ state: lost, now: NOW + 301_000 })),
    ).resolves.toBeDefined();
  });

  it("holds a bounded number of key records and can be pruned", () => {
    const state = new MemoryReceiverState({ maxKeys: 1 });
    enter(state, "a", NOW);
    expect(() => enter(state, "b", NOW)).toThrow(expect.objectContaining({ code: "RECEIVER_STATE_FULL" }));
    state.prune(ntpFromUnixMs(NOW));
    expect(() => enter(state, "b", NOW)).toThrow();
    state.prune(ntpFromUnixMs(NOW + 1));
    expect(enter(state, "b", NOW)).toBe(true);
  });

  it("writes nothing when a change is refused", () => {
    const state = new MemoryReceiverState();
    const refuse = () => {
      throw new Error("no");
    };
    expect(() => state.commit("a", message("a", NOW), refuse)).toThrow("no");
    expect(state.seen(message("a", NOW))).toBe(false);
  });
});
