/** A member who was removed and kept the keys: who stays refuses them after the grace time, and speaks under a new one at once. */

import { afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  encodeDataPayload,
  openMcData,
  PAYLOAD_CONTENT_TYPES,
  sealMcData,
} from "../../bindings/mcdata/index.ts";
import { GroupMedia } from "../../bindings/media/index.ts";
import { ringKeys } from "../../roles/client/calls/index.ts";
import { operator } from "../../roles/gms/common/caller.ts";
import type { GmsAdmin } from "../../roles/gms/common/ports.ts";
import type { GmsCore } from "../../roles/gms/context.ts";
import { GroupKeyRing, takeMessage } from "../../roles/group-keys/index.ts";
import { MemoryStorage } from "../../roles/identity/index.ts";
import { rtp, text } from "../media/packets.ts";
import { seededRandom } from "../support/random.ts";
import {
  acknowledge,
  GMS_URI,
  makeCore,
  makeWorld,
  memberUri,
  memberUris,
  newMembers,
  sealAll,
  type World,
} from "./memory-gms.ts";

const GROUP = "sip:fire@home.example";
const OTHER = "sip:water@home.example";
const SECOND = 1000;
const LEAVER = 0;
const DATA = encodeDataPayload([{ contentType: PAYLOAD_CONTENT_TYPES.TEXT, data: text("data") }]);

let world: World;
let core: GmsCore;
let rings: Ring[] = [];

// Core and database are made once for the file.
beforeAll(async () => (await makeWorld({ members: 3 })).close(), 240_000);
afterEach(async () => {
  for (const { ring } of rings) ring.close();
  rings = [];
  await world.close();
});

async function begin(members = 3): Promise<GmsAdmin> {
  world = await makeWorld({ members });
  core = makeCore(world);
  return core.context.admin;
}

/** A member's ring. It takes what lies in the GKTP document, as over HTTP. */
class Ring {
  readonly ring: GroupKeyRing;
  readonly uri: string;
  readonly #who: number;

  private constructor(who: number, ring: GroupKeyRing) {
    this.#who = who;
    this.uri = memberUri(who);
    this.ring = ring;
  }

  static async open(who: number): Promise<Ring> {
    const options = { userUri: memberUri(who), now: world.now };
    const made = new Ring(who, await GroupKeyRing.open(new MemoryStorage(), options));
    rings.push(made);
    return made;
  }

  async fetch(): Promise<void> {
    for (const { octets, rekey } of await world.store.gktpOf(this.uri)) {
      const taken = await takeMessage(octets, {
        ring: this.ring,
        keys: world.member(this.#who).keys,
        gms: { uri: GMS_URI },
        expectsGroup: () => true,
        now: world.now(),
      });
      expect(["stored", "revoked", "known"]).toContain(taken.outcome);
      await acknowledge(world, rekey, [this.uri]);
    }
  }

  media(group = GROUP): GroupMedia {
    return new GroupMedia({ keys: ringKeys(this.ring, group), service: "mcptt" });
  }
}

async function pass(milliseconds: number): Promise<void> {
  world.clock.now += milliseconds;
  await core.schedule.tick();
  await sealAll(core);
}

/** Returns whether a packet and a payload under the key that a member would send with now are taken. */
async function isHeard(from: Ring, by: Ring, group = GROUP): Promise<boolean[]> {
  const sender = from.media(group).sender();
  const packet = await sender.protect(rtp(sender.ssrc, 1, text("still here")));
  const heard = (await by.media(group).receive(packet)).ok;
  const random = seededRandom("iv");
  const payload = await sealMcData(ringKeys(from.ring, group).sending()!, DATA, {
    now: world.now(),
    random,
  });
  const opened = openMcData(payload, (keyId) => ringKeys(by.ring, group).receiving(keyId));
  return [
    heard,
    await opened.then(
      () => true,
      () => false,
    ),
  ];
}

const states = async (admin: GmsAdmin, group = GROUP) => (await admin.gmks(group)).map(({ state }) => state);

describe("a removed member who kept the keys", () => {
  it("is heard for the grace time at most, in media and data, by members with HTTP only and by those who were away", async () => {
    const admin = await begin();
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(3) });
    await sealAll(core);
    const [leaver, fetching, away] = [await Ring.open(LEAVER), await Ring.open(1), await Ring.open(2)];
    for (const one of [leaver, fetching, away]) await one.fetch();
    expect(await isHeard(leaver, fetching)).toEqual([true, true]);

    world.clock.now += SECOND;
    await admin.removeMembers(operator("op"), GROUP, [leaver.uri]);
    await sealAll(core);
    await fetching.fetch();
    // Members who stay speak under the new key at once, which the leaver does not have.
    expect(await isHeard(fetching, leaver)).toEqual([false, false]);
    await pass(29 * SECOND);
    await fetching.fetch();
    expect(await isHeard(leaver, fetching)).toEqual([true, true]);
    await pass(SECOND);
    await fetching.fetch();
    expect(await isHeard(leaver, fetching)).toEqual([false, false]);

    await pass(5 * 86_400 * SECOND);
    expect(await isHeard(leaver, away)).toEqual([true, true]);
    await away.fetch();
    expect(await isHeard(leaver, away)).toEqual([false, false]);
    expect(await isHeard(away, fetching)).toEqual([true, true]);
  });

  it("has no older key left either, of however many the group has had, and the end survives a restart", async () => {
    const admin = await begin();
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(3) });
    const leaver = await Ring.open(LEAVER);
    const staying = await Ring.open(1);
    for (let n = 0; n < 20; n++) {
      await sealAll(core);
      await leaver.fetch();
      await staying.fetch();
      await admin.rekey(operator("op"), GROUP);
    }
    await sealAll(core);
    await leaver.fetch();
    await staying.fetch();
    expect(leaver.ring.keys(GROUP).length).toBeGreaterThanOrEqual(20);
    await admin.removeMembers(operator("op"), GROUP, [leaver.uri]);
    await sealAll(core);
    // Another process on the same database.
    core = makeCore(world, { instance: "gms-2" });
    await pass(30 * SECOND);
    await staying.fetch();
    for (const { gmkId } of leaver.ring.keys(GROUP)) {
      expect(ringKeys(staying.ring, GROUP).receiving(gmkId), String(gmkId)).toBeUndefined();
    }
    expect(staying.ring.current(GROUP)).toBeDefined();
    expect((await states(admin)).filter((state) => state !== "revoked")).toEqual(["live"]);
    // Nothing is revoked twice.
    const before = (await admin.rekeys({ limit: 1000 })).length;
    await pass(SECOND);
    expect((await admin.rekeys({ limit: 1000 })).length).toBe(before);
  });

  it("costs those who stay no revocation of keys that were never handed over", async () => {
    const admin = await begin();
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(3) });
    await admin.removeMembers(operator("op"), GROUP, memberUris(1));
    await sealAll(core);
    await pass(31 * SECOND);
    expect(await states(admin)).toEqual(["retired", "live"]);
  });

  it("keeps what another group shares, as long as there is a membership in that one", async () => {
    const admin = await begin();
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(3) });
    await admin.createGroup(operator("op"), { uri: OTHER, members: newMembers(3) });
    await admin.rekey(operator("op"), GROUP, { sharedWith: [OTHER] });
    await sealAll(core);
    const leaver = await Ring.open(LEAVER);
    await leaver.fetch();
    await admin.removeMembers(operator("op"), GROUP, [leaver.uri]);
    await sealAll(core);
    await pass(31 * SECOND);
    const shared = (await admin.gmks(OTHER)).filter(({ groups }) => groups.length === 2);
    expect(shared.map(({ state }) => state)).toEqual(["retired", "live"]);
    await admin.removeMembers(operator("op"), OTHER, [leaver.uri]);
    await sealAll(core);
    await pass(31 * SECOND);
    const held = new Set(leaver.ring.keys(OTHER).map(({ gmkId }) => gmkId));
    expect(held.size).toBeGreaterThan(0);
    const ended = (await admin.gmks(OTHER)).filter(({ gmkId }) => held.has(gmkId));
    expect(new Set(ended.map(({ state }) => state))).toEqual(new Set(["revoked"]));
  });
});

describe("a deleted group", () => {
  it("ends every key of its own, and shared ones after the grace time", async () => {
    const admin = await begin();
    await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(2) });
    await admin.createGroup(operator("op"), { uri: OTHER, members: newMembers(1, 2) });
    const [member, other] = [await Ring.open(0), await Ring.open(2)];
    for (let n = 0; n < 20; n++) {
      await admin.rekey(operator("op"), GROUP);
      await sealAll(core);
      await member.fetch();
    }
    await admin.rekey(operator("op"), GROUP, { sharedWith: [OTHER] });
    await sealAll(core);
    await member.fetch();
    await other.fetch();
    expect(await isHeard(member, other, OTHER)).toEqual([true, true]);
    await admin.deleteGroup(operator("op"), GROUP);
    await sealAll(core);
    await pass(30 * SECOND);
    await member.fetch();
    await other.fetch();
    expect(member.ring.keys().filter(({ key }) => key !== undefined)).toEqual([]);
    expect(other.ring.current(OTHER)).toBeDefined();
    expect(other.ring.keys().filter(({ state }) => state === "revoked")).toHaveLength(1);
  });
});

it("a GMK has a lifetime unless the configuration says otherwise, and is replaced before it ends", async () => {
  const admin = await begin();
  await admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(1) });
  const [{ activation, expiry } = { activation: 0, expiry: 0 }] = await admin.gmks(GROUP);
  expect(expiry).toBe(activation + 30 * 86_400 * SECOND);
  expect((await admin.group(GROUP))!.nextRekeyAt!).toBeLessThan(expiry!);
});
