/** Masters: which one is that of a period, and what a new one does to those before. */
import { expect, it } from "vitest";
import { masterOf } from "../../store/kms/records.ts";
import { onEachDatabase } from "../support/databases.ts";
import { ALICE, BOB, certificate, issuedKey, newMaster, openStore } from "./records.ts";

onEachDatabase("masters", ({ fresh }) => {
  it("masters are read as they were stored, secrets apart", async () => {
    const store = await openStore(await fresh());
    const master = newMaster("c1", 7, { validFrom: 10, validTo: 20, kmsDomains: ["a", "b"], issuer: "ü" });
    const record = await store.addMaster(master);
    const { secrets, ...rest } = master;
    expect(record).toEqual({ id: 1, revoked: false, ...rest });
    expect(await store.masters()).toEqual([record]);
    expect(await store.masterSecrets(1)).toEqual(secrets);
    await expect(store.masterSecrets(2)).rejects.toMatchObject({ code: "UNKNOWN_MASTER" });
  });

  it("masters hold from their first period on, in whatever order they are stored", async () => {
    const store = await openStore(await fresh());
    for (const [name, from] of [
      ["a", 0],
      ["b", 100],
      ["c", 90],
      ["d", 120],
    ] as const) {
      await store.addMaster(newMaster(name, from));
    }
    const masters = await store.masters();
    const ranges = masters.map((m) => [m.certificate.certUri, m.fromPeriod, m.untilPeriod]);
    expect(ranges).toEqual([
      ["a", 0, 90],
      ["c", 90, 120],
      ["b", 100, 90],
      ["d", 120, undefined],
    ]);
    const at = [0, 89, 90, 100, 119, 120, 999].map((p) => masterOf(masters, p)?.certificate.certUri);
    expect(at).toEqual(["a", "a", "c", "c", "c", "d", "d"]);
    await store.enrol([ALICE], 1);
    for (const period of [0, 89, 90, 100, 119, 120, 999]) {
      const { id } = masterOf(masters, period)!;
      expect(await store.saveIssued([issuedKey(ALICE, period, id)])).toEqual({ saved: 1 });
    }
  });

  it("masters end the previous certificates where their own begins", async () => {
    const store = await openStore(await fresh());
    await store.addMaster(newMaster("a", 0));
    await store.addMaster(newMaster("b", 10, { validFrom: 5000, validTo: 9000 }));
    await store.addMaster(newMaster("c", 20, { validFrom: 7000 }));
    await store.addMaster(newMaster("d", 30, { validFrom: 8000 }));
    const ends = (await store.masters()).map(({ certificate: c }) => [c.certUri, c.validTo]);
    expect(ends).toEqual([
      ["a", 5000],
      ["b", 7000],
      ["c", 8000],
      ["d", undefined],
    ]);
  });

  it("masters are refused for periods whose keys another master issued", async () => {
    const store = await openStore(await fresh());
    await store.addMaster(newMaster("a", 0));
    await store.enrol([ALICE, BOB], 1);
    await store.saveIssued([issuedKey(ALICE, 5), issuedKey(ALICE, 6), issuedKey(BOB, 6)]);
    await expect(store.addMaster(newMaster("b", 6))).rejects.toMatchObject({
      kind: "usage",
      code: "PERIOD_ISSUED",
    });
    expect(await store.masters()).toHaveLength(1);
    expect((await store.addMaster(newMaster("b", 7))).id).toBe(2);
  });

  it("masters that begin at once drop those keys, and the audit log records it", async () => {
    const store = await openStore(await fresh());
    await store.addMaster(newMaster("a", 0));
    await store.enrol([ALICE, BOB], 1);
    await store.saveIssued([issuedKey(ALICE, 5), issuedKey(ALICE, 6), issuedKey(BOB, 6)]);
    await store.addMaster(newMaster("b", 6), { replaceIssued: true, actor: "admin" });
    expect((await store.issuedKeys(ALICE, [5, 6])).map((k) => k.periodNo)).toEqual([5]);
    const log = await store.auditLog({ limit: 10 });
    expect(log.map(({ id, ...entry }) => entry).sort((x, y) => (x.userUri! < y.userUri! ? -1 : 1))).toEqual(
      [ALICE, BOB].map((userUri) => ({
        at: 1006,
        actor: "admin",
        action: "drop-issued",
        userUri,
        periodNo: 6,
        outcome: "ok",
        detail: { masterId: 1 },
      })),
    );
    await expect(store.saveIssued([issuedKey(ALICE, 6, 1)])).rejects.toMatchObject({
      kind: "usage",
      code: "MASTER_REPLACED",
    });
    expect(await store.saveIssued([issuedKey(ALICE, 6, 2)])).toEqual({ saved: 1 });
  });

  it("masters are those of one KMS with one period rule, each with a CertUri of its own", async () => {
    const store = await openStore(await fresh());
    await store.addMaster(newMaster("a", 0), { first: true });
    const refused = (name: string, code: string, changes = {}, options = {}) =>
      expect(store.addMaster(newMaster(name, 1, changes), options), code).rejects.toMatchObject({
        kind: "usage",
        code,
      });
    await refused("b", "MASTER_EXISTS", {}, { first: true });
    await refused("a", "CERTIFICATE_EXISTS");
    await refused("b", "OTHER_KMS", { kmsUri: "kms.away.example" });
    await refused("b", "OTHER_KEY_PERIODS", { userKeyPeriod: 60 });
    await refused("b", "OTHER_KEY_PERIODS", { userKeyOffset: 60 });
    expect(await store.masters()).toHaveLength(1);
  });

  it("masters issue nothing more once their certificate is revoked", async () => {
    const store = await openStore(await fresh());
    await store.addMaster(newMaster("a", 0));
    await store.enrol([ALICE], 1);
    await store.saveIssued([issuedKey(ALICE, 1)]);
    await store.revokeCertificate("a");
    const [master] = await store.masters();
    expect(master).toMatchObject({ revoked: true, certificate: { revoked: true } });
    await expect(store.saveIssued([issuedKey(ALICE, 2)])).rejects.toMatchObject({ code: "MASTER_REVOKED" });
    await expect(store.revokeCertificate("b")).rejects.toMatchObject({ code: "UNKNOWN_CERTIFICATE" });
  });

  it("masters have a number that counts every change of a certificate", async () => {
    const store = await openStore(await fresh());
    const counts = [(await store.otherCertificates()).cacheNum];
    const changes = [
      () => store.addMaster(newMaster("a", 0)),
      () => store.revokeCertificate("a"),
      () => store.putOtherCertificate(certificate("x", { kmsUri: "kms.away.example" }), "external"),
      () => store.putOtherCertificate(certificate("x", { kmsUri: "kms.away.example" }), "migration"),
      () => store.revokeCertificate("x"),
      () => store.removeOtherCertificate("kms.away.example"),
    ];
    for (const change of changes) {
      await change();
      counts.push((await store.otherCertificates()).cacheNum);
    }
    for (const [i, count] of counts.slice(1).entries()) expect(count).toBeGreaterThan(counts[i]!);
  });
});
