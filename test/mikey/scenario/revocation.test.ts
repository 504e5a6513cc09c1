/** A key is revoked, and never comes back (5.2.4, 5.7.2, E.6.9). */
import { beforeAll, describe, expect, it } from "vitest";
import { Initiator } from "../../../bindings/identity/initiator.ts";
import type { AcceptedMessage } from "../../../bindings/mikey/accept.ts";
import { openMessage } from "../../../bindings/mikey/open.ts";
import type { SealRequest } from "../../../bindings/mikey/plan.ts";
import { MemoryReceiverState } from "../../../bindings/mikey/receiver-state.ts";
import { sealMessage } from "../../../bindings/mikey/seal.ts";
import { seededRandom } from "../../support/random.ts";
import { refusedBy } from "../../support/refused-by.ts";
import { ALICE, makeWorld, NOW, type World } from "../../support/world.ts";

let world: World;
let stranger: Initiator;
const random = seededRandom("revocation");

beforeAll(async () => {
  world = await makeWorld();
  stranger = Initiator.load(world.home.domain, [world.home.keySet("sip:other-gms@home.example")]);
});

async function seal(changes: Partial<SealRequest>, atMs = NOW, initiator = world.gms) {
  const request: SealRequest = { kind: "GMK", members: [{ uri: ALICE }], parameters: {}, ...changes };
  const { plan, messages } = await sealMessage(request, { initiator, domains: [], random }, atMs);
  return { plan, octets: messages[0]!.octets };
}

/** Seals the same key again: same K-ID, GMK and RAND. */
const again = (plan: { key: Uint8Array; keyId: number; rand: Uint8Array }) => ({
  key: plan.key,
  keyId: plan.keyId,
  rand: plan.rand,
});

describe("a revocation message", () => {
  it("is reported to the receiver, gives no key, and blocks the GMK-ID", async () => {
    const context = world.context({ state: new MemoryReceiverState() });
    const first = await seal({});
    await openMessage(first.octets, context);

    const revocation = await seal({ ...again(first.plan), parameters: { revoked: true } });
    const revoked = await openMessage(revocation.octets, context);
    expect(revoked).toMatchObject({
      outcome: "revoked",
      keyId: first.plan.keyId,
      code: "KEY_REVOKED",
      check: 57,
    });
    expect(revoked).not.toHaveProperty("key");

    await refusedBy("REPLAYED", () => openMessage(first.octets, context));
    const renewed = await seal(again(first.plan));
    await refusedBy("KEY_ID_REVOKED", () => openMessage(renewed.octets, context));
  });

  it("may arrive before the key that it revokes", async () => {
    const context = world.context({ state: new MemoryReceiverState(), delivery: "stored" });
    const first = await seal({});
    const revocation = await seal({ ...again(first.plan), parameters: { revoked: true } });
    await openMessage(revocation.octets, context);
    await refusedBy("KEY_ID_REVOKED", () => openMessage(first.octets, context));
  });

  it("needs no key: a GMS that deleted it can still revoke", async () => {
    const context = world.context({ kind: "CSK", state: new MemoryReceiverState() } as object);
    const first = await seal({ kind: "CSK" });
    await openMessage(first.octets, context);
    const revocation = await seal({ kind: "CSK", keyId: first.plan.keyId, parameters: { revoked: true } });
    await expect(openMessage(revocation.octets, context)).resolves.toMatchObject({ outcome: "revoked" });
  });

  it("is accepted from the initiator of the key only", async () => {
    const context = world.context({ state: new MemoryReceiverState() });
    const first = await seal({});
    await openMessage(first.octets, context);
    const foreign = await seal({ ...again(first.plan), parameters: { revoked: true } }, NOW, stranger);
    await refusedBy("DUPLICATE_KEY_ID", () => openMessage(foreign.octets, context));
    await expect(openMessage((await seal(again(first.plan))).octets, context)).resolves.toMatchObject({
      renewed: true,
    });
  });

  it("can be repeated", async () => {
    const context = world.context({ state: new MemoryReceiverState() });
    const first = await seal({ parameters: { revoked: true } });
    const second = await seal({ ...again(first.plan), parameters: { revoked: true } });
    for (const { octets } of [first, second]) {
      await expect(openMessage(octets, context)).resolves.toMatchObject({ outcome: "revoked" });
    }
  });
});

describe("key identifiers of several initiators:", () => {
  it("a GMK-ID belongs to the GMS that used it first", async () => {
    const context = world.context({ state: new MemoryReceiverState() });
    const first = await seal({});
    await openMessage(first.octets, context);
    const foreign = await seal({ keyId: first.plan.keyId }, NOW, stranger);
    await refusedBy("DUPLICATE_KEY_ID", () => openMessage(foreign.octets, context));
  });

  it("two clients may draw the same CSK-ID", async () => {
    const context = world.context({ state: new MemoryReceiverState() });
    const first = await seal({ kind: "CSK" });
    const second = await seal({ kind: "CSK", keyId: first.plan.keyId }, NOW, stranger);
    for (const { octets } of [first, second]) {
      const opened = (await openMessage(octets, context)) as AcceptedMessage;
      expect(opened.renewed).toBe(false);
    }
  });

  it("a known identifier with another key or RAND is refused", async () => {
    const context = world.context({ state: new MemoryReceiverState() });
    const first = await seal({});
    await openMessage(first.octets, context);
    const { key, keyId, rand } = first.plan;
    const otherKey = await seal({ keyId, rand });
    await refusedBy("KEY_ID_REUSED", () => openMessage(otherKey.octets, context));
    const otherRand = await seal({ keyId, key });
    await refusedBy("KEY_ID_REUSED", () => openMessage(otherRand.octets, context));
  });
});
