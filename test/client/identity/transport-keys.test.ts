/** Answers under TrK and InK, and how a client comes by new ones without losing the way to its KMS. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { TransportKeys } from "../../../roles/identity/index.ts";
import { KMS_URI, NOW, PERIOD, World } from "../../kms/running-kms.ts";
import { codeOf, type Device, makeDevice, makeTransportKeys, periodsOf } from "./device.ts";

const PERIOD_MS = 2592000_000;

let world: World;
let users = 0;
let user: string;
beforeAll(async () => {
  world = await World.create();
});
afterAll(() => world?.close());
beforeEach(() => {
  world.now = NOW;
  user = `sip:user${++users}@example.org`;
});

const both = () => makeTransportKeys(world, ["TrK", "InK"], user);
const device = (protection: TransportKeys, more: Parameters<typeof makeDevice>[1] = {}) =>
  makeDevice(world, { userUri: user, protection, ...more });

/** Keys that the KMS holds, by kind and state. */
async function keysOfKms() {
  const keys = await world.kms.admin.transportKeys(user);
  return keys.map(({ kind, state, id }) => ({ kind, state, id }));
}

const storedIds = async ({ store }: Device) =>
  (await store.transportKeys(user, KMS_URI)).map(({ id, confirmed }) => ({ id, confirmed }));

describe("the protection of answers of the KMS", () => {
  it("by TrK and InK signs requests and answers, and wraps keys", async () => {
    const alice = await device(await both());
    await alice.provisioner.provision();
    expect(await periodsOf(alice, user)).toEqual([PERIOD, PERIOD + 1]);
    for (const { body, answer } of alice.wire.exchanges) {
      expect(body).toMatch(/^<\?xml[^>]*>\s*<SignedKmsRequest /);
      expect(answer).toMatch(/^<\?xml[^>]*>\s*<SignedKmsResponse /);
    }
    const [keySet] = await alice.store.keySets(user, KMS_URI);
    const hex = Buffer.from(keySet!.ssk).toString("hex");
    const keyprov = alice.wire.exchanges.find(({ path }) => path.includes("keyprov"));
    expect(keyprov!.answer).toContain("EncryptedKey");
    expect(keyprov!.answer.toLowerCase()).not.toContain(hex);
  });

  it("by a TrK alone uses the TrK to sign as well", async () => {
    const alice = await device(await makeTransportKeys(world, ["TrK"], user));
    await alice.provisioner.provision();
    expect(alice.wire.exchanges.every(({ answer }) => answer.includes("SignedKmsResponse"))).toBe(true);
  });

  it("works with a TrK that does not sign", async () => {
    const alice = await device(await makeTransportKeys(world, ["TrK"], user), {
      client: { signRequests: false },
    });
    await alice.provisioner.provision();
    expect(alice.wire.exchanges.some(({ body }) => body.includes("Signature"))).toBe(false);
    expect(await periodsOf(alice, user)).toEqual([PERIOD, PERIOD + 1]);
  });

  it("cannot be taken away by an unprotected answer", async () => {
    const keys = await both();
    const stranger = await makeDevice(world, { userUri: "sip:stranger@example.org" });
    const alice = await device(keys);
    // The answer that a client without keys would get, with Alice's name on it.
    await stranger.client.init();
    const [plain] = stranger.wire.exchanges;
    alice.wire.onAnswer = (answer) => ({
      ...answer,
      body: plain!.answer.replaceAll("sip:stranger@example.org", user),
    });
    expect(await codeOf(alice.provisioner.provision())).toBe("KMS_ANSWER_UNSIGNED");
    expect(await alice.store.certificates()).toEqual([]);
  });

  it("reveals a change to a signed answer", async () => {
    const alice = await device(await both());
    alice.wire.onAnswer = (answer) => ({
      ...answer,
      body: answer.body.replace("<UserKeyOffset>0<", "<UserKeyOffset>1<"),
    });
    expect(await codeOf(alice.provisioner.provision())).toBe("XML_SIGNATURE_DIGEST");
    expect(await alice.store.certificates()).toEqual([]);
  });

  it("makes keys in clear an error, whoever sends them", async () => {
    const trk = { id: "trk-of-nobody", key: new Uint8Array(32).fill(7) };
    const alice = await device({ trk }, { client: { signRequests: false } });
    alice.wire.onRequest = () => {};
    // A KMS that does not know the TrK refuses; one that passes over it sends keys in clear.
    expect(await codeOf(alice.provisioner.provision())).toBe("KMS_REFUSED");
    const plain = await makeDevice(world, { userUri: user });
    const { message } = await plain.client.keyprov();
    expect(message.keySets).toHaveLength(2);
    const answer = plain.wire.exchanges[0]!.answer;
    alice.wire.onAnswer = () => ({ status: 200, headers: {}, body: answer });
    expect(await codeOf(alice.client.keyprov())).toBe("KMS_KEYS_IN_CLEAR");
  });
});

describe("new transport keys", () => {
  it("are stored after everything else, named in the next request, and confirmed by its answer", async () => {
    const first = await both();
    const alice = await device(first);
    const made = await both();
    await alice.provisioner.provision();
    expect(await storedIds(alice)).toEqual([
      { id: made.ink!.id, confirmed: false },
      { id: made.trk!.id, confirmed: false },
    ]);
    expect((await keysOfKms()).filter(({ state }) => state === "active").map(({ id }) => id)).toEqual(
      expect.arrayContaining([first.trk!.id, first.ink!.id]),
    );
    await alice.provisioner.provision();
    expect((await storedIds(alice)).every(({ confirmed }) => confirmed)).toBe(true);
    const active = (await keysOfKms()).filter(({ state }) => state === "active");
    expect(active.map(({ id }) => id).sort()).toEqual([made.ink!.id, made.trk!.id].sort());
  });

  it("of which the TrK does not sign are confirmed in another way", async () => {
    const trks = () => makeTransportKeys(world, ["TrK"], user);
    const alice = await device(await trks(), { client: { signRequests: false } });
    const made = await trks();
    await alice.provisioner.provision();
    expect(alice.wire.exchanges.some(({ body }) => body.includes("Signature"))).toBe(false);
    await alice.provisioner.provision();
    expect(await storedIds(alice)).toEqual([{ id: made.trk!.id, confirmed: true }]);
    const active = (await keysOfKms()).filter(({ state }) => state === "active");
    expect(active.map(({ id }) => id)).toEqual([made.trk!.id]);
    alice.wire.take();
    await alice.provisioner.provision();
    expect(alice.wire.exchanges.some(({ body }) => body.includes("Signature"))).toBe(false);
  });

  it("replace one another again and again, and only the last are kept", async () => {
    const alice = await device(await both());
    await alice.provisioner.provision();
    for (let i = 0; i < 3; i++) {
      await both();
      await alice.provisioner.provision();
      await alice.provisioner.provision();
      expect(await storedIds(alice)).toHaveLength(2);
    }
    expect((await storedIds(alice)).every(({ confirmed }) => confirmed)).toBe(true);
  });

  it("are not stored when the user keys beside them fail", async () => {
    const alice = await device(await both());
    await both();
    alice.wire.onRequest = (path) => {
      if (path.includes("keyprov")) throw new TypeError("cut");
    };
    expect(await codeOf(alice.provisioner.provision())).toBe("KMS_UNREACHABLE");
    expect(await storedIds(alice)).toEqual([]);
    alice.wire.onRequest = () => {};
    await alice.provisioner.provision();
    expect(await storedIds(alice)).toHaveLength(2);
  });

  it("are sent again when the client died before it stored them", async () => {
    const first = await both();
    const made = await both();
    const dying = await device(first);
    dying.store.putTransportKey = () => Promise.reject(new Error("power is gone"));
    expect(await codeOf(dying.provisioner.provision())).toContain("power is gone");
    const alice = await device(first, { storage: dying.storage });
    await alice.provisioner.provision();
    expect((await storedIds(alice)).map(({ id }) => id)).toEqual([made.ink!.id, made.trk!.id]);
  });

  it("do not strand a client whose KMS lost them", async () => {
    const first = await both();
    const alice = await device(first);
    const lost = await both();
    await alice.provisioner.provision();
    // The KMS's database is put back to the day before: what was pending is not there.
    for (const { id } of [lost.trk!, lost.ink!]) {
      await world.db.query("UPDATE kms_transport_key SET state = 'retired' WHERE id = $1", [id]);
    }
    world.now += PERIOD_MS;
    await alice.provisioner.provision();
    expect(await periodsOf(alice, user)).toContain(PERIOD + 2);
    expect(await storedIds(alice)).toEqual([]);
  });

  it("reach a device that shares the storage, also between its requests", async () => {
    const first = await both();
    const one = await device(first);
    const two = await device(first, { storage: one.storage });
    await one.provisioner.provision();
    await both();
    let others = 0;
    two.wire.onRequest = (path) => {
      if (path.endsWith("/init")) others++;
    };
    const init = two.client.init.bind(two.client);
    two.client.init = async (options) => {
      // The other device gets new keys and confirms them before this one makes its first request.
      if (others === 0) {
        await one.provisioner.provision();
        await one.provisioner.provision();
      }
      return init(options);
    };
    await two.provisioner.provision();
    expect(others).toBe(2);
    expect((await keysOfKms()).filter(({ state }) => state === "active")).toHaveLength(2);
  });

  it("must not have the id of the present key", async () => {
    const keys = await both();
    const { KeyRing } = await import("../../../roles/identity/key-ring.ts");
    const { KeyStore, MemoryStorage } = await import("../../../roles/identity/index.ts");
    const ring = await KeyRing.open(
      new KeyStore(new MemoryStorage()),
      { userUri: user, kmsUri: KMS_URI },
      keys,
    );
    const newKeys = { transport: [{ id: keys.trk!.id, key: new Uint8Array(32) }], integrity: [] };
    const answer = { message: { type: "keyprov", keySets: [], newKeys }, response: {} } as never;
    expect(() => ring.note(answer, keys)).toThrow(expect.objectContaining({ code: "KMS_NEW_KEY_ID" }));
  });
});
