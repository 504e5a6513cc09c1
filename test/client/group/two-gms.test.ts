/** One ring with two GMSs: each has a say on the groups that it manages, and on no others. */
import { beforeEach, expect, it } from "vitest";
import { Inbox } from "../../../roles/group-keys/inbox.ts";
import { Device, GMS, GROUP, type GroupWorld, makeGroupWorld, OTHER_GROUP, summary } from "./device.ts";

const OTHER_GMS = "sip:other@home.example";

let world: GroupWorld;
let device: Device;

beforeEach(async () => {
  world = await makeGroupWorld();
  device = await Device.create(world);
});

const takeFromOther = (octets: Uint8Array, groups: readonly string[] = [GROUP, OTHER_GROUP]) =>
  device.take(octets, { gms: { uri: OTHER_GMS }, expectsGroup: (uri) => groups.includes(uri) });

const inboxOf = (gmsUri: string) =>
  new Inbox({
    ring: device.ring,
    keys: () => world.alice,
    gms: { uri: gmsUri },
    groups: "all",
    now: () => device.now,
    tell: () => undefined,
  });

it("the key of one GMS does not become the key of another GMS's group, even if it names both groups", async () => {
  const own = await world.seal();
  await device.take(own.octets);
  const { octets } = await world.seal({ initiator: world.stranger, groups: [OTHER_GROUP, GROUP] });
  expect(summary(await takeFromOther(octets))).toBe("stored");
  expect(device.ring.current(GROUP)).toMatchObject({ gmkId: own.gmk.keyId, gmsUri: GMS });
  expect(device.ring.current(OTHER_GROUP)).toMatchObject({ gmsUri: OTHER_GMS, groups: [OTHER_GROUP] });
  await device.restart();
  expect(device.ring.current(GROUP)).toMatchObject({ gmsUri: GMS });
  const only = await world.seal({ initiator: world.stranger });
  expect(summary(await takeFromOther(only.octets))).toBe("63 GROUP_NOT_EXPECTED");
});

it("a key counts only for the groups that are expected of its GMS", async () => {
  const { octets } = await world.seal({ initiator: world.stranger, groups: [OTHER_GROUP, GROUP] });
  expect(summary(await takeFromOther(octets, [OTHER_GROUP]))).toBe("stored");
  expect(device.ring.current(GROUP)).toBeUndefined();
  const own = await world.seal();
  expect(summary(await device.take(own.octets))).toBe("stored");
  expect(device.ring.current(GROUP)).toMatchObject({ gmsUri: GMS });
});

it("a GMS that reports added or removed groups has no effect on the keys of another GMS", async () => {
  const own = await world.seal();
  await device.take(own.octets);
  await takeFromOther((await world.seal({ initiator: world.stranger, groups: [OTHER_GROUP, GROUP] })).octets);
  const other = inboxOf(OTHER_GMS);
  await other.present(GROUP);
  expect(device.ring.keys(GROUP)).toHaveLength(1);
  await other.gone(GROUP);
  expect(device.ring.current(GROUP)).toMatchObject({ gmkId: own.gmk.keyId });
  await inboxOf(GMS).gone(GROUP);
  expect(device.ring.current(GROUP)).toBeUndefined();
  // The group has moved: from now on it is the other GMS's.
  await other.present(GROUP);
  expect(device.ring.current(GROUP)).toMatchObject({ gmsUri: OTHER_GMS });
});
