/** GMKs and the clock that T comes from. */
import { expect, it } from "vitest";
import { ntpFold, ntpFromUnixMs, ntpSeconds, ntpUnfold } from "../../../bindings/index.ts";
import { onEachDatabase } from "../../support/databases.ts";
import { makeWorld } from "../../support/world.ts";
import {
  at,
  claimant,
  G1,
  G2,
  GMS_URI,
  members,
  NOW,
  newGmk,
  openStore,
  planned,
  refused,
  settings,
  started,
} from "./records.ts";

onEachDatabase("GMKs", ({ fresh }) => {
  it("GMKs are found by group, number and GMK-ID, with key and RAND", async () => {
    const store = await openStore(await fresh());
    const given = newGmk(0x0abcdef1, {
      groups: [G2, G1],
      expiry: NOW + 5,
      text: "Night\0",
      rand: new Uint8Array(255),
    });
    const gmk = await store.change((tx) => tx.insertGmk(given, NOW));
    expect(gmk).toEqual({
      id: gmk.id,
      gmkId: 0x0abcdef1,
      groups: [G1, G2],
      activation: NOW,
      expiry: NOW + 5,
      text: "Night\ufffd",
      state: "live",
      createdAt: NOW,
    });
    const other = await store.change((tx) => tx.insertGmk(newGmk(2, { groups: [G2] }), NOW));
    expect(await store.gmks(G1)).toEqual([gmk]);
    expect(await store.gmks(G2)).toEqual([gmk, other]);
    expect(await store.gmkByGmkId(2)).toEqual(other);
    expect(await store.gmkByGmkId(3)).toBeUndefined();
    await store.change(async (tx) => {
      expect(await tx.gmk(gmk.id)).toEqual(gmk);
      expect(await tx.gmks(G1)).toEqual([gmk]);
      expect(await tx.gmkSecret(gmk.id)).toEqual({ key: given.key, rand: given.rand });
    });
  });

  it("GMKs do not open in another row", async () => {
    const db = await fresh();
    const store = await openStore(db);
    await store.change((tx) => tx.insertGmk(newGmk(1), NOW));
    await db.query("UPDATE gms_gmk SET gmk_id = 2");
    await expect(store.change((tx) => tx.gmkSecret(1))).rejects.toMatchObject({ code: "STORE_SEAL" });
  });

  it("GMKs that were revoked stay revoked", async () => {
    const store = await openStore(await fresh());
    const { id } = await store.change((tx) => tx.insertGmk(newGmk(1), NOW));
    const states = [];
    for (const state of ["retired", "revoked", "retired"] as const) {
      await store.change((tx) => tx.setGmkState([id], state));
      states.push((await store.gmkByGmkId(1))!.state);
    }
    expect(states).toEqual(["retired", "revoked", "revoked"]);
  });

  it("GMKs are deleted with a deleted group, or revoked with it", async () => {
    const store = await openStore(await fresh());
    await store.change(async (tx) => {
      await tx.insertGroup(G1, settings(), NOW);
      await tx.insertGmk(newGmk(1), NOW);
      await tx.insertGmk(newGmk(2, { groups: [G1, G2] }), NOW);
      await tx.deleteGroup(G1);
    });
    expect(await store.gmkByGmkId(1)).toMatchObject({ groups: [G1], state: "revoked" });
    expect(await store.gmkByGmkId(2)).toMatchObject({ groups: [G2], state: "live" });
  });

  it("GMKs that do not fit are refused", async () => {
    const store = await openStore(await fresh());
    await store.change((tx) => tx.insertGmk(newGmk(1), NOW));
    const insert = (changes: Partial<ReturnType<typeof newGmk>>) =>
      refused(store.change((tx) => tx.insertGmk(newGmk(7, changes), NOW)));
    expect(await insert({ gmkId: 1 })).toBe("GMK_ID_EXISTS");
    expect(await insert({ gmkId: 2 ** 32 })).toBe("BAD_KEY_ID");
    expect(await insert({ key: new Uint8Array(15) })).toBe("WRONG_LENGTH");
    expect(await insert({ rand: new Uint8Array(15) })).toBe("WRONG_LENGTH");
    expect(await insert({ rand: new Uint8Array(256) })).toBe("WRONG_LENGTH");
    expect(await insert({ groups: [] })).toBe("BAD_GROUP");
    expect(await insert({ groups: [G1, G1] })).toBe("BAD_GROUP");
    expect(await insert({ activation: -1 })).toBe("BAD_TIME");
    expect(await insert({ expiry: 1.5 })).toBe("BAD_TIME");
    expect(await refused(store.change((tx) => tx.gmkSecret(99)))).toBe("GMK_UNKNOWN");
  });
});

onEachDatabase("times", ({ fresh }) => {
  const SECOND = Math.floor(NOW / 1000) * 1000;

  it("times for messages are those of one initiator object, also when the clock goes back", async () => {
    const store = await openStore(await fresh());
    const { gms: model } = await makeWorld();
    const calls: [number, number][] = [
      [NOW, 3],
      [NOW, 1],
      [NOW - 60_000, 5],
      [NOW + 999, 10_000_000],
      [NOW + 999, 10_000_000],
      [NOW + 5000, 1],
      // 2036-02-07T06:28:16Z, where the seconds of the wire begin anew.
      [2_085_978_495_999, 100_000_000],
      [2_085_978_496_000, 2],
    ];
    for (const [now, count] of calls) {
      const got = await at(now, store).change((tx) => tx.reserveTimes(GMS_URI, count));
      expect(got).toBe(model.reserveTimes(now, count));
    }
  });

  it("times of one call lie in one second, for each initiator separately", async () => {
    const store = await openStore(await fresh());
    const reserve = (uri: string, now: number, count: number) =>
      at(now, store).change((tx) => tx.reserveTimes(uri, count));
    const all = await reserve(GMS_URI, SECOND, 2 ** 32);
    expect(all).toBe(ntpFromUnixMs(SECOND));
    const next = await reserve(GMS_URI, SECOND, 1);
    expect(next).toBe(ntpFromUnixMs(SECOND + 1000));
    const whole = await reserve(GMS_URI, SECOND, 2 ** 32);
    expect(whole).toBe(ntpFromUnixMs(SECOND + 2000));
    expect(await reserve("sip:other@home.example", SECOND, 1)).toBe(ntpFromUnixMs(SECOND));
  });

  it("times are taken back with the transaction, before anything could use them", async () => {
    const store = await openStore(await fresh());
    const failed = store.change(async (tx) => {
      await tx.reserveTimes(GMS_URI, 5);
      throw new Error("no");
    });
    await expect(failed).rejects.toThrow("no");
    expect(await store.change((tx) => tx.reserveTimes(GMS_URI, 1))).toBe(ntpFromUnixMs(NOW));
  });

  it("times are refused for counts and clocks out of range", async () => {
    const store = await openStore(await fresh());
    const reserve = (now: number, count: number) =>
      refused(at(now, store).change((tx) => tx.reserveTimes(GMS_URI, count)));
    for (const count of [0, -1, 1.5, 2 ** 32 + 1]) expect(await reserve(NOW, count)).toBe("BAD_COUNT");
    for (const now of [-1e14, 1e14]) expect(await reserve(now, 1)).toBe("TIME_OUT_OF_RANGE");
  });

  it("times more than a minute ahead of the database's clock are refused, and none are given", async () => {
    const store = await openStore(await fresh());
    const reserve = (now: number) => at(now, store).change((tx) => tx.reserveTimes(GMS_URI, 1));
    await reserve(NOW + 3_600_000);
    await expect(reserve(NOW)).rejects.toMatchObject({ kind: "transport", code: "CLOCK_AHEAD" });
    expect(await store.secondsAhead(GMS_URI)).toBe(3600);
    await expect(store.requireClock(GMS_URI)).rejects.toMatchObject({ code: "CLOCK_AHEAD" });
    // One initiator's clock is none of another's business.
    await store.requireClock("sip:other@home.example");
    expect(await reserve(NOW + 3_600_000 - 59_000)).toBe(
      ntpFold(ntpUnfold(ntpFromUnixMs(NOW + 3_600_000)) + 1n),
    );
  });

  it("times that were used while the clock was ahead are not used again after it was set back", async () => {
    const store = await openStore(await fresh());
    const ahead = NOW + 3_600_000;
    at(ahead, store);
    const { rekey } = await started(store, { who: members(8), now: ahead });
    const first = (await store.claimChunk(claimant("a", ahead)))!.time;
    expect(await at(NOW, store).resetClock(GMS_URI)).toEqual({ ahead: 3600, groups: [G1] });
    expect(await store.resetClock(GMS_URI)).toEqual({ ahead: 0, groups: [] });
    await store.requireClock(GMS_URI);
    const reserve = (now: number, count: number) =>
      at(now, store).change((tx) => tx.reserveTimes(GMS_URI, count));
    expect(await reserve(NOW + 1, 1)).toBe(ntpFromUnixMs(NOW + 1));
    expect(first).toBe(ntpFromUnixMs(ahead));
    // The eight of the rekey are passed over, whether the new ones begin before them or among them.
    const next = Math.floor(ahead / 1000) * 1000 + 1000;
    expect(await reserve(ahead, 2)).toBe(ntpFromUnixMs(next));
    expect((await store.rekey(rekey))!.total).toBe(8);
  });

  it("times for each chunk of a rekey stay right across the change of eras", async () => {
    const store = await openStore(await fresh());
    const who = members(10);
    const now = 2_085_978_497_000;
    await at(now, store).change(async (tx) => {
      const gmk = await tx.insertGmk(newGmk(1), now);
      const time = await tx.reserveTimes(GMS_URI, who.length);
      await planned(tx, gmk, who, { time, chunkSize: 4 });
    });
    const first = ntpUnfold(ntpFromUnixMs(now));
    expect(ntpSeconds(ntpFromUnixMs(now))).toBeGreaterThan(2 ** 32);
    for (const offset of [0n, 4n, 8n]) {
      const claim = await store.claimChunk({ instance: "a", leaseMs: 1000 });
      expect(ntpUnfold(claim!.time)).toBe(first + offset);
    }
  });
});
