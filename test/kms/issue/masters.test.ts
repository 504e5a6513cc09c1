/** The first master of a KMS, and new ones. */
import { beforeEach, describe, expect, it } from "vitest";
import { KmsDomain } from "../../../bindings/identity/kms-domain.ts";
import { Receiver } from "../../../bindings/identity/receiver.ts";
import { type KeyIssuer, makeKms, type RotateOptions, rotateMaster } from "../../../roles/kms/issue/index.ts";
import type { KmsStore, MasterRecord } from "../../../store/index.ts";
import { onEachDatabase } from "../../support/databases.ts";
import { ALICE } from "../../support/names.ts";
import { seededRandom } from "../../support/random.ts";
import {
  BORDER,
  KMS_URI,
  makeIssuer,
  makeTestKms,
  NOW,
  openStore,
  PERIOD,
  RULE,
  sharedCore,
} from "./issuing.ts";

const PERIOD_MS = RULE.period * 1000;

onEachDatabase("masters", (databases) => {
  let store: KmsStore;
  let first: MasterRecord;
  let issuer: KeyIssuer;

  beforeEach(async () => {
    store = await openStore(await databases.fresh());
    first = await makeTestKms(store);
    await store.enrol([ALICE], NOW);
    issuer = await makeIssuer(store);
  });

  const key = async (periodNo: number) => (await issuer.keys([{ userUri: ALICE, periodNo }]))[0]!;
  const rotate = async (options: Partial<RotateOptions> = {}, seed = "next") =>
    rotateMaster(store, { core: await sharedCore(), random: seededRandom(seed), now: NOW, ...options });

  it("the first master begins with the period before the current one, and there is only one", async () => {
    expect(first).toMatchObject({ fromPeriod: PERIOD - 1, revoked: false, createdAt: NOW });
    expect(first.certificate).toMatchObject({
      kmsUri: KMS_URI,
      role: "Root",
      validFrom: BORDER - 2 * PERIOD_MS,
      userKeyPeriod: RULE.period,
    });
    await expect(makeTestKms(store)).rejects.toMatchObject({ kind: "usage", code: "MASTER_EXISTS" });
    const rule = { userKeyPeriod: RULE.period, userKeyOffset: RULE.offset };
    const options = { core: await sharedCore(), random: seededRandom("x"), now: NOW, kmsUri: KMS_URI };
    await expect(makeKms(store, { ...options, ...rule })).rejects.toMatchObject({ code: "MASTER_EXISTS" });
  });

  it("of processes that start together, one makes the master secret", async () => {
    const empty = await openStore(await databases.fresh());
    const other = await openStore(await databases.again());
    const made = await Promise.allSettled([makeTestKms(empty), makeTestKms(other), makeTestKms(empty)]);
    expect(made.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await empty.masters()).toHaveLength(1);
  });

  it("a new master begins with the first period without keys, where the old one ends", async () => {
    await key(PERIOD + 1);
    const next = await rotate();
    expect(next).toMatchObject({ fromPeriod: PERIOD + 2 });
    expect(next.certificate).toMatchObject({ kmsUri: KMS_URI, validFrom: BORDER + PERIOD_MS });
    expect(next.certificate.certUri).not.toBe(first.certificate.certUri);
    expect(next.certificate.pubEncKey).not.toEqual(first.certificate.pubEncKey);
    expect(next.certificate.pubAuthKey).not.toEqual(first.certificate.pubAuthKey);
    const [old] = await store.masters();
    expect(old).toMatchObject({ untilPeriod: PERIOD + 2, certificate: { validTo: BORDER + PERIOD_MS } });
  });

  it("a new master begins where it is told to, unless that is too late", async () => {
    await key(PERIOD + 1);
    const refused = (fromPeriod: number) => expect(rotate({ fromPeriod })).rejects;
    await refused(PERIOD + 1).toMatchObject({ kind: "usage", code: "PERIOD_ISSUED" });
    for (const period of [PERIOD, PERIOD - 1, PERIOD + 0.5]) {
      await refused(period).toMatchObject({ kind: "usage", code: "BAD_PERIOD" });
    }
    expect(await rotate({ fromPeriod: PERIOD + 5 })).toMatchObject({ fromPeriod: PERIOD + 5 });
    expect(await store.masters()).toHaveLength(2);
  });

  it("keys from before and after a change of masters work with the served certificates", async () => {
    await rotate();
    await issuer.refresh();
    const keySets = [await key(PERIOD), await key(PERIOD + 1)];
    const core = await sharedCore();
    const domains = issuer.certificates().map((certificate) => KmsDomain.load(core, certificate));
    const receiver = Receiver.load(domains, keySets);
    for (const [i, at] of [BORDER - 1, BORDER].entries()) {
      expect(receiver.keyOf(KMS_URI, keySets[i]!.uid, at)?.domain).toBe(domains[i]);
    }
    receiver.destroy();
    for (const domain of domains) domain.destroy();
  });

  describe("a change of masters at once", () => {
    it("covers the current period: its keys and later ones are made anew", async () => {
      const before = { last: await key(PERIOD - 1), now: await key(PERIOD), next: await key(PERIOD + 1) };
      const at = NOW + 1500;
      const next = await rotate({ atOnce: true, now: at });
      expect(next).toMatchObject({ fromPeriod: PERIOD, certificate: { validFrom: NOW + 1000 } });
      await issuer.refresh();
      const after = { last: await key(PERIOD - 1), now: await key(PERIOD), next: await key(PERIOD + 1) };
      expect(after.last.ssk).toEqual(before.last.ssk);
      expect(after.now).toMatchObject({ certUri: next.certificate.certUri, validFrom: NOW + 1000 });
      expect(after.now.uid).toEqual(before.now.uid);
      expect(after.now.ssk).not.toEqual(before.now.ssk);
      expect(after.next.ssk).not.toEqual(before.next.ssk);
      expect(issuer.currentCertificate(at).certUri).toBe(next.certificate.certUri);
      const dropped = (await store.auditLog({ limit: 100 })).filter(({ action }) => action === "drop-issued");
      expect(dropped.map(({ periodNo }) => periodNo)).toEqual([PERIOD, PERIOD + 1]);
    });

    it("replaces a master that has not begun yet, too", async () => {
      const planned = await rotate({ fromPeriod: PERIOD + 3 }, "planned");
      const next = await rotate({ atOnce: true }, "at once");
      await issuer.refresh();
      expect(issuer.certificateAt(PERIOD + 4).certUri).toBe(next.certificate.certUri);
      for (const at of [NOW, BORDER, BORDER + 3 * PERIOD_MS]) {
        expect(issuer.currentCertificate(at).certUri).not.toBe(planned.certificate.certUri);
      }
    });

    it("cannot begin with another period", async () => {
      const refused = rotate({ atOnce: true, fromPeriod: PERIOD + 1 });
      await expect(refused).rejects.toMatchObject({ kind: "usage", code: "BAD_PERIOD" });
    });
  });

  it("a KMS without a first master has nothing to change", async () => {
    const empty = await openStore(await databases.fresh());
    const options = { core: await sharedCore(), random: seededRandom("none"), now: NOW };
    await expect(rotateMaster(empty, options)).rejects.toMatchObject({ kind: "usage", code: "NO_MASTER" });
    const idle = await makeIssuer(empty);
    expect(idle.certificates()).toEqual([]);
    expect(() => idle.certificateAt(PERIOD)).toThrow(expect.objectContaining({ code: "NO_MASTER" }));
  });
});
