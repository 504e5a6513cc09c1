/** Certificates through their life: change of master secrets, replacement, other KMSs, revocation. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  type KmsDomain,
  MemoryReceiverState,
  openMessage,
  Receiver,
  sealMessage,
} from "../../../bindings/index.ts";
import { KeyStore, KmsTrust, loadKeys, MemoryStorage } from "../../../roles/identity/index.ts";
import { loadDomains } from "../../../roles/identity/load-keys.ts";
import { takeCertificates } from "../../../roles/identity/take-certificates.ts";
import { heldKeySets } from "../../../roles/identity/take-keys.ts";
import { ALICE, GMS, KMS_URI, NOW, PERIOD, sharedCore, World } from "../../kms/running-kms.ts";
import { seededRandom } from "../../support/random.ts";
import { AWAY_KMS, ERIN, makeKms, type TestKms } from "../../support/world.ts";
import { type Device, makeDevice, periodsOf } from "./device.ts";

const PERIOD_MS = 2592000_000;
const destroy = (domains: readonly KmsDomain[]) => {
  for (const domain of domains) domain.destroy();
};

describe("a change of the KMS's master secrets", () => {
  let world: World;
  beforeEach(async () => {
    world = await World.create();
  });
  afterEach(() => world?.close());

  const certUris = async ({ store }: Device) =>
    (await store.certificates(KMS_URI)).map(({ certificate }) => certificate.certUri);

  /** Returns whether a message of the GMS to Alice at the present time is accepted. */
  async function reaches(gms: Device, alice: Device): Promise<boolean> {
    const core = await sharedCore();
    const sender = await loadKeys(core, gms.store, gms.trust, { userUri: GMS });
    const member = await loadKeys(core, alice.store, alice.trust, { userUri: ALICE });
    expect([...sender.rejected, ...member.rejected]).toEqual([]);
    try {
      const keys = { initiator: sender.initiator, domains: sender.domains, random: seededRandom("gmk") };
      const request = { kind: "GMK" as const, members: [{ uri: ALICE }], parameters: {} };
      const { messages } = await sealMessage(request, keys, world.now);
      const opened = await openMessage(messages[0]!.octets, {
        receiver: member.receiver,
        state: new MemoryReceiverState(),
        now: world.now,
        allow: ["GMK"],
        authorise: () => true,
      });
      return opened.outcome === "accepted";
    } finally {
      sender.destroy();
      member.destroy();
    }
  }

  it("reaches the client in time, which holds keys of both certificates side by side", async () => {
    const [gms, alice] = [await makeDevice(world, { userUri: GMS }), await makeDevice(world)];
    const both = [gms, alice];
    for (const { provisioner } of both) await provisioner.provision();
    const { fromPeriod } = await world.kms.admin.rotateMaster();
    expect(fromPeriod).toBe(PERIOD + 2);
    for (const step of [0, 1, 2]) {
      world.now = NOW + step * PERIOD_MS;
      for (const { provisioner } of both) await provisioner.provision();
      expect(await certUris(alice)).toHaveLength(2);
      expect(await reaches(gms, alice)).toBe(true);
    }
    expect(await periodsOf(alice)).toEqual([PERIOD + 1, PERIOD + 2, PERIOD + 3]);
    const keySets = await alice.store.keySets(ALICE, KMS_URI);
    expect(new Set(keySets.map(({ certUri }) => certUri)).size).toBe(2);
  });

  it("at once makes the present keys useless, and the client gets new ones", async () => {
    const [gms, alice] = [await makeDevice(world, { userUri: GMS }), await makeDevice(world)];
    for (const { provisioner } of [gms, alice]) await provisioner.provision();
    world.now += 60_000;
    await world.kms.admin.rotateMaster({ atOnce: true });
    world.now += 60_000;
    alice.wire.take();
    for (const { provisioner } of [gms, alice]) await provisioner.provision();
    expect(alice.wire.take().at(-1)).toMatch(/^keyprov/);
    expect(alice.events.filter((e) => e.type === "certificate").map((e) => e.change)).toContain("added");
    expect(await reaches(gms, alice)).toBe(true);
  });
});

describe("a new certificate with the CertUri of a stored one", () => {
  it("replaces the stored one, and keys that do not belong to it any more are dropped", async () => {
    const core = await sharedCore();
    const certUri = "cert://home/1";
    const [one, two] = [makeKms(core, "kms.one", { certUri }), makeKms(core, "kms.two", { certUri })];
    const store = new KeyStore(new MemoryStorage());
    const trust = new KmsTrust({ home: "kms.one" });
    const tools = { core, store, trust, from: "kms.one" };
    await takeCertificates([one.certificate], tools);
    await store.putKeySet({ ...one.keySet(ALICE), certUri });

    const unchanged = await takeCertificates([{ ...one.certificate }], tools);
    expect(unchanged).toEqual([]);
    const longer = await takeCertificates([{ ...one.certificate, validTo: NOW + PERIOD_MS }], tools);
    expect(longer.map(({ change }) => change)).toEqual(["replaced"]);
    let domains = await loadDomains(core, store, trust);
    expect(await heldKeySets(ALICE, "kms.one", domains, store)).toHaveLength(1);
    destroy(domains);

    const { pubEncKey, pubAuthKey } = two.certificate;
    await takeCertificates([{ ...one.certificate, pubEncKey, pubAuthKey }], tools);
    expect(await store.certificates()).toHaveLength(1);
    domains = await loadDomains(core, store, trust);
    expect(await heldKeySets(ALICE, "kms.one", domains, store)).toEqual([]);
    expect(await store.keySets(ALICE, "kms.one")).toEqual([]);
    destroy(domains);
  });
});

describe("certificates of other KMSs", () => {
  let world: World;
  let away: TestKms;
  beforeAll(async () => {
    world = await World.create();
    away = makeKms(await sharedCore(), AWAY_KMS, { certUri: "cert://away/1", role: "External" });
  });
  afterAll(() => world?.close());
  beforeEach(async () => {
    await world.kms.admin.putCertificate(away.certificate, "external");
  });

  const kmsUris = async ({ store }: Device) =>
    (await store.certificates()).map(({ certificate }) => certificate.kmsUri).sort();

  it("come from the Home KMS, and messages to their users can be sealed", async () => {
    const gms = await makeDevice(world, { userUri: GMS });
    await gms.provisioner.provision();
    expect(await kmsUris(gms)).toEqual([AWAY_KMS, KMS_URI]);
    // The certificates that the Home KMS lists are stored, so a restarted client has them.
    const trust = new KmsTrust({ home: KMS_URI });
    const sender = await loadKeys(await sharedCore(), gms.store, trust, { userUri: GMS });
    const { messages } = await sealMessage(
      { kind: "GMK", members: [{ uri: ERIN, kmsUri: AWAY_KMS }], parameters: {} },
      { initiator: sender.initiator, domains: sender.domains, random: seededRandom("gmk") },
      NOW,
    );
    const receiver = Receiver.load([...sender.domains, away.domain], [away.keySet(ERIN)]);
    const opened = await openMessage(messages[0]!.octets, {
      receiver,
      state: new MemoryReceiverState(),
      now: NOW,
      allow: ["GMK"],
      authorise: ({ uri }) => uri === GMS,
    });
    expect(opened.outcome).toBe("accepted");
    receiver.destroy();
    sender.destroy();
  });

  it("are not taken for KMSs that the configuration does not name, when only the configuration counts", async () => {
    const strict = { home: KMS_URI, acceptListed: false };
    const device = await makeDevice(world, { trust: new KmsTrust(strict) });
    await device.provisioner.provision();
    expect(await kmsUris(device)).toEqual([KMS_URI]);
    expect(device.wire.take()).not.toContain("lookup");
    const named = await makeDevice(world, { trust: new KmsTrust({ ...strict, external: [AWAY_KMS] }) });
    await named.provisioner.provision();
    expect(await kmsUris(named)).toEqual([AWAY_KMS, KMS_URI]);
  });

  it("are dropped when the Home KMS no longer lists them", async () => {
    const device = await makeDevice(world);
    await device.provisioner.provision();
    await world.kms.admin.removeCertificate(AWAY_KMS);
    await device.provisioner.provision();
    expect(await kmsUris(device)).toEqual([KMS_URI]);
    expect(device.events.filter((e) => e.type === "certificate").at(-1)).toMatchObject({ change: "removed" });
  });

  it("are not used once they are revoked", async () => {
    const device = await makeDevice(world);
    await device.provisioner.provision();
    await world.kms.admin.putCertificate({ ...away.certificate, revoked: true }, "external");
    await device.provisioner.provision();
    const domains = await loadDomains(await sharedCore(), device.store, device.trust);
    expect(domains.map(({ kmsUri }) => kmsUri)).toEqual([KMS_URI]);
    destroy(domains);
  });

  it("vouch for the users that the Home KMS lists for a KMS, whatever that KMS lists of itself", async () => {
    const core = await sharedCore();
    const store = new KeyStore(new MemoryStorage());
    const trust = new KmsTrust({ home: KMS_URI, migration: [AWAY_KMS] });
    const take = (from: string, ...kmsDomains: string[]) =>
      takeCertificates([{ ...away.certificate, ...(kmsDomains.length > 0 && { kmsDomains }) }], {
        core,
        store,
        trust,
        from,
      });
    const vouchesFor = async (...uris: string[]) => {
      const [domain] = await loadDomains(core, store, trust);
      const answers = uris.map((uri) => domain!.vouchesFor(uri));
      domain!.destroy();
      return answers;
    };
    await take(AWAY_KMS, "home.example", "away.example");
    expect(await vouchesFor(ERIN, GMS)).toEqual([false, false]);
    await take(KMS_URI, "away.example");
    expect(await vouchesFor(ERIN, GMS)).toEqual([true, false]);
    await take(AWAY_KMS, "home.example");
    expect(await vouchesFor(ERIN, GMS)).toEqual([true, false]);
    await take(KMS_URI);
    expect(await vouchesFor(ERIN, GMS)).toEqual([false, false]);
  });

  it("stay revoked when the Home KMS revoked them, whatever their KMS says, until the Home KMS says otherwise", async () => {
    const core = await sharedCore();
    const store = new KeyStore(new MemoryStorage());
    const trust = new KmsTrust({ home: KMS_URI, migration: [AWAY_KMS] });
    const tools = { core, store, trust };
    const revoked = async () =>
      (await store.certificates()).map((known) => known.certificate.revoked === true);
    const own = away.certificate;
    await takeCertificates([own], { ...tools, from: AWAY_KMS });
    const longer = { ...own, validTo: NOW + PERIOD_MS };
    expect(await takeCertificates([longer], { ...tools, from: KMS_URI })).toEqual([]);
    await takeCertificates([{ ...own, revoked: true }], { ...tools, from: KMS_URI });
    expect(await revoked()).toEqual([true]);
    expect(await takeCertificates([own], { ...tools, from: AWAY_KMS })).toEqual([]);
    expect(await revoked()).toEqual([true]);
    await takeCertificates([own], { ...tools, from: KMS_URI });
    await takeCertificates([longer], { ...tools, from: AWAY_KMS });
    expect(await store.certificates()).toEqual([{ certificate: longer, from: AWAY_KMS }]);
  });

  it("that are bad do not cost the user's keys", async () => {
    const core = await sharedCore();
    const store = new KeyStore(new MemoryStorage());
    const home = makeKms(core, KMS_URI);
    const bad = { ...away.certificate, pubEncKey: home.certificate.pubEncKey.slice().fill(9, 1) };
    const tools = {
      core,
      store,
      trust: new KmsTrust({ home: KMS_URI, external: [AWAY_KMS] }),
      from: KMS_URI,
    };
    const changes = await takeCertificates([bad, home.certificate], tools);
    expect(changes.map(({ change }) => change)).toEqual(["refused", "added"]);
    expect(changes[0]!.error!.code).toBe("BAD_PUBLIC_ENCRYPTION_KEY");
  });

  it("are not taken from a Migration KMS, least of all the certificate of the Home KMS", async () => {
    const core = await sharedCore();
    const store = new KeyStore(new MemoryStorage());
    const trust = new KmsTrust({ home: KMS_URI, migration: [AWAY_KMS], external: ["kms.third.example"] });
    const lies = [makeKms(core, KMS_URI).certificate, makeKms(core, "kms.third.example").certificate];
    await takeCertificates([...lies, away.certificate], { core, store, trust, from: AWAY_KMS });
    expect((await store.certificates()).map(({ certificate }) => certificate.kmsUri)).toEqual([AWAY_KMS]);
  });
});
