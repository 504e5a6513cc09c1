/** The states of keys as time goes by, which one is sent with, and what is kept. */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { GroupKeyRing } from "../../../roles/group-keys/index.ts";
import { SealedStorage, StorageKey } from "../../../roles/identity/index.ts";
import {
  ALICE,
  BOB,
  DAY_MS,
  Device,
  FOREIGN_GROUP,
  GROUP,
  type GroupWorld,
  makeGroupWorld,
  NOW,
  OTHER_GROUP,
  SECOND,
  type SealChanges,
  summary,
} from "./device.ts";

let world: GroupWorld;
let device: Device;
const at = (offset: number) => NOW / SECOND + offset;

beforeAll(async () => {
  world = await makeGroupWorld();
});
beforeEach(async () => {
  device = await Device.create(world);
});

async function take(changes: SealChanges = {}): Promise<number> {
  const { octets, gmk } = await world.seal(changes);
  expect(["stored", "revoked"]).toContain(summary(await device.take(octets)));
  return gmk.keyId;
}

const states = () => device.ring.keys(GROUP).map(({ state }) => state);

describe("several keys of a group", () => {
  it("go from pending over active to expired, and the key activated last is used for sending", async () => {
    const first = await take({ parameters: { activation: at(-100), expiry: at(7200) } });
    const second = await take({ parameters: { activation: at(3600) } });
    expect(states()).toEqual(["active", "pending"]);
    expect(device.ring.current(GROUP)!.gmkId).toBe(first);
    expect(device.ring.byGmkId(second)).toMatchObject({ state: "pending" });
    expect(device.ring.nextChange()).toBe(at(3600) * SECOND);

    device.now = at(3600) * SECOND - 1;
    expect(device.ring.current(GROUP)!.gmkId).toBe(first);
    device.now++;
    expect(states()).toEqual(["active", "active"]);
    expect(device.ring.current(GROUP)!.gmkId).toBe(second);
    expect(device.ring.byGmkId(first)).toBeDefined();

    device.now = at(7200) * SECOND;
    expect(states()).toEqual(["active", "active"]);
    device.now++;
    expect(states()).toEqual(["expired", "active"]);
    expect(device.ring.byGmkId(first)).toBeUndefined();
    expect(device.ring.key(first)).toMatchObject({ state: "expired" });
  });

  it("fall back to the previous key when the newest is revoked", async () => {
    const first = await take({ parameters: { activation: at(-200) } });
    const { octets, gmk } = await world.seal({ parameters: { activation: at(-100) } });
    await device.take(octets);
    expect(device.ring.current(GROUP)!.gmkId).toBe(gmk.keyId);
    await take({ ...gmk, parameters: { revoked: true } });
    expect(device.ring.current(GROUP)!.gmkId).toBe(first);
  });

  it("are kept apart by group, but one key may serve two groups", async () => {
    const shared = await take({ groups: [GROUP, OTHER_GROUP] });
    const own = await take({ groups: [OTHER_GROUP] });
    expect(device.ring.keys(GROUP).map(({ gmkId }) => gmkId)).toEqual([shared]);
    expect(device.ring.keys(OTHER_GROUP).map(({ gmkId }) => gmkId)).toEqual([shared, own]);
    expect(device.ring.groups()).toEqual([GROUP, OTHER_GROUP]);
    expect(device.ring.current(FOREIGN_GROUP)).toBeUndefined();
  });
});

describe("a stored key ring", () => {
  it("is complete after a restart, and not stored in clear", async () => {
    const { octets, gmk } = await world.seal({ parameters: { text: "after dark", expiry: at(9000) } });
    await device.take(octets);
    const before = device.ring.current(GROUP)!;
    const { key: old, ...facts } = before;
    const derived = old.srtpMaster(0);
    await device.restart();
    expect(() => old.reveal()).toThrow("destroyed");
    const { key, ...after } = device.ring.current(GROUP)!;
    expect(after).toEqual(facts);
    expect(key.srtpMaster(0)).toEqual(derived);
    const names = await device.disk.list("group-key/");
    expect(names).toHaveLength(1);
    const record = Buffer.from((await device.disk.get(names[0]!))!);
    expect([record.includes(Buffer.from(gmk.key)), record.includes(GROUP)]).toEqual([false, false]);
  });

  it("belongs to one user, on a storage of several", async () => {
    await take();
    const ring = await GroupKeyRing.open(device.storage, { userUri: BOB, now: () => NOW });
    expect(ring.keys()).toEqual([]);
  });

  it("is shared by two tabs: neither takes a GMK-ID that the other knows for a new one", async () => {
    const tab = await GroupKeyRing.open(device.storage, { userUri: ALICE, now: () => device.now });
    const { octets, gmk } = await world.seal();
    await device.take(octets);
    expect(summary(await device.take(octets, { ring: tab }))).toBe("known");
    const other = await world.seal({ keyId: gmk.keyId });
    expect(summary(await device.take(other.octets, { ring: tab }))).toBe("60 KEY_ID_REUSED");
    await take({ ...gmk, parameters: { revoked: true } });
    const renewal = await world.seal(gmk);
    expect(summary(await device.take(renewal.octets, { ring: tab }))).toBe("58 KEY_ID_REVOKED");
    expect(tab.current(GROUP)).toBeUndefined();
  });

  it("loses one damaged record, which its message brings back, but nothing under a wrong storage key", async () => {
    const { octets } = await world.seal();
    await device.take(octets);
    await take({ groups: [OTHER_GROUP] });
    const wrong = new SealedStorage(device.disk, await StorageKey.generate());
    const opened = GroupKeyRing.open(wrong, { userUri: ALICE, now: () => NOW });
    await expect(opened).rejects.toMatchObject({ code: "STORAGE_SEAL" });
    const names = await device.disk.list("group-key/");
    expect(names).toHaveLength(2);

    const name = names.find((n) =>
      n.endsWith(device.ring.current(GROUP)!.gmkId.toString(16).padStart(8, "0")),
    );
    const record = (await device.disk.get(name!))!;
    record[record.length - 1]! ^= 1;
    await device.disk.put(name!, record);
    await device.restart();
    expect(device.ring.damaged).toEqual([name]);
    expect(device.ring.groups()).toEqual([OTHER_GROUP]);
    expect(summary(await device.take(octets))).toBe("stored");
  });
});

describe("a key ring that has lost its storage", () => {
  it("accepts no message older than itself, unless the GMS shows it as the present state", async () => {
    const { octets, gmk } = await world.seal();
    expect(summary(await device.take(octets))).toBe("stored");
    for (const name of await device.disk.list("")) await device.disk.delete(name);
    device.now += DAY_MS;
    await device.restart();
    const taken = await device.take(octets);
    expect(taken).toMatchObject({ outcome: "refused", error: { code: "OLDER_THAN_RING" } });
    expect(device.ring.keys()).toEqual([]);
    await device.restart();
    expect(await device.take(octets)).toMatchObject({ error: { code: "OLDER_THAN_RING" } });
    expect(summary(await device.take(octets, { isPresent: true }))).toBe("stored");
    expect(device.ring.current(GROUP)!.gmkId).toBe(gmk.keyId);
  });

  it("accepts a message sent after the ring was made, however long ago that is", async () => {
    const { octets } = await world.seal();
    device.now += 3 * DAY_MS;
    await device.restart();
    expect(summary(await device.take(octets))).toBe("stored");
  });
});

describe("a clock that is set back", () => {
  it("makes no expired key active again, neither at once nor after a restart", async () => {
    const { octets, gmk } = await world.seal({ parameters: { activation: at(-100), expiry: at(3600) } });
    await device.take(octets);
    device.now = at(3601) * SECOND;
    expect(device.ring.current(GROUP)).toBeUndefined();
    device.now = NOW;
    expect(device.ring.byGmkId(gmk.keyId)).toBeUndefined();
    await device.ring.prune();
    await device.restart();
    expect(device.ring.key(gmk.keyId)).toMatchObject({ state: "expired" });
    // The GMS may give it a longer life.
    const renewal = await world.seal({ ...gmk, parameters: { activation: at(-100), expiry: at(9000) } });
    expect(summary(await device.take(renewal.octets))).toBe("stored");
    expect(device.ring.key(gmk.keyId)).toMatchObject({ state: "active" });
  });
});

describe("a key that is not needed any more", () => {
  it("is wiped a day after it expired, and its record is deleted once its messages cannot come back", async () => {
    const { octets, gmk } = await world.seal({ parameters: { activation: at(-100), expiry: at(3600) } });
    await device.take(octets);
    const { key } = device.ring.current(GROUP)!;
    device.now = at(3600) * SECOND + DAY_MS;
    await device.ring.prune();
    expect(key.reveal()).toEqual(gmk.key);
    device.now += 1;
    expect(device.ring.nextChange()).toBeUndefined();
    await device.ring.prune();
    expect(() => key.reveal()).toThrow("destroyed");
    expect(device.changes).toEqual(["added", "dropped"]);
    expect(device.ring.keys()).toEqual([]);
    expect(device.ring.isBlocked(gmk.keyId)).toBe(true);
    await device.restart();
    const reused = await world.seal({ keyId: gmk.keyId });
    expect(summary(await device.take(reused.octets))).toBe("60 KEY_ID_REUSED");
    expect(summary(await device.take(octets))).toBe("known");

    device.now = NOW + 60 * DAY_MS;
    await device.ring.prune();
    expect(await device.disk.list("group-key/")).toEqual([]);
    expect(summary(await device.take(octets))).toBe("38 KEY_PERIOD_NOT_CURRENT");
  });

  it("stays blocked after its revocation for as long as there is room", async () => {
    await device.restart({ maxRecords: 2 });
    const revoked = await take({ parameters: { revoked: true } });
    await take();
    const full = await world.seal();
    expect(await device.take(full.octets)).toMatchObject({
      outcome: "failed",
      error: { code: "RECEIVER_STATE_FULL" },
    });
    device.now = NOW + 60 * DAY_MS;
    await device.ring.prune();
    expect(device.ring.isBlocked(revoked)).toBe(true);
  });
});

describe("leaving a group", () => {
  it("removes its keys, except those shared with another group", async () => {
    const own = await take();
    const shared = await take({ groups: [GROUP, OTHER_GROUP] });
    const { key } = device.ring.byGmkId(own)!;
    await device.ring.leave(GROUP);
    expect(() => key.reveal()).toThrow("destroyed");
    expect(device.ring.current(GROUP)).toBeUndefined();
    expect(device.ring.current(OTHER_GROUP)).toMatchObject({ gmkId: shared, groups: [OTHER_GROUP] });
    await device.restart();
    expect(device.ring.groups()).toEqual([OTHER_GROUP]);
    expect(device.ring.isBlocked(own)).toBe(true);
    await device.ring.rejoin(GROUP);
    expect(device.ring.keys(GROUP).map(({ gmkId }) => gmkId)).toEqual([shared]);
  });

  it("is undone by the last message of the group, or by a newer one of the same key", async () => {
    const first = await world.seal();
    const renewal = await world.seal(first.gmk);
    await device.take(first.octets);
    await device.take(renewal.octets);
    await device.ring.leave(GROUP);
    expect(summary(await device.take(first.octets))).toBe("61 NOT_NEWER");
    expect(summary(await device.take(renewal.octets))).toBe("stored");
    await device.ring.leave(GROUP);
    const other = await world.seal({ keyId: first.gmk.keyId });
    expect(summary(await device.take(other.octets))).toBe("60 KEY_ID_REUSED");
    const newer = await world.seal(first.gmk);
    expect(summary(await device.take(newer.octets))).toBe("stored");
    expect(device.ring.current(GROUP)!.key.reveal()).toEqual(first.gmk.key);
  });
});
