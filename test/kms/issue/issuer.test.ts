/** Keys of single requests and of bursts, on both databases. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Initiator } from "../../../bindings/identity/initiator.ts";
import { KmsDomain } from "../../../bindings/identity/kms-domain.ts";
import type { KeySet } from "../../../bindings/identity/kms-material.ts";
import { Receiver } from "../../../bindings/identity/receiver.ts";
import { KmsMaster } from "../../../bindings/kms.ts";
import { type KeyIssuer, rotateMaster } from "../../../roles/kms/issue/index.ts";
import type { KmsStore } from "../../../store/index.ts";
import { onEachDatabase } from "../../support/databases.ts";
import { ALICE, BOB } from "../../support/names.ts";
import { seededRandom } from "../../support/random.ts";
import {
  BORDER,
  KMS_URI,
  makeIssuer,
  makeTestKms,
  NOW,
  openStore,
  PERIOD,
  sharedCore,
  users,
} from "./issuing.ts";

onEachDatabase("the issuer of keys", (databases) => {
  let store: KmsStore;
  let issuer: KeyIssuer;

  beforeEach(async () => {
    store = await openStore(await databases.fresh());
    await makeTestKms(store);
    await store.enrol([ALICE, BOB, ...users(300)], NOW);
    issuer = await makeIssuer(store);
  });

  const one = async (userUri: string, periodNo = PERIOD, from = issuer) =>
    (await from.keys([{ userUri, periodNo }]))[0]!;

  it("the issuer gives keys on which client and certificate agree", async () => {
    const keySets = await issuer.keys([PERIOD, PERIOD + 1].map((periodNo) => ({ userUri: ALICE, periodNo })));
    const core = await sharedCore();
    const domain = KmsDomain.load(core, issuer.certificateAt(PERIOD));
    Receiver.load([domain], keySets).destroy();
    Initiator.load(domain, keySets).destroy();
    domain.destroy();
    const certUri = issuer.currentCertificate(NOW).certUri!;
    expect(certUri).toMatch(/^kms\.home\.example#[0-9a-f]{16}$/);
    expect(keySets).toMatchObject([
      { kmsUri: KMS_URI, certUri, userUri: ALICE, keyPeriodNo: PERIOD, validTo: BORDER },
      { kmsUri: KMS_URI, certUri, userUri: ALICE, keyPeriodNo: PERIOD + 1, validFrom: BORDER },
    ]);
  });

  it("the issuer gives the same keys again, whichever process is asked, and computes them once", async () => {
    const first = await one(ALICE);
    const issueBatch = vi.spyOn(KmsMaster.prototype, "issueBatch");
    const other = await makeIssuer(await openStore(await databases.again()));
    expect(await one(ALICE, PERIOD, other)).toEqual(first);
    expect(await one(ALICE)).toEqual(first);
    expect(issueBatch).not.toHaveBeenCalled();
    issueBatch.mockRestore();
  });

  it("the issuer answers in order, with old, new and repeated keys and several periods", async () => {
    const old = await one(BOB);
    const requests = [
      { userUri: ALICE, periodNo: PERIOD },
      { userUri: BOB, periodNo: PERIOD },
      { userUri: ALICE, periodNo: PERIOD - 1 },
      { userUri: BOB, periodNo: PERIOD },
      { userUri: ALICE, periodNo: PERIOD },
    ];
    const keySets = await issuer.keys(requests);
    expect(keySets.map(({ userUri, keyPeriodNo }) => ({ userUri, periodNo: keyPeriodNo }))).toEqual(requests);
    expect(keySets[1]).toEqual(old);
    expect(keySets[3]).toEqual(old);
    expect(keySets[4]).toEqual(keySets[0]);
    keySets[0]!.rsk.fill(0);
    expect(keySets[4]!.rsk.some((octet) => octet !== 0)).toBe(true);
  });

  it("the issuer handles many requests in one call, and reports its progress", async () => {
    const seen: number[] = [];
    const requests = users(300).map((userUri) => ({ userUri, periodNo: PERIOD }));
    const keySets = await issuer.keys(requests, { onProgress: (done) => seen.push(done) });
    expect(keySets.map((k) => k.userUri)).toEqual(users(300));
    expect(seen.at(-1)).toBe(300);
    expect(new Set(keySets.map((k) => Buffer.from(k.ssk).toString("hex"))).size).toBe(300);
  });

  it("the issuer batches requests that come at the same time", async () => {
    const saveIssued = vi.spyOn(store, "saveIssued");
    const keySets = await Promise.all(users(100).map((uri) => one(uri)));
    expect(keySets.map((k) => k.userUri)).toEqual(users(100));
    expect(saveIssued.mock.calls.length).toBeLessThan(5);
  });

  it("a revoked user in a burst of requests costs the other users nothing", async () => {
    await store.revokeUser(BOB, "left", NOW);
    const answers = await Promise.allSettled([...users(5), BOB, ALICE].map((uri) => one(uri)));
    expect(answers.map(({ status }) => status)).toEqual([
      ...users(5).map(() => "fulfilled"),
      "rejected",
      "fulfilled",
    ]);
    expect((answers[5] as PromiseRejectedResult).reason).toMatchObject({
      kind: "usage",
      code: "USER_REVOKED",
    });
    expect(await store.issuedKeys(BOB, [PERIOD])).toEqual([]);
  });

  it("the issuer records what it issued in the audit log, once", async () => {
    await one(ALICE);
    await one(ALICE);
    const entries = await store.auditLog({ limit: 10, userUri: ALICE });
    expect(entries).toMatchObject([{ action: "issue", actor: "kms", periodNo: PERIOD, outcome: "ok" }]);
  });

  it("the issuer refuses users that are not enrolled, periods without a master, and anything after its end", async () => {
    await expect(one("sip:nobody@home.example")).rejects.toMatchObject({ code: "USER_UNKNOWN" });
    await expect(one(ALICE, PERIOD - 2)).rejects.toMatchObject({ kind: "usage", code: "NO_MASTER" });
    await issuer.destroy();
    await expect(one(ALICE)).rejects.toMatchObject({ kind: "usage", code: "DESTROYED" });
  });

  it("the issuer stops when told to, and keeps what was saved", async () => {
    const uris = users(1500);
    await store.enrol(uris, NOW);
    const reason = new Error("enough");
    const controller = new AbortController();
    const options = { signal: controller.signal, onProgress: () => controller.abort(reason) };
    const requests = uris.map((userUri) => ({ userUri, periodNo: PERIOD }));
    await expect(issuer.keys(requests, options)).rejects.toBe(reason);
    const rest = await store.users({ limit: 2000, notIssued: { period: PERIOD } });
    expect(rest.length).toBeGreaterThan(0);
    expect(rest.length).toBeLessThan(uris.length);
    await expect(issuer.keys(requests.slice(0, 1), options)).rejects.toBe(reason);
  });

  describe("the issuer, when another process changes the master,", () => {
    const secret = (keySet: KeySet) => Buffer.from(keySet.ssk).toString("hex");

    it("uses the new master where it holds", async () => {
      const now = await one(ALICE);
      await rotateMaster(store, { core: await sharedCore(), random: seededRandom("new"), now: NOW });
      const next = await one(ALICE, PERIOD + 1);
      expect(next.certUri).not.toBe(now.certUri);
      expect(next.certUri).toBe(issuer.certificateAt(PERIOD + 1).certUri);
      expect(secret(await one(ALICE))).toBe(secret(now));
      expect(issuer.certificates().map(({ certUri }) => certUri)).toEqual([now.certUri, next.certUri]);
      expect(issuer.currentCertificate(BORDER - 1).certUri).toBe(now.certUri);
      expect(issuer.currentCertificate(BORDER).certUri).toBe(next.certUri);
    });

    it("gives no keys under a revoked certificate, old or new", async () => {
      const { certUri } = await one(ALICE);
      await store.revokeCertificate(certUri!);
      await expect(one(BOB)).rejects.toMatchObject({ kind: "usage", code: "MASTER_REVOKED" });
      await issuer.refresh();
      await expect(one(ALICE)).rejects.toMatchObject({ kind: "usage", code: "MASTER_REVOKED" });
      expect(() => issuer.currentCertificate(NOW)).toThrow(expect.objectContaining({ code: "NO_MASTER" }));
    });
  });
});
