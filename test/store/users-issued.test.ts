/** Users and the keys they were issued. */
import { describe, expect, it } from "vitest";
import { onEachDatabase } from "../support/databases.ts";
import { ALICE, BOB, issuedKey, newMaster, openStore, uris } from "./records.ts";

onEachDatabase("users and issued keys", ({ fresh }) => {
  describe("users of the KMS store", () => {
    it("are enrolled once", async () => {
      const store = await openStore(await fresh());
      expect(await store.enrol([BOB, ALICE, BOB], 10)).toBe(2);
      expect(await store.enrol([ALICE, "sip:carol@home.example"], 20)).toBe(1);
      expect(await store.user(ALICE)).toEqual({ uri: ALICE, enrolledAt: 10 });
      expect(await store.user("sip:nobody@home.example")).toBeUndefined();
      await expect(store.enrol([""], 1)).rejects.toMatchObject({ code: "STORE_VALUE" });
      await expect(store.enrol([`sip:${"x".repeat(3000)}`], 1)).rejects.toMatchObject({
        code: "STORE_VALUE",
      });
    });

    it("are listed in pages, in the order of their octets", async () => {
      const store = await openStore(await fresh());
      const all = ["sip:Z", "sip:a", "sip:b", "sip:z", "sip:ä", "tel:+1"];
      await store.enrol([...all].reverse(), 1);
      const found: string[] = [];
      for (;;) {
        const after = found.at(-1);
        const page = await store.users({ limit: 4, ...(after === undefined ? {} : { after }) });
        if (page.length === 0) break;
        found.push(...page.map(({ uri }) => uri));
      }
      expect(found).toEqual(all);
    });

    it("without keys of a period are found, unless revoked", async () => {
      const store = await openStore(await fresh());
      await store.addMaster(newMaster("a", 0));
      const [a, b, c, d] = uris(4) as [string, string, string, string];
      await store.enrol([a, b, c, d], 1);
      await store.saveIssued([issuedKey(a, 5), issuedKey(b, 6)]);
      await store.revokeUser(c, "lost", 2);
      const open = async (period: number) =>
        (await store.users({ limit: 10, notIssued: { period } })).map(({ uri }) => uri);
      expect(await open(5)).toEqual([b, d]);
      expect(await open(6)).toEqual([a, d]);
      expect(await open(7)).toEqual([a, b, d]);
    });

    it("get no keys saved while revoked, and none unless enrolled", async () => {
      const store = await openStore(await fresh());
      await store.addMaster(newMaster("a", 0));
      await store.enrol([ALICE, BOB], 1);
      await store.revokeUser(ALICE, "device lost", 7);
      await store.revokeUser(ALICE, "device stolen", 8);
      expect(await store.user(ALICE)).toEqual({
        uri: ALICE,
        enrolledAt: 1,
        revokedAt: 7,
        reason: "device stolen",
      });
      await store.enrol([ALICE], 9);
      const both = [issuedKey(BOB, 1), issuedKey(ALICE, 1)];
      await expect(store.saveIssued(both)).rejects.toMatchObject({ kind: "usage", code: "USER_REVOKED" });
      expect(await store.issuedKeys(BOB, [1])).toEqual([]);
      await store.reinstateUser(ALICE);
      expect(await store.user(ALICE)).toEqual({ uri: ALICE, enrolledAt: 1 });
      expect(await store.saveIssued(both)).toEqual({ saved: 2 });
      const unknown = "sip:eve@home.example";
      for (const call of [
        () => store.saveIssued([issuedKey(unknown, 1)]),
        () => store.reinstateUser(unknown),
      ]) {
        await expect(call()).rejects.toMatchObject({ kind: "usage", code: "USER_UNKNOWN" });
      }
      await store.revokeUser(unknown, "stranger", 10);
      await store.enrol([unknown], 11);
      expect(await store.user(unknown)).toMatchObject({ enrolledAt: 10, revokedAt: 10, reason: "stranger" });
    });
  });

  describe("issued keys", () => {
    const prepared = async () => {
      const store = await openStore(await fresh());
      await store.addMaster(newMaster("a", 0));
      await store.enrol([ALICE, BOB], 1);
      return store;
    };

    it("are read as they were written", async () => {
      const store = await prepared();
      const keys = [issuedKey(ALICE, 9), issuedKey(ALICE, 10), issuedKey(BOB, 9)] as const;
      expect(await store.saveIssued(keys)).toEqual({ saved: 3 });
      expect(await store.issuedKeys(ALICE, [10, 9, 9, 8])).toEqual([keys[0], keys[1]]);
      const requests = [keys[2], { userUri: BOB, periodNo: 10 }, keys[0], keys[2]];
      expect(await store.issuedFor(requests)).toEqual([keys[2], undefined, keys[0], keys[2]]);
      expect(await store.issuedFor([])).toEqual([]);
      expect(await store.saveIssued([])).toEqual({ saved: 0 });
    });

    it("are saved again without an error and without a change", async () => {
      const store = await prepared();
      const key = issuedKey(ALICE, 9);
      await store.saveIssued([key]);
      const again = [{ ...key, issuedAt: 6000 }, issuedKey(BOB, 9)];
      expect(await store.saveIssued(again)).toEqual({ saved: 1 });
      expect(await store.issuedKeys(ALICE, [9])).toEqual([key]);
    });

    it("are all refused when one in the call differs from an earlier one", async () => {
      const store = await prepared();
      const key = issuedKey(ALICE, 9);
      const other = { ...key, pvt: issuedKey(ALICE, 10).pvt };
      const twice = { kind: "crypto", code: "ISSUED_TWICE" };
      await expect(store.saveIssued([key, other])).rejects.toMatchObject(twice);
      await store.saveIssued([key]);
      await expect(store.saveIssued([issuedKey(BOB, 9), other])).rejects.toMatchObject(twice);
      expect(await store.issuedKeys(BOB, [9])).toEqual([]);
      expect(await store.issuedKeys(ALICE, [9])).toEqual([key]);
    });

    it("need a master", async () => {
      const store = await openStore(await fresh());
      await store.enrol([ALICE], 1);
      await expect(store.saveIssued([issuedKey(ALICE, 9)])).rejects.toMatchObject({
        code: "MASTER_REPLACED",
      });
    });

    it("are logged in the same transaction, each once", async () => {
      const store = await prepared();
      const audit = { actor: "job", requestId: "r1" };
      await store.saveIssued([issuedKey(ALICE, 9)]);
      expect(await store.saveIssued([issuedKey(ALICE, 9), issuedKey(BOB, 9)], audit)).toEqual({ saved: 1 });
      expect(await store.saveIssued([issuedKey(BOB, 9)], audit)).toEqual({ saved: 0 });
      await expect(store.saveIssued([issuedKey(BOB, 10), issuedKey(BOB, 9, 2)], audit)).rejects.toThrow();
      const log = await store.auditLog({ limit: 10 });
      expect(log.map(({ id, ...entry }) => entry)).toEqual([
        { at: 5000, ...audit, action: "issue", userUri: BOB, periodNo: 9, outcome: "ok" },
      ]);
    });

    it("of earlier periods are purged", async () => {
      const store = await prepared();
      await store.saveIssued([8, 9, 10].map((period) => issuedKey(ALICE, period)));
      expect(await store.purgeIssuedBefore(10)).toBe(2);
      expect((await store.issuedKeys(ALICE, [8, 9, 10])).map((k) => k.periodNo)).toEqual([10]);
    });

    it("do not open in another row", async () => {
      const db = await fresh();
      const store = await openStore(db);
      await store.addMaster(newMaster("a", 0));
      await store.enrol([ALICE, BOB], 1);
      await store.saveIssued([issuedKey(ALICE, 9), issuedKey(BOB, 9)]);
      await db.query(
        "UPDATE kms_issued SET sealed = (SELECT sealed FROM kms_issued WHERE user_uri = $1) WHERE user_uri = $2",
        [BOB, ALICE],
      );
      await expect(store.issuedKeys(ALICE, [9])).rejects.toMatchObject({
        kind: "crypto",
        code: "STORE_SEAL",
      });
    });

    it("for a thousand users are saved in one call", async () => {
      const store = await prepared();
      const all = uris(1100);
      await store.enrol(all, 1);
      const keys = all.map((uri) => issuedKey(uri, 9));
      expect(await store.saveIssued(keys.toReversed())).toEqual({ saved: 1100 });
      expect(await store.issuedFor(keys)).toEqual(keys);
    });
  });
});
