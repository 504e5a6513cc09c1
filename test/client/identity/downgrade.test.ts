/**
 * An attacker on the wire, with an old TrK and InK or none, cannot make a client use an old key or give up protection.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { KmsClient, type KmsFetch, type TransportKeys } from "../../../roles/identity/index.ts";
import { KMS_URI, NOW, ORIGIN, PERIOD, World } from "../../kms/running-kms.ts";
import {
  type Answer,
  codeOf,
  type Device,
  makeDevice,
  makeTransportKeys,
  periodsOf,
  Wire,
} from "./device.ts";

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

const stored = async ({ store }: Device) =>
  (await store.transportKeys(user, KMS_URI))
    .map(({ id, confirmed }) => ({ id, confirmed }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
const idsOf = ({ trk, ink }: TransportKeys, confirmed = true) =>
  [ink!, trk!].map(({ id }) => ({ id, confirmed }));

const forged = (status: number) => (): Answer => ({ status, headers: {}, body: "no" });

describe("a replaced transport key", () => {
  let evil: World | undefined;
  afterEach(async () => {
    await evil?.close();
    evil = undefined;
  });

  /** The way to a KMS of somebody else, who holds some keys of the user. */
  async function evilWay(keys: TransportKeys): Promise<{ fetch: KmsFetch; wire: Wire }> {
    const other = await World.create();
    evil = other;
    await other.store.enrol([user], 0);
    for (const [kind, { id, key }] of [
      ["TrK", keys.trk!],
      ["InK", keys.ink!],
    ] as const) {
      await other.store.addTransportKey({ id, userUri: user, kind, key, state: "active", createdAt: 0 });
    }
    const wire = new Wire(other);
    const fetch: KmsFetch = async (url, init) => {
      const authorization = `Bearer ${await other.token(user)}`;
      return wire.fetch(url, { ...init, headers: { ...init.headers, authorization } });
    };
    return { fetch, wire };
  }

  it("is not used again, although the client is still configured with it", async () => {
    const base = await both();
    const first = await device(base);
    await first.provisioner.provision();
    const made = await both();
    await first.provisioner.provision();
    await first.provisioner.provision();
    expect(await stored(first)).toEqual(idsOf(made));
    const certificates = await first.store.certificates();

    const { fetch, wire } = await evilWay(base);
    const led = await device(base, { storage: first.storage, client: { fetch } });
    expect(await codeOf(led.provisioner.provision())).toBe("KMS_REFUSED");
    expect(wire.exchanges).toHaveLength(1);
    expect(wire.exchanges[0]!.body).not.toContain(base.ink!.id);
    expect(await stored(led)).toEqual(idsOf(made));
    expect(await led.store.certificates()).toEqual(certificates);
    await first.provisioner.provision();
  });

  it("is not used again once the KMS used the new key, whatever failed then", async () => {
    const base = await both();
    const first = await device(base);
    const made = await both();
    await first.provisioner.provision();
    first.wire.onAnswer = (answer, path) => (path.includes("certcache") ? forged(500)() : answer);
    expect(await codeOf(first.provisioner.provision())).toBe("KMS_REFUSED");
    expect(await stored(first)).toEqual(idsOf(made));
    const { fetch } = await evilWay(base);
    const led = await device(base, { storage: first.storage, client: { fetch } });
    expect(await codeOf(led.provisioner.provision())).toBe("KMS_REFUSED");
    expect(await stored(led)).toEqual(idsOf(made));
  });

  it("is not used after the operator configured another key in its place", async () => {
    const base = await both();
    const first = await device(base);
    await both();
    await first.provisioner.provision();
    await first.provisioner.provision();
    const lost = (await stored(first)).map(({ id }) => id);

    const replaced = await world.kms.admin.newTransportKeys(user, { kinds: ["TrK", "InK"], replace: true });
    const find = (kind: string) => replaced.find((key) => key.kind === kind)!;
    const brought = { trk: find("TrK"), ink: find("InK") };
    const second = await device(brought, { storage: first.storage });
    await second.provisioner.provision();
    expect(second.wire.exchanges.every(({ status }) => status === 200)).toBe(true);
    expect(await stored(second)).toEqual(idsOf(brought));

    for (const old of [base, { trk: { ...base.trk!, id: lost[1]! }, ink: { ...base.ink!, id: lost[0]! } }]) {
      const third = await device(old, { storage: first.storage });
      await third.provisioner.provision();
      expect(third.wire.exchanges.every(({ body }) => body.includes(brought.ink.id))).toBe(true);
    }
  });

  it("is used while the KMS may not know the new key yet", async () => {
    const base = await both();
    const alice = await device(base);
    const made = await both();
    await alice.provisioner.provision();
    alice.wire.onAnswer = (answer, path) =>
      path.endsWith("/init") && alice.wire.exchanges.at(-1)?.status !== 403 ? forged(403)() : answer;
    // The refusal was forged, and the KMS has got the new keys: those before are of no use, the new ones stay.
    expect(await codeOf(alice.provisioner.provision())).not.toBe("none");
    expect(await stored(alice)).toEqual(idsOf(made, false));
    alice.wire.onAnswer = (answer) => answer;
    await alice.provisioner.provision();
    expect(await stored(alice)).toEqual(idsOf(made));
  });
});

describe("a refusal by the KMS when the client has an InK", () => {
  it.each([404, 405, 501])(
    "that is unsigned, with status %i, does not stand for a missing procedure",
    async (status) => {
      const alice = await device(await both());
      alice.wire.onAnswer = (answer, path) => (/certcache|lookup/.test(path) ? forged(status)() : answer);
      expect(await codeOf(alice.provisioner.provision())).toBe("KMS_REFUSED");
    },
  );

  it("that is unsigned is not taken for keys that the KMS does not give out yet", async () => {
    const early = await World.create({ policy: { periodsAhead: 0 } });
    try {
      const keys = await makeTransportKeys(early, ["TrK", "InK"], user);
      const honest = await makeDevice(early, { userUri: user, protection: keys });
      await honest.provisioner.provision();
      expect(honest.wire.exchanges.at(-1)).toMatchObject({ status: 403 });
      expect(await periodsOf(honest, user)).toEqual([PERIOD]);
      const robbed = await makeDevice(early, { userUri: user, protection: keys });
      robbed.wire.onAnswer = (answer, path) =>
        /keyprov.*\/[0-9A-Fa-f]{16}$/.test(path) ? forged(403)() : answer;
      expect(await codeOf(robbed.provisioner.provision())).toBe("KMS_REFUSED");
    } finally {
      await early.close();
    }
  });

  const authentic = async (attempt: Promise<unknown>) =>
    ((await attempt.catch((error: unknown) => error)) as { authentic?: boolean }).authentic;

  it("is genuine when it fits the request and the time, and has an error", async () => {
    const alice = await device(await both());
    const ask = () => alice.client.cert("kms.unknown.example");
    expect(await authentic(ask())).toBe(true);
    const { answer: body, status } = alice.wire.exchanges[0]!;
    expect(body).toContain("SignedKmsResponse");
    const old = { status, body, headers: {} };
    alice.wire.onAnswer = () => old;
    expect(await authentic(ask())).toBe(true);
    expect(await authentic(alice.client.cert("kms.other.example"))).toBe(false);
    expect(await authentic(alice.client.certcache())).toBe(false);
    world.now += 3600_000;
    expect(await authentic(ask())).toBe(false);
    alice.wire.onAnswer = (answer) => ({ ...answer, status: 404 });
    expect(await authentic(alice.client.certcache())).toBe(false);
  });
});

describe("the first request with an InK", () => {
  it("needs an answer signed with the InK", async () => {
    const keys = await both();
    const wire = new Wire(world);
    const client = () =>
      new KmsClient({
        url: ORIGIN,
        userUri: user,
        fetch: wire.fetch,
        token: () => world.token(user),
        now: () => world.now,
        protection: () => keys,
      });
    const stranger = await makeDevice(world, { userUri: "sip:stranger@example.org" });
    await stranger.client.init();
    const { answer } = stranger.wire.exchanges[0]!;
    const body = answer.replaceAll(KMS_URI, "kms.evil.example");
    wire.onAnswer = () => ({ status: 200, headers: {}, body });
    const led = client();
    expect(await codeOf(led.discover())).toBe("KMS_ANSWER_UNSIGNED");
    expect(led.kmsUri).toBeUndefined();
  });
});
