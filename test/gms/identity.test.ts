import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ntpFromUnixMs } from "../../bindings/identity/ntp.ts";
import { type ProvisionGmsOptions, provisionGms } from "../../roles/gms/identity.ts";
import { MemoryStorage } from "../../roles/identity/index.ts";
import { Wire } from "../client/identity/device.ts";
import { GMS, KMS_URI, NOW, ORIGIN, World } from "../kms/running-kms.ts";
import { VirtualClock } from "../support/clock.ts";
import { makeKms, sharedCore } from "./memory-gms.ts";

const PERIOD_MS = 2592000_000;
const AWAY = "kms.away.example";
const ELSEWHERE = "kms.elsewhere.example";

let world: World;
beforeAll(async () => {
  world = await World.create();
});
afterAll(() => world.close());

async function provision(options: Partial<ProvisionGmsOptions> = {}, wire = new Wire(world)) {
  return provisionGms({
    config: { gmsUri: GMS, kmsUri: KMS_URI, kmsUrl: ORIGIN },
    store: { secrets: new MemoryStorage() },
    core: await sharedCore(),
    fetch: wire.fetch,
    token: () => world.token(GMS),
    now: () => world.now,
    ...options,
  });
}

function unreachable(): Wire {
  const wire = new Wire(world);
  wire.onRequest = () => {
    throw new TypeError("connection refused");
  };
  return wire;
}

describe("the keys of a GMS", () => {
  it("come from its KMS at the first start, for the present period", async () => {
    const keys = await provision();
    const { initiator, receiver } = keys.current();
    expect(initiator.uri).toBe(GMS);
    expect(initiator.kmsUri).toBe(KMS_URI);
    expect(initiator.keyAt(ntpFromUnixMs(NOW)).domain.kmsUri).toBe(KMS_URI);
    expect(receiver.isMine(KMS_URI, GMS)).toBe(true);
    await keys.close();
  });

  it("cannot be had without the KMS at the first start, and then nothing is left open", async () => {
    await expect(provision({}, unreachable())).rejects.toMatchObject({ kind: "transport" });
    await expect(provision({ config: { gmsUri: GMS, kmsUri: KMS_URI } })).rejects.toMatchObject({
      code: "BAD_CONFIG",
      message: expect.stringContaining("kmsUrl"),
    });
  });

  it("come from the store at the next start, also when the KMS is away", async () => {
    const store = { secrets: new MemoryStorage() };
    await (await provision({ store })).close();
    const keys = await provision({ store }, unreachable());
    expect(keys.current().initiator.keyAt(ntpFromUnixMs(NOW)).uid).toHaveLength(32);
    await keys.close();
  });

  it("are replaced in the background before the key period ends", async () => {
    const clock = new VirtualClock();
    let provisioned = () => {};
    const again = new Promise<void>((resolve) => {
      provisioned = resolve;
    });
    const wire = new Wire(world);
    const keys = await provision({ timers: clock, now: () => clock.now() }, wire);
    const first = keys.current();
    wire.onRequest = (path) => path.endsWith("lookup") && provisioned();
    clock.stall(PERIOD_MS);
    world.now = clock.now();
    await clock.pass(1);
    await again;
    await expect.poll(() => keys.current() !== first).toBe(true);
    expect(() => keys.current().initiator.keyAt(ntpFromUnixMs(clock.now()))).not.toThrow();
    // A chunk may still be at work with those before.
    expect(() => first.initiator.keyAt(ntpFromUnixMs(NOW)).signer.exportKey()).not.toThrow();
    await keys.close();
    expect(() => first.initiator.keyAt(ntpFromUnixMs(NOW))).toThrow();
    world.now = NOW;
  });
});

describe("KMS redirect", () => {
  it("gives the KMSs that the Home KMS permits, with their certificates fetched", async () => {
    const keys = await provision();
    const away = makeKms(await sharedCore(), AWAY);
    expect(await keys.redirect([AWAY])).toEqual([]);
    await world.kms.admin.putCertificate({ ...away.domain.certificate, certUri: AWAY }, "external");
    expect(keys.current().domains.map(({ kmsUri }) => kmsUri)).toEqual([KMS_URI]);
    expect(await keys.redirect([ELSEWHERE, AWAY])).toEqual([AWAY]);
    expect(
      keys
        .current()
        .domains.map(({ kmsUri }) => kmsUri)
        .sort(),
    ).toEqual([AWAY, KMS_URI].sort());
    expect(await keys.redirect([])).toEqual([]);
    await keys.close();
  });

  it("fails when the Home KMS cannot be asked", async () => {
    const wire = new Wire(world);
    const keys = await provision({}, wire);
    wire.onRequest = () => {
      throw new TypeError("connection refused");
    };
    await expect(keys.redirect([AWAY])).rejects.toMatchObject({ kind: "transport" });
    await keys.close();
  });
});
