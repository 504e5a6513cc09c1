/** Transport keys, replays, the audit log and the certificates of other KMSs. */
import { describe, expect, it } from "vitest";
import type { TransportKeyRecord } from "../../store/kms/records.ts";
import { onEachDatabase } from "../support/databases.ts";
import { seededRandom } from "../support/random.ts";
import { ALICE, BOB, certificate, openStore } from "./records.ts";

function transportKey(id: string, changes: Partial<TransportKeyRecord> = {}): TransportKeyRecord {
  const key = seededRandom(`transport key ${id}`)(32);
  return { id, userUri: ALICE, kind: "TrK", state: "pending", createdAt: 1, key, ...changes };
}

onEachDatabase("records", ({ fresh, again }) => {
  describe("stored transport keys", () => {
    it("are read as they were written", async () => {
      const store = await openStore(await fresh());
      const keys = [
        transportKey("k1", { createdAt: 2 }),
        transportKey("k2", { kind: "InK", state: "active", createdAt: 3 }),
      ];
      for (const key of keys.toReversed()) await store.addTransportKey(key);
      await store.addTransportKey(transportKey("k3", { userUri: BOB }));
      expect(await store.transportKeys(ALICE)).toEqual(keys);
      expect(await store.transportKey("k1")).toEqual(keys[0]);
      expect(await store.transportKey("k9")).toBeUndefined();
      await expect(store.addTransportKey(keys[0]!)).rejects.toMatchObject({ code: "TRANSPORT_KEY_EXISTS" });
    });

    it("retire the previous ones of the same user and kind when they become active", async () => {
      const store = await openStore(await fresh());
      await store.addTransportKey(transportKey("trk1", { state: "active" }));
      await store.addTransportKey(transportKey("ink1", { state: "active", kind: "InK" }));
      await store.addTransportKey(transportKey("bob1", { state: "active", userUri: BOB }));
      await store.addTransportKey(transportKey("trk2"));
      await store.activate("trk2");
      await store.activate("trk2");
      await store.addTransportKey(transportKey("ink2", { state: "active", kind: "InK" }));
      const states = [...(await store.transportKeys(ALICE)), ...(await store.transportKeys(BOB))];
      expect(Object.fromEntries(states.map(({ id, state }) => [id, state]))).toEqual({
        trk1: "retired",
        trk2: "active",
        ink1: "retired",
        ink2: "active",
        bob1: "active",
      });
      await expect(store.activate("trk1")).rejects.toMatchObject({ code: "TRANSPORT_KEY_RETIRED" });
      await expect(store.activate("trk9")).rejects.toMatchObject({ code: "TRANSPORT_KEY_UNKNOWN" });
    });

    it("are replaced together with all that are pending, or not at all", async () => {
      const store = await openStore(await fresh());
      await store.addTransportKey(transportKey("trk1", { state: "active" }));
      await store.addTransportKey(transportKey("ink1", { state: "active", kind: "InK" }));
      await store.addTransportKey(transportKey("trk2"));
      await store.addTransportKey(transportKey("ink2", { kind: "InK" }));
      await store.addTransportKey(transportKey("bob1", { userUri: BOB }));
      const states = async () => {
        const keys = [...(await store.transportKeys(ALICE)), ...(await store.transportKeys(BOB))];
        return Object.fromEntries(keys.map(({ id, state }) => [id, state]));
      };
      const before = await states();
      const trk3 = transportKey("trk3");
      const taken = transportKey("bob1", { kind: "InK" });
      await expect(store.replaceTransportKeys(ALICE, [trk3, taken])).rejects.toMatchObject({
        code: "TRANSPORT_KEY_EXISTS",
      });
      expect(await states()).toEqual(before);
      await store.replaceTransportKeys(ALICE, [trk3]);
      expect(await states()).toEqual({
        trk1: "retired",
        trk2: "retired",
        trk3: "active",
        ink1: "active",
        ink2: "retired",
        bob1: "pending",
      });
      const late = transportKey("trk4");
      await expect(store.addTransportKey(late, { under: "trk1" })).rejects.toMatchObject({
        code: "TRANSPORT_KEY_RETIRED",
      });
      expect(await store.transportKey("trk4")).toBeUndefined();
      await store.addTransportKey(late, { under: "trk3" });
    });

    it("leave one active when two are activated at once", async () => {
      const store = await openStore(await fresh());
      const other = await openStore(await again());
      const ids = Array.from({ length: 12 }, (_, i) => `k${i}`);
      for (const id of ids) await store.addTransportKey(transportKey(id));
      await Promise.all(ids.map((id, i) => (i % 2 === 0 ? store : other).activate(id)));
      const states = (await store.transportKeys(ALICE)).map(({ state }) => state);
      expect(states.filter((state) => state === "active")).toHaveLength(1);
      expect(states.filter((state) => state === "retired")).toHaveLength(11);
    });
  });

  describe("the replay record of request digests", () => {
    const digest = (n: number) => seededRandom(`digest ${n}`)(32);

    it("reports a repeated digest until it expires", async () => {
      let now = 50;
      const store = await openStore(await fresh(), { now: () => now });
      const remember = (n: number, expires: number, at: number) => {
        now = at;
        return store.remember(digest(n), expires);
      };
      expect(await remember(1, 100, 50)).toBe(true);
      expect(await remember(1, 100, 50)).toBe(false);
      expect(await remember(2, 100, 50)).toBe(true);
      expect(await remember(1, 100, 99)).toBe(false);
      expect(await remember(1, 200, 100)).toBe(true);
      expect(await remember(1, 200, 150)).toBe(false);
    });

    it("accepts one of many simultaneous copies, on any process", async () => {
      const now = () => 50;
      const store = await openStore(await fresh(), { now });
      const other = await openStore(await again(), { now });
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? store : other).remember(digest(1), 100)),
      );
      expect(answers.filter(Boolean)).toHaveLength(1);
    });

    it("is cleared of expired digests", async () => {
      const db = await fresh();
      let now = 50;
      const store = await openStore(db, { now: () => now });
      for (let i = 0; i < 40; i++) await store.remember(digest(i), 100);
      now = 200;
      for (let i = 40; i < 44; i++) await store.remember(digest(i), 300);
      expect((await db.query("SELECT expires FROM kms_seen WHERE expires <= 200")).rows).toEqual([]);
      expect((await db.query("SELECT expires FROM kms_seen")).rows).toHaveLength(4);
    });
  });

  describe("the stored audit log", () => {
    it("keeps entries in order, with all that they hold", async () => {
      const store = await openStore(await fresh());
      const full = {
        at: 1,
        actor: "client 1",
        action: "keyprov",
        userUri: ALICE,
        periodNo: 3,
        outcome: "refused" as const,
        code: "KMS_FORBIDDEN",
        requestId: "r1",
        detail: { reason: 'a "reason"', list: [1, null] },
      };
      const bare = { at: 2, actor: "admin", action: "rotate", outcome: "ok" as const };
      await store.audit(full);
      await store.auditAll([bare, { ...full, userUri: BOB }, bare]);
      await store.auditAll([]);
      const log = await store.auditLog({ limit: 10 });
      expect(log.map(({ id, ...entry }) => entry)).toEqual([full, bare, { ...full, userUri: BOB }, bare]);
      const ids = log.map(({ id }) => id);
      expect(ids).toEqual([...ids].sort((a, b) => a - b));
      expect(await store.auditLog({ limit: 2, after: ids[1]! })).toEqual(log.slice(2));
      expect(await store.auditLog({ limit: 2, userUri: BOB })).toEqual([log[2]]);
    });
  });

  describe("certificates of other KMSs", () => {
    it("replace those with the same CertUri, and are deleted with their KMS", async () => {
      const store = await openStore(await fresh());
      const away = (certUri: string, issuer = "") =>
        certificate(certUri, { kmsUri: "kms.away.example", issuer });
      const far = certificate("z", { kmsUri: "kms.far.example" });
      const { certUri, ...nameless } = certificate("n", { kmsUri: "kms.nameless.example" });
      await store.putOtherCertificate(away("a1", "old"), "external");
      await store.putOtherCertificate(away("a1", "new"), "external");
      await store.putOtherCertificate(away("a2"), "external");
      await store.putOtherCertificate(far, "migration");
      await store.putOtherCertificate(nameless, "external");
      expect((await store.otherCertificates()).certificates).toEqual([
        { certificate: away("a1", "new"), kind: "external" },
        { certificate: away("a2"), kind: "external" },
        { certificate: far, kind: "migration" },
        { certificate: nameless, kind: "external" },
      ]);
      await store.removeOtherCertificate("kms.away.example");
      expect((await store.otherCertificates()).certificates).toHaveLength(2);
      await expect(store.removeOtherCertificate("kms.away.example")).rejects.toMatchObject({
        code: "UNKNOWN_CERTIFICATE",
      });
    });
  });
});
