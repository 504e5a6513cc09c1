/** A client gets its keys from a KMS, keeps them through the change of periods, and seals and opens with them. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { MemoryReceiverState, openMessage, sealMessage, utf8 } from "../../../bindings/index.ts";
import {
  KeyStore,
  KmsClient,
  KmsTrust,
  loadKeys,
  MemoryStorage,
  SealedStorage,
  StorageKey,
} from "../../../roles/identity/index.ts";
import { ALICE, BOB, GMS, KMS_URI, NOW, PERIOD, sharedCore, World } from "../../kms/running-kms.ts";
import { VirtualClock } from "../../support/clock.ts";
import { seededRandom } from "../../support/random.ts";
import { codeOf, type Device, makeDevice, periodsOf } from "./device.ts";

const PERIOD_MS = 2592000_000;
const NTP_UNIX_MS = 2208988800_000;

let world: World;
beforeAll(async () => {
  world = await World.create();
});
afterAll(() => world?.close());
beforeEach(() => {
  world.now = NOW;
});

describe("a first provisioning", () => {
  it("stores the certificate and the keys of this period and the next", async () => {
    const device = await makeDevice(world);
    const { kmsUri, periods, refreshAt } = await device.provisioner.provision();
    expect(kmsUri).toBe(KMS_URI);
    expect(periods.get(ALICE)).toEqual([PERIOD, PERIOD + 1]);
    expect(await periodsOf(device)).toEqual([PERIOD, PERIOD + 1]);
    expect((await device.store.certificates()).map(({ certificate }) => certificate.kmsUri)).toEqual([
      KMS_URI,
    ]);
    expect(refreshAt).toBeGreaterThan(NOW);
    expect(device.wire.take()).toEqual([
      "init",
      "certcache",
      "lookup",
      `keyprov/${encodeURIComponent(ALICE)}`,
    ]);
    expect(device.events.map(({ type }) => type)).toEqual([
      "certificate",
      "key-set",
      "key-set",
      "provisioned",
    ]);
  });

  it("gives keys that seal and open, in both periods", async () => {
    const [gms, alice] = [await makeDevice(world, { userUri: GMS }), await makeDevice(world)];
    await gms.provisioner.provision();
    await alice.provisioner.provision();
    const core = await sharedCore();
    const sender = await loadKeys(core, gms.store, gms.trust, { userUri: GMS });
    const member = await loadKeys(core, alice.store, alice.trust, { userUri: ALICE });
    expect([...sender.rejected, ...member.rejected]).toEqual([]);
    for (const at of [NOW, NOW + PERIOD_MS]) {
      const { messages } = await sealMessage(
        { kind: "GMK", members: [{ uri: ALICE }], parameters: {} },
        { initiator: sender.initiator, domains: sender.domains, random: seededRandom("gmk") },
        at,
      );
      const opened = await openMessage(messages[0]!.octets, {
        receiver: member.receiver,
        state: new MemoryReceiverState(),
        now: at,
        allow: ["GMK"],
        authorise: ({ uri }) => uri === GMS,
      });
      expect(opened.outcome).toBe("accepted");
    }
    sender.destroy();
    member.destroy();
  });

  it("leaves no key and no identity in clear in the storage", async () => {
    const memory = new MemoryStorage();
    const storage = new SealedStorage(memory, await StorageKey.generate());
    const device = await makeDevice(world, { storage });
    await device.provisioner.provision();
    const [keySet] = await device.store.keySets(ALICE, KMS_URI);
    const names = await memory.list("");
    expect(names.length).toBeGreaterThanOrEqual(4);
    for (const name of names) {
      const stored = Buffer.from((await memory.get(name))!);
      for (const part of [keySet!.ssk, keySet!.rsk.subarray(1), keySet!.pvt, utf8(ALICE), utf8(KMS_URI)]) {
        expect(stored.indexOf(Buffer.from(part))).toBe(-1);
      }
      expect(name).not.toContain("alice");
    }
  });

  it("is needed before keys can be loaded", async () => {
    const store = new KeyStore(new MemoryStorage());
    const trust = new KmsTrust({ home: KMS_URI });
    expect(await codeOf(loadKeys(await sharedCore(), store, trust, { userUri: ALICE }))).toBe(
      "NOT_PROVISIONED",
    );
  });

  it("can begin with nothing but the URL", async () => {
    const { wire } = await makeDevice(world);
    const client = new KmsClient({
      url: "https://kms.example.org/keymanagement/identity/v1/",
      userUri: ALICE,
      fetch: wire.fetch,
      token: () => world.token(ALICE),
      now: () => world.now,
    });
    expect(await client.discover()).toBe(KMS_URI);
    expect(wire.exchanges[0]!.body).toBe("");
    expect((await client.init()).message.certificate.kmsUri).toBe(KMS_URI);
  });

  it("gets no keys of an identity that the token does not prove, and keeps those of proven ones", async () => {
    const device = await makeDevice(world, { identities: [ALICE, BOB] });
    const attempt = device.provisioner.provision();
    await expect(attempt).rejects.toMatchObject({ code: "KMS_REFUSED", status: 403, errorCode: 40302 });
    expect(await periodsOf(device, ALICE)).toEqual([PERIOD, PERIOD + 1]);
    expect(await periodsOf(device, BOB)).toEqual([]);
  });
});

describe("a provisioned client, as time goes by,", () => {
  it("asks for no keys that it has", async () => {
    const device = await makeDevice(world);
    await device.provisioner.provision();
    device.wire.take();
    await device.provisioner.provision();
    expect(device.wire.take()).toEqual(["init", expect.stringMatching(/^certcache\/\d+$/), "lookup"]);
  });

  it("gets the keys of the period after next when the next has begun, and drops those long past", async () => {
    const device = await makeDevice(world);
    for (const step of [0, 1, 2]) {
      world.now = NOW + step * PERIOD_MS;
      await device.provisioner.provision();
    }
    expect(await periodsOf(device)).toEqual([PERIOD + 1, PERIOD + 2, PERIOD + 3]);
    expect(device.events).toContainEqual({ type: "key-set-dropped", userUri: ALICE, keyPeriodNo: PERIOD });
    const asked = device.wire.take().filter((path) => path.startsWith("keyprov"));
    expect(asked).toHaveLength(3);
    expect(asked[1]).toMatch(/\/[0-9A-F]{16}$/);
  });

  it("keeps the keys of all periods when told to", async () => {
    const device = await makeDevice(world, { keepPeriods: Number.POSITIVE_INFINITY });
    for (const step of [0, 1, 2, 3]) {
      world.now = NOW + step * PERIOD_MS;
      await device.provisioner.provision();
    }
    expect(await periodsOf(device)).toHaveLength(5);
  });

  it("drops nothing while its clock is not the KMS's", async () => {
    const device = await makeDevice(world);
    await device.provisioner.provision();
    let jump = 0;
    const jumping = await makeDevice(world, {
      storage: device.storage,
      now: () => world.now + jump,
      client: { now: () => world.now + jump },
    });
    for (jump of [5 * PERIOD_MS, -5 * PERIOD_MS]) {
      await expect(jumping.provisioner.provision()).rejects.toMatchObject({ errorCode: 40006 });
    }
    expect(await periodsOf(device)).toEqual([PERIOD, PERIOD + 1]);
    jump = 0;
    expect((await jumping.provisioner.provision()).periods.get(ALICE)).toEqual([PERIOD, PERIOD + 1]);
  });

  it("keeps to the present keys while the KMS gives no others, and asks again before the period ends", async () => {
    const sparing = await World.create({ policy: { periodsAhead: 0 } });
    try {
      const device = await makeDevice(sparing);
      const { periods, refreshAt } = await device.provisioner.provision();
      expect(periods.get(ALICE)).toEqual([PERIOD]);
      expect(refreshAt).toBeLessThan((PERIOD + 1) * PERIOD_MS - NTP_UNIX_MS);
    } finally {
      await sparing.close();
    }
  });
});

describe("a device that is kept provisioned", () => {
  const settled = ({ events }: Device, type: string) =>
    vi.waitFor(() => expect(events.map((event) => event.type)).toContain(type), { timeout: 60_000 });

  it("asks the KMS at once if it has no keys, and later if it has", async () => {
    const clock = new VirtualClock();
    const first = await makeDevice(world, { timers: clock });
    await first.provisioner.start();
    expect(clock.next).toBe(0);
    await clock.pass(0);
    await settled(first, "provisioned");
    await expect.poll(() => clock.pending).toBe(1);
    await first.provisioner.stop();
    expect(clock.pending).toBe(0);

    const again = await makeDevice(world, { timers: clock, storage: first.storage });
    await again.provisioner.start();
    expect(clock.next).toBeGreaterThan(0);
    await again.provisioner.stop();
    // The next period has begun, its keys are there; those of the one after it are got later, too.
    world.now += PERIOD_MS;
    await again.provisioner.start();
    expect(clock.next).toBeGreaterThan(0);
    await again.provisioner.stop();
    world.now += PERIOD_MS;
    await again.provisioner.start();
    expect(clock.next).toBe(0);
    await again.provisioner.stop();
    expect(clock.pending).toBe(0);
  });

  it("reports what went wrong, and tries again", async () => {
    const clock = new VirtualClock();
    const device = await makeDevice(world, { timers: clock });
    device.wire.onRequest = () => {
      throw new TypeError("cut");
    };
    await device.provisioner.start();
    await clock.pass(0);
    await settled(device, "failed");
    expect(device.events[0]).toMatchObject({ type: "failed", error: { code: "KMS_UNREACHABLE" } });
    device.wire.onRequest = () => {};
    await expect.poll(() => clock.pending).toBe(1);
    world.now += 5000;
    await clock.pass(5000);
    await settled(device, "provisioned");
    await device.provisioner.stop();
  });
});

it("asks for the next period when one ends while the KMS answers", async () => {
  const device = await makeDevice(world);
  // In the last second of the period, and a second later the KMS has left it behind.
  const border = (PERIOD + 1) * PERIOD_MS - NTP_UNIX_MS;
  world.now = border - 1000;
  device.wire.onRequest = (path) => {
    if (path.includes("/keyprov")) world.now = border + 1000;
  };
  const { periods } = await device.provisioner.provision();
  expect(periods.get(ALICE)).toEqual([PERIOD + 1, PERIOD + 2]);
});

describe("two devices that share a storage", () => {
  it("get the same keys at the same time", async () => {
    const first = await makeDevice(world);
    const second = await makeDevice(world, { storage: first.storage });
    await Promise.all([first.provisioner.provision(), second.provisioner.provision()]);
    for (const device of [first, second]) {
      expect(await periodsOf(device)).toEqual([PERIOD, PERIOD + 1]);
      const keys = await loadKeys(await sharedCore(), device.store, device.trust, { userUri: ALICE });
      expect(keys.rejected).toEqual([]);
      keys.destroy();
    }
  });
});

describe("a crash of the client", () => {
  it("at any write leaves a state that the next provisioning completes", async () => {
    for (let survived = 0; ; survived++) {
      const storage = new MemoryStorage();
      let puts = 0;
      const failing = new Proxy(storage, {
        get(target, name) {
          if (name === "put" && puts++ >= survived) return () => Promise.reject(new Error("power is gone"));
          const value = Reflect.get(target, name) as unknown;
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
      const dying = await makeDevice(world, { storage: failing });
      const outcome = await dying.provisioner.provision().catch((error: Error) => error.message);
      const device = await makeDevice(world, { storage });
      expect((await device.provisioner.provision()).periods.get(ALICE)).toEqual([PERIOD, PERIOD + 1]);
      if (typeof outcome !== "string") return expect(survived).toBeGreaterThan(3);
      expect(outcome).toBe("power is gone");
    }
  });
});
